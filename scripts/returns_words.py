"""The French of what came back: one, and several."""

from __future__ import annotations

from alerts.bounces_dsn import ReturnKind

KINDS: dict[str, tuple[str, str]] = {
    ReturnKind.HARD: ("adresse inexistante", "adresses inexistantes"),
    ReturnKind.SOFT: ("échec passager", "échecs passagers"),
    ReturnKind.POLICY: ("refus par politique", "refus par politique"),
    ReturnKind.CONTENT: ("lettre refusée telle quelle", "lettres refusées telles quelles"),
    ReturnKind.UNCLEAR: ("retour sans raison lisible", "retours sans raison lisible"),
    ReturnKind.DELAYED: ("retard annoncé", "retards annoncés"),
    ReturnKind.DELIVERED: ("accusé de livraison", "accusés de livraison"),
    ReturnKind.COMPLAINT: ("plainte", "plaintes"),
    ReturnKind.AUTO_REPLY: ("réponse automatique", "réponses automatiques"),
    ReturnKind.OTHER: ("message à lire", "messages à lire"),
    "duplicate": ("copie déjà lue", "copies déjà lues"),
}
