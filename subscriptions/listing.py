"""Every enterprise and contact as it stands at a moment, and why a contact is not mailed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from subscriptions import knowledge
from subscriptions.tables import Consent, Contact, Subscription, Suppression


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """The last thing a contact asked for; `ended` is why it ended, None where it holds."""

    frequency: str
    paused_until: datetime | None
    ended: str | None


def listing(session: Session, at: datetime) -> tuple[ListedMember, ...]:
    """All enterprises in the order of their names, with their live contacts.

    Without those of which nothing is left: their import was undone. Only the columns that are
    listed are read: thousands of whole rows take a second.
    """
    members = knowledge.known_members(session)
    active = {one.id: any(s.holds(at) for s in one.stretches) for one in members.values()}
    contacts = _contacts(session, at, active)
    return tuple(
        ListedMember(
            id=member.id,
            name=member.name,
            active=active[member.id],
            contacts=tuple(contacts[member.id]),
        )
        for _, member in sorted(members.items())
        if member.stretches or contacts[member.id]
    )


def _contacts(
    session: Session, at: datetime, active: Mapping[int, bool]
) -> defaultdict[int, list[ListedContact]]:
    """The live contacts, by enterprise."""
    asked, consenting = _asked(session), _consenting(session, at)
    suppressed = frozenset(
        session.scalars(select(Suppression.address).where(Suppression.lifted_at.is_(None)))
    )
    rows = session.execute(
        select(Contact.id, Contact.member_id, Contact.name, Contact.address, Contact.ended_at)
        .order_by(Contact.id)
    ).all()  # fmt: skip
    left = knowledge.left((row.address, asked[row.id].ended) for row in rows if row.id in asked)
    found: defaultdict[int, list[ListedContact]] = defaultdict(list)
    for row in rows:
        if row.ended_at is not None:
            continue
        last = asked.get(row.id)
        wish = last if last is not None and last.ended is None else None
        hindrances = _hindrances(
            wish,
            at,
            active=active[row.member_id],
            left=row.address in left,
            consents=row.id in consenting,
            suppressed=row.address in suppressed,
        )
        found[row.member_id].append(
            ListedContact(
                id=row.id,
                name=row.name,
                address=row.address,
                frequency=wish.frequency if wish else "",
                hindrances=hindrances,
            )
        )
    return found


def _hindrances(
    wish: _Asked | None,
    at: datetime,
    *,
    active: bool,
    left: bool,
    consents: bool,
    suppressed: bool,
) -> tuple[Hindrance, ...]:
    gone = Hindrance.LEFT if left else Hindrance.NOT_SUBSCRIBED
    checks = (
        (not active, Hindrance.NOT_ACTIVE),
        (wish is None, gone),
        (bool(wish and wish.paused_until and at < wish.paused_until), Hindrance.PAUSED),
        (not consents, Hindrance.NO_CONSENT),
        (suppressed, Hindrance.SUPPRESSED),
    )
    return tuple(hindrance for hinders, hindrance in checks if hinders)


def _asked(session: Session) -> dict[int, _Asked]:
    """By contact, its latest subscription."""
    rows = session.execute(
        select(
            Subscription.contact_id,
            Subscription.frequency,
            Subscription.paused_until,
            Subscription.ended_at,
            Subscription.end_reason,
        ).order_by(Subscription.started_at, Subscription.id)
    )
    return {
        contact: _Asked(frequency, paused, reason if ended else None)
        for contact, frequency, paused, ended, reason in rows
    }


def _consenting(session: Session, at: datetime) -> frozenset[int]:
    """The contacts that we may write to at that moment."""
    return frozenset(
        session.scalars(
            select(Consent.contact_id).where(
                Consent.starts_at <= at, or_(Consent.ends_at.is_(None), Consent.ends_at > at)
            )
        )
    )
