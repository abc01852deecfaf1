"""Every enterprise and contact as it stands at a moment, and why a contact is not mailed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions import knowledge
from subscriptions.difference import KnownContact, KnownMember
from subscriptions.tables import Suppression


class Hindrance(StrEnum):
    """What keeps a contact from being mailed. The decisive statement is at the hand-over."""

    NOT_ACTIVE = "not active"
    LEFT = "left"
    NOT_SUBSCRIBED = "not subscribed"
    PAUSED = "paused"
    NO_CONSENT = "no consent"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedContact:
    """A contact at a moment; `frequency` is "" where it asks for nothing."""

    id: int
    name: str
    address: str
    frequency: str
    hindrances: tuple[Hindrance, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedMember:
    """An enterprise at a moment."""

    id: int
    name: str
    active: bool
    contacts: tuple[ListedContact, ...]


def listing(session: Session, at: datetime) -> tuple[ListedMember, ...]:
    """All enterprises in the order of their names, with their live contacts.

    Without those of which nothing is left: their import was undone.
    """
    known = knowledge.known(session, at)
    suppressed = frozenset(
        session.scalars(select(Suppression.address).where(Suppression.lifted_at.is_(None)))
    )
    contacts: defaultdict[str, list[ListedContact]] = defaultdict(list)
    for address, contact in known.contacts.items():
        member = known.members[contact.key]
        found = _hindrances(
            member, contact, at, left=address in known.left, suppressed=address in suppressed
        )
        contacts[contact.key].append(_listed(address, contact, found))
    return tuple(
        ListedMember(
            id=member.id,
            name=member.name,
            active=_active(member, at),
            contacts=tuple(contacts[key]),
        )
        for key, member in sorted(known.members.items())
        if member.stretches or contacts[key]
    )


def _listed(address: str, contact: KnownContact, found: tuple[Hindrance, ...]) -> ListedContact:
    return ListedContact(
        id=contact.id,
        name=contact.name,
        address=address,
        frequency=contact.wishes.frequency if contact.wishes else "",
        hindrances=found,
    )


def _active(member: KnownMember, at: datetime) -> bool:
    return any(s.holds(at) for s in member.stretches)


def _hindrances(
    member: KnownMember,
    contact: KnownContact,
    at: datetime,
    *,
    left: bool,
    suppressed: bool,
) -> tuple[Hindrance, ...]:
    wishes = contact.wishes
    gone = Hindrance.LEFT if left else Hindrance.NOT_SUBSCRIBED
    checks = (
        (not _active(member, at), Hindrance.NOT_ACTIVE),
        (wishes is None, gone),
        (bool(wishes and wishes.paused_until and at < wishes.paused_until), Hindrance.PAUSED),
        (not contact.may_be_written_to, Hindrance.NO_CONSENT),
        (suppressed, Hindrance.SUPPRESSED),
    )
    return tuple(hindrance for hinders, hindrance in checks if hinders)
