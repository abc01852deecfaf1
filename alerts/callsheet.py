"""Whom staff should telephone because an address is dead, and what that enterprise missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from alerts.lost import LOST
from alerts.tables import Kind, Omission, Told, ToldState, Why
from sources.tables import Revision
from subscriptions.members import active_membership
from subscriptions.tables import Contact, Member, Suppression


@dataclass(frozen=True, slots=True)
class Missed:
    """A notice, still open, that was in a letter which did not arrive."""

    title: str
    buyer: str
    closes_at: datetime | None
    uri: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """An enterprise to telephone: one of its addresses is dead."""

    member: str
    telephone: str
    contact_id: int
    contact: str
    address: str
    since: datetime
    #: "bounce 5.1.1".
    reason: str
    #: Editions that were not written since.
    editions: int
    missed: tuple[Missed, ...]


def to_call(session: Session, *, at: datetime) -> list[Call]:
    """The active members with a dead address, the longest lost first, and what they missed."""
    rows = session.execute(
        select(Suppression, Contact, Member)
        .join(Contact, and_(Contact.address == Suppression.address, Contact.ended_at.is_(None)))
        .join(Member, Member.id == Contact.member_id)
        .where(Suppression.lifted_at.is_(None), Suppression.reason.startswith(LOST))
        .order_by(Suppression.set_at.desc(), Suppression.id.desc())
    ).all()
    # The oldest suppression of a contact wins: it comes last.
    lost = {contact.id: (suppression, contact, member) for suppression, contact, member in rows}
    calls = [
        _call(session, suppression, contact, member, at)
        for suppression, contact, member in lost.values()
        if active_membership(session, member.id, at) is not None
    ]
    return sorted(calls, key=lambda call: (call.since, call.contact_id))


def _call(
    session: Session, suppression: Suppression, contact: Contact, member: Member, at: datetime
) -> Call:
    return Call(
        member=member.name,
        telephone=member.telephone,
        contact_id=contact.id,
        contact=contact.name,
        address=contact.address,
        since=suppression.set_at,
        reason=suppression.reason,
        editions=_omitted(session, contact.id, suppression.set_at),
        missed=_missed(session, contact.id, at),
    )


def _omitted(session: Session, contact_id: int, since: datetime) -> int:
    counted = select(func.count()).select_from(Omission)
    why = Omission.why == Why.SUPPRESSED
    ours = (Omission.contact_id == contact_id, why, Omission.at >= since)
    return session.scalar(counted.where(*ours)) or 0


def _missed(session: Session, contact_id: int, at: datetime) -> tuple[Missed, ...]:
    rows = session.execute(
        select(Revision.id, Revision.title, Revision.buyer, Revision.closes_at, Revision.uri)
        .join(Told, Told.revision_id == Revision.id)
        .where(Told.contact_id == contact_id, Told.state == ToldState.RELEASED)
        .where(Told.kind != Kind.CANCELLATION)
        .where(or_(Revision.closes_at.is_(None), Revision.closes_at > at))
        .order_by(Revision.closes_at, Revision.id)
    )
    # Once, though the notice and a reminder of it were both missed.
    missed = {
        revision_id: Missed(title, buyer, closes_at, uri)
        for revision_id, title, buyer, closes_at, uri in rows
    }
    return tuple(missed.values())
