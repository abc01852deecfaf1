"""The active members that no letter reached for a time: whom to call, and about what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from alerts.entitlement import contacts_refused
from alerts.tables import Letter, LetterState, NearMissed, Why
from subscriptions.tables import Contact, Member, Membership, Subscription


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmatched:
    """An active member to which nothing was sent."""

    member_id: int
    member: str
    telephone: str
    contacts: Sequence[str]
    #: Why nothing may be written to its contacts, where it is so for all of them.
    why: Why | None
    #: Slugs that its contacts declared.
    sectors: Sequence[str]
    #: When the last letter was accepted; None: never.
    last_at: datetime | None
    #: Notices that nearly were for it, of those kept.
    nearly: int


def unmatched(session: Session, start: datetime, at: datetime) -> list[Unmatched]:
    """The members active at `at` to none of whose contacts a letter was accepted since `start`.

    Who may be written to comes first: there the choices are too narrow, or the region too quiet.
    """
    members = _silent_members(session, start, at)
    contacts: dict[int, list[Contact]] = defaultdict(list)
    asked = select(Contact).where(Contact.ended_at.is_(None)).order_by(Contact.id)
    for contact in session.scalars(asked):
        if contact.member_id in members:
            contacts[contact.member_id].append(contact)
    ids = [one.id for found in contacts.values() for one in found]
    refused = contacts_refused(session, ids, at=at)
    known = _Known(
        refused=refused,
        sectors=_sectors(session, ids),
        last=_last(session, ids),
        nearly=_nearly(session, ids, start),
    )
    made = [_one(member, contacts[member.id], known) for member in members.values()]
    return sorted(made, key=lambda one: (one.why is not None, -one.nearly, one.member))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What is known of the contacts, by contact."""

    refused: Mapping[int, Why]
    sectors: Mapping[int, Sequence[str]]
    last: Mapping[int, datetime]
    nearly: Mapping[int, int]


def _silent_members(session: Session, start: datetime, at: datetime) -> dict[int, Member]:
    """Active members of whom no contact has a letter accepted since then."""
    active = select(Membership.member_id).where(
        Membership.superseded_at.is_(None),
        Membership.starts_at <= at,
        or_(Membership.ends_at.is_(None), Membership.ends_at > at),
    )
    reached = (
        select(Contact.member_id)
        .join(Letter, Letter.contact_id == Contact.id)
        .where(Letter.in_doubt_at >= start, Letter.state == LetterState.ACCEPTED)
    )
    found = session.scalars(
        select(Member).where(Member.id.in_(active), Member.id.not_in(reached)).order_by(Member.id)
    )
    return {member.id: member for member in found}


def _one(member: Member, contacts: Sequence[Contact], known: _Known) -> Unmatched:
    ids = [contact.id for contact in contacts]
    every = [known.refused.get(one) for one in ids]
    moments = [known.last[one] for one in ids if one in known.last]
    slugs = dict.fromkeys(slug for one in ids for slug in known.sectors.get(one, ()))
    return Unmatched(
        member_id=member.id,
        member=member.name,
        telephone=member.telephone,
        contacts=[contact.name or contact.address for contact in contacts],
        why=every[0] if every and all(every) else None,
        sectors=list(slugs),
        last_at=max(moments, default=None),
        nearly=sum(known.nearly.get(one, 0) for one in ids),
    )


def _sectors(session: Session, ids: Iterable[int]) -> dict[int, Sequence[str]]:
    rows = session.execute(
        select(Subscription.contact_id, Subscription.sectors).where(
            Subscription.contact_id.in_(list(ids)), Subscription.ended_at.is_(None)
        )
    )
    return dict(rows.all())


def _last(session: Session, ids: Iterable[int]) -> dict[int, datetime]:
    rows = session.execute(
        select(Letter.contact_id, func.max(Letter.settled_at))
        .where(Letter.contact_id.in_(list(ids)), Letter.state == LetterState.ACCEPTED)
        .group_by(Letter.contact_id)
    )
    return {contact: at for contact, at in rows if at is not None}


def _nearly(session: Session, ids: Iterable[int], start: datetime) -> dict[int, int]:
    rows = session.execute(
        select(NearMissed.contact_id, func.count())
        .where(NearMissed.contact_id.in_(list(ids)), NearMissed.at >= start)
        .group_by(NearMissed.contact_id)
    )
    return dict(rows.all())
