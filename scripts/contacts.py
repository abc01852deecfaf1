"""The contact that staff name on the command line, or in French why there is none."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from base.french import NBSP
from scripts.console import err, stop
from subscriptions import consent
from subscriptions.errors import ContactUnknown
from subscriptions.members import find_contact
from subscriptions.tables import Contact


def named(session: Session, key: str, *, or_removed: bool = False) -> Contact:
    """The live contact of that number, address or name; it ends the command where there is none.

    With `or_removed`, else the last one that was removed, by its number or address.
    """
    try:
        return find_contact(session, key)
    except ContactUnknown as error:
        asked = f"«{NBSP}{error.key}{NBSP}»"
        if error.found:
            found = "\n".join(error.found)
            stop(f"Plusieurs contacts répondent à {asked}. Préciser le numéro{NBSP}:\n{found}")
        removed = _removed(session, key) if or_removed else None
        return _kept(session, removed) or stop(
            f"Aucun contact ne répond à {asked}. Voir{NBSP}: alertes membres lister"
        )


def _removed(session: Session, key: str) -> Contact | None:
    number = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else -1
    return session.scalars(
        select(Contact)
        .where((Contact.id == number) | (Contact.address == key.strip()))
        .order_by(Contact.id.desc())
        .limit(1)
    ).first()


def live_addresses(session: Session) -> frozenset[str]:
    """The address of every live contact."""
    return frozenset(session.scalars(select(Contact.address).where(Contact.ended_at.is_(None))))


def may_be_written_to(session: Session, contact_id: int, at: datetime) -> bool:
    """Whether a consent holds."""
    return consent.holds(session, contact_id, at) is not None


def _kept(session: Session, removed: Contact | None) -> Contact | None:
    """What a merged contact was told is the kept one's since."""
    if removed is None or removed.merged_into_id is None:
        return removed
    kept = session.get_one(Contact, removed.merged_into_id)
    err.print(
        f"Le contact {removed.id} <{removed.address}> a été fusionné avec le contact "
        f"{kept.id} <{kept.address}>{NBSP}: la réponse est pour ce dernier.",
        soft_wrap=True,
    )
    return kept
