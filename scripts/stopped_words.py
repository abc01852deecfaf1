"""The French of what ended a run of sending early, and what to do."""

from __future__ import annotations

from alerts.handing import Fault, Tally
from base.french import NBSP

_STOPPED: dict[Fault, str] = {
    Fault.HELD: f"Les envois sont retenus. Voir{NBSP}: alertes envois etat",
    Fault.POLICY: (
        "Les envois se sont arrêtés et sont retenus, car trop de lettres ont été refusées par "
        f"politique. Voir{NBSP}: alertes envois etat"
    ),
    Fault.DATABASE: (
        "Les envois se sont arrêtés, car la base de données ou le journal ne peut pas être écrit. "
        "Vérifier l’espace libre et les droits, puis recommencer."
    ),
    Fault.REFUSED: (
        "Les envois se sont arrêtés, car le serveur d’envoi les refuse. Rien n’est perdu; corriger "
        "les réglages SMTP dans le fichier .env, puis recommencer."
    ),
    Fault.UNREACHABLE: (
        "Les envois se sont arrêtés, car le serveur d’envoi ne répond pas. Rien n’est perdu; "
        "recommencer plus tard, ou appeler qui gère ce serveur."
    ),
}
#: Those of which the words for the log say more.
_DETAILED = frozenset({Fault.DATABASE, Fault.REFUSED, Fault.UNREACHABLE})


def stopped(tally: Tally) -> str:
    """Why the run ended early; "" where it did not."""
    if tally.fault is None:
        return ""
    detail = f"\nDétail technique{NBSP}: {tally.stopped}" if tally.fault in _DETAILED else ""
    return f"{_STOPPED[tally.fault]}{detail}"
