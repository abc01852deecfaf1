"""The enterprise that staff name on the command line, or in French why there is none."""

from __future__ import annotations

from sqlalchemy.orm import Session

from base.french import NBSP
from scripts.console import stop
from subscriptions.errors import MemberUnknown
from subscriptions.members import find_member
from subscriptions.tables import Member


def named(session: Session, key: str) -> Member:
    """The enterprise of that number or name; it ends the command where there is none."""
    try:
        return find_member(session, key)
    except MemberUnknown as error:
        asked = f"«{NBSP}{error.key}{NBSP}»"
        if error.found:
            found = "\n".join(error.found)
            stop(f"Plusieurs entreprises répondent à {asked}. Préciser le numéro{NBSP}:\n{found}")
        stop(f"Aucune entreprise ne répond à {asked}. Voir{NBSP}: alertes membres lister")
