"""The French of why a contact was not mailed."""

from __future__ import annotations

from alerts.tables import Why

NOT_MAILED: dict[str, str] = {
    Why.MEMBERSHIP: "l’adhésion de l’entreprise n’est pas active",
    Why.CONSENT: "aucune base de consentement n’est inscrite",
    Why.SUBSCRIPTION: "désabonnement",
    Why.PAUSED: "abonnement en pause",
    Why.SUPPRESSED: "l’adresse refuse nos lettres",
    Why.ADDRESS: "l’adresse a changé depuis que la lettre est écrite",
    Why.HELD: "les envois sont retenus",
    Why.NOT_ALLOWED: "MAIL_ALLOWED ne permet pas cette adresse",
    Why.EXPIRED: "trop tard : les avis sont fermés",
    Why.NOTHING: "aucun nouvel avis dans ses secteurs",
    Why.UNWRITABLE: "la lettre, ou l’avis, n’a pas pu être composé",
    Why.DROPPED: "lettre incertaine, abandonnée par le personnel",
}
