"""The French of what a person must look at: one sentence a cause, with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Each cause's sentence; names in braces are members of its detail.
SENTENCES: dict[str, str] = {
    "suspect leaves": (
        "{count} désabonnements en une heure semblent venir d’un filtre de courrier, pas de "
        "personnes. Ils sont faits; chacun peut être annulé par le lien de sa confirmation. "
        "Téléphoner aux entreprises touchées\u00a0: alertes abonnements voir CONTACT"
    ),
    "confirmation unwritable": (
        "La confirmation de l’événement {event} n’a pas pu être écrite. "
        "Vérifier l’adresse du contact, puis le prévenir par téléphone."
    ),
}


def sentence(cause: str, detail: Mapping[str, Any]) -> str:
    """What it is and what to do, in one or two sentences."""
    words = SENTENCES.get(cause)
    if words is None:
        return f"{cause} {dict(detail)}"
    return words.format_map(detail)
