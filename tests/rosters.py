"""Rosters of a fictional co-op, as text, and what applying them does."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from base.database import Database
from subscriptions import importing, knowledge, roster, sectors, wishes
from subscriptions.difference import Difference, Known
from subscriptions.tables import Contact

CATALOGUE = sectors.load()
AT = datetime(2026, 9, 21, 14, tzinfo=UTC)
HEADER = (
    "entreprise;statut;début;fin;contact;courriel;secteurs;fréquence;base de consentement;téléphone"
)
NORTH = (
    "Coop fictive du Nord;actif;2024-01-01;;Anne Fictive;anne@exemple.quebec;deneigement;"
    "hebdomadaire;exprès;450 555-0101"
)
SOUTH = (
    "Coop fictive du Sud;actif;2025-01-01;;Bruno Fictif;bruno@exemple.quebec;buanderie-textile;"
    "quotidien;adhésion;450 555-0102"
)


def read(*lines: str, header: str = HEADER) -> roster.Roster:
    """The roster of those lines."""
    return roster.read("\n".join((header, *lines)).encode(), CATALOGUE)


def take_in(database: Database, *lines: str, at: datetime = AT) -> Difference:
    """Apply those lines."""
    with database.write() as session:
        return importing.take_in(session, read(*lines), at=at, by="essai")


def known(database: Database, at: datetime = AT) -> Known:
    """All that is known."""
    with database.read() as session:
        return knowledge.known(session, at)


def contact(database: Database, address: str) -> Contact:
    """The last contact of that address, live or not."""
    with database.read() as session:
        found = select(Contact).where(Contact.address == address).order_by(Contact.id.desc())
        return session.scalars(found.limit(1)).one()


def leave(database: Database, address: str, *, at: datetime = AT) -> None:
    """The contact unsubscribes by its link."""
    with database.write() as session:
        ids = session.scalars(select(Contact.id).where(Contact.address == address)).all()
        assert any(wishes.unsubscribe(session, one, origin="member", at=at) for one in ids)


def subscribed(database: Database, address: str) -> bool:
    """Whether a live subscription of a live contact has that address."""
    found = known(database).contacts.get(address)
    return found is not None and found.wishes is not None
