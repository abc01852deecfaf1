"""What was written to each contact lately, and which rhythm it left: asked of the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from alerts import periodic, rhythm
from alerts.looked import Reader
from alerts.tables import Edition, Letter, LetterState, Omission, Stream, Why
from base.clock import quebec_day
from subscriptions import wishes
from subscriptions.tables import Frequency, Subscription

#: From the fastest.
SPEED = (Frequency.INSTANT, Frequency.DAILY, Frequency.WEEKLY)
#: Letters of these streams tell all there is, but for what is over the reader's maximum.
_WHOLE = (Stream.DAILY, Stream.WEEKLY, Stream.INSTANT)
#: Looked back at: by then every rhythm has had its turn.
_BACK = timedelta(days=8)


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What was written to one contact lately."""

    #: Letters at once of this day, and of this week from Monday, in Québec.
    today: int = 0
    week: int = 0
    #: The last letter that told what was new.
    last: datetime | None = None
    #: The last one that left something over: at the reader's maximum, or not to be written.
    left_over: datetime | None = None


NOTHING = Written()


def written(session: Session, at: datetime) -> dict[int, Written]:
    """What was written to each contact in the last days; whatever became of it."""
    today, week = periodic.day_of(at).start, periodic.midnight(_monday(at))
    at_once = Edition.frequency == Stream.INSTANT
    full = or_(Letter.notices >= Subscription.most_notices, Letter.state == LetterState.QUARANTINED)
    rows = session.execute(
        select(
            Letter.contact_id,
            func.count(case((and_(at_once, Letter.written_at >= today), Letter.id))),
            func.count(case((and_(at_once, Letter.written_at >= week), Letter.id))),
            func.max(Letter.written_at),
            func.max(case((full, Letter.written_at))),
        )
        .join(Edition, Edition.id == Letter.edition_id)
        .join(
            Subscription,
            and_(Subscription.contact_id == Letter.contact_id, Subscription.ended_at.is_(None)),
        )
        .where(Edition.frequency.in_(_WHOLE), Edition.opened_at > at - _BACK)
        .group_by(Letter.contact_id)
    )
    found: dict[int, Written] = defaultdict(Written)
    for contact_id, of_today, of_week, last, left_over in rows:
        found[contact_id] = Written(today=of_today, week=of_week, last=last, left_over=left_over)
    for contact_id, omitted in _omitted(session, at):
        one = found[contact_id]
        over = max(omitted, one.left_over or omitted)
        found[contact_id] = replace(one, left_over=over)
    return dict(found)


def next_weekly(session: Session, at: datetime) -> datetime | None:
    """When the next weekly letters are due; None while those of this week are to be written."""
    for one in periodic.due(at):
        same = and_(Edition.frequency == one.stream, Edition.label == one.label)
        if one.stream is Stream.WEEKLY and not session.scalar(select(exists().where(same))):
            return None
    return rhythm.next_weekly(at)


def left_faster(session: Session, readers: Iterable[Reader], at: datetime) -> dict[int, datetime]:
    """By contact whose rhythm is slower than it was lately: when it last left a faster one."""
    rows = session.execute(
        select(Subscription.contact_id, Subscription.frequency, Subscription.ended_at)
        .where(Subscription.end_reason == wishes.CHANGED, Subscription.ended_at > at - _BACK)
        .where(Subscription.frequency.in_(SPEED[:-1]))
        .order_by(Subscription.ended_at)
    ).all()
    now = {one.contact_id: one for one in readers} if rows else {}
    return {
        contact_id: ended_at
        for contact_id, frequency, ended_at in rows
        if ended_at is not None
        and contact_id in now
        and SPEED.index(Frequency(frequency)) < SPEED.index(now[contact_id].frequency)
    }


def _omitted(session: Session, at: datetime) -> Iterable[tuple[int, datetime]]:
    """The last time that a letter at once was not written, or a notice left out of a letter."""
    none_written = and_(Edition.frequency == Stream.INSTANT, Omission.letter_id.is_(None))
    rows = session.execute(
        select(Omission.contact_id, func.max(Omission.at))
        .join(Edition, Edition.id == Omission.edition_id)
        .where(Edition.opened_at > at - _BACK)
        .where(or_(none_written, Omission.why == Why.UNWRITABLE))
        .group_by(Omission.contact_id)
    )
    return ((contact_id, moment) for contact_id, moment in rows)


def _monday(at: datetime) -> date:
    day = quebec_day(at)
    return day - timedelta(days=day.weekday())
