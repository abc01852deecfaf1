"""The letter that a membership ends soon: how to renew, and no notice.

It leaves while the membership still holds, by the guards of all letters: after the end nobody
is mailed, not even to say so (docs/decisions/0013-nobody-is-mailed-after-the-end.md). An end that
is recorded when it is past, or today, makes no letter: staff telephone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from alerts import rhythm
from alerts.digest import Notice
from alerts.entitlement import contacts_refused
from alerts.ledger import Heard
from alerts.note import Noted
from alerts.streams import Plan, Tick, dealt_with, live_contacts
from alerts.tables import Edition, Stream
from alerts.writing import Batch, Pending
from subscriptions.tables import Contact, Membership

#: Made once: an alias works its columns out anew, and who lapses is asked each minute.
_NOW, _NEXT = aliased(Membership), aliased(Membership)
#: How long before the end it leaves.
BEFORE = timedelta(days=14)
#: For so long one letter about an end is enough, though the end was moved meanwhile.
ENOUGH = timedelta(days=60)


def is_called(tick: Tick) -> bool:
    """Whether somebody's membership ends soon, and nothing was said of it."""
    return bool(_due(tick))


def plan(tick: Tick, edition: Edition) -> Plan:  # noqa: ARG001, as every stream's
    """The contacts of members whose membership ends soon."""
    everybody = live_contacts()
    due = everybody.where(Contact.id.in_(_due(tick)))
    return Plan(due, choose=nothing, note=_word, again=everybody)


def nothing(batch: Batch, to: Pending, heard: Heard) -> tuple[Notice, ...]:  # noqa: ARG001, a Choose
    """No notice, whatever is open."""
    return ()


def _word(batch: Batch, to: Pending) -> Noted | None:
    ends_at = batch.session.scalar(_ending(batch.at).where(Contact.id == to.contact.id))
    return Noted(Stream.LAPSE, {"last_day": ends_at - timedelta(seconds=1)}) if ends_at else None


def _due(tick: Tick) -> Sequence[int]:
    if rhythm.is_quiet(tick.at):
        return ()
    with tick.database.read() as session:
        ids = _asked(session, tick.at)
        refused = contacts_refused(session, ids, at=tick.at)
    return [contact_id for contact_id in ids if contact_id not in refused]


def _asked(session: Session, at: datetime) -> list[int]:
    ending = _ending(at).subquery()
    done = dealt_with(Stream.LAPSE, since=at - ENOUGH)
    found = session.scalars(
        select(Contact.id)
        .where(Contact.id.in_(select(ending.c.contact_id)), ~done)
        .order_by(Contact.id)
    )
    return list(found)


def _ending(at: datetime) -> Select[datetime | None, int]:
    """When the membership of each contact ends, where that is soon and no other follows."""
    renewed = (
        exists()
        .where(_NEXT.member_id == _NOW.member_id, _NEXT.superseded_at.is_(None))
        .where(_NEXT.id != _NOW.id, _NEXT.starts_at <= _NOW.ends_at)
        .where(or_(_NEXT.ends_at.is_(None), _NEXT.ends_at > _NOW.ends_at))
        .correlate(_NOW)
    )
    return (
        select(func.max(_NOW.ends_at).label("ends_at"), Contact.id.label("contact_id"))
        .join(_NOW, _NOW.member_id == Contact.member_id)
        .where(Contact.ended_at.is_(None), _NOW.superseded_at.is_(None))
        .where(_NOW.starts_at <= at, _NOW.ends_at > at, _NOW.ends_at <= at + BEFORE)
        # One that is recorded for a few days only says itself when it ends.
        .where(_NOW.recorded_at <= at - rhythm.GROUPED, ~renewed)
        .group_by(Contact.id)
    )
