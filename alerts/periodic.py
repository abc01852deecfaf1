"""Daily and weekly editions: when they are due, whom they serve, and how late they are.

An edition that was missed is not made up for: the next one's period begins where the last one's
ended, and its letters say since when they are due, and how much closed meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from alerts import ledger, rhythm
from alerts.calls import OpenCalls
from alerts.choosing import everything_new
from alerts.digest import Notice, Period
from alerts.ledger import Heard
from alerts.matching import Wanted
from alerts.streams import Due, Plan, Tick
from alerts.tables import Edition, Stream
from alerts.writing import Batch, Pending
from base.clock import QUEBEC, quebec_day, wall_time
from sources import freshness, tenders
from sources.catalogue import Source
from subscriptions.tables import Contact, Frequency, Member, Subscription

logger = logging.getLogger(__name__)

#: A letter that leaves so long after its hour says so: a restart or an update takes less, and a
#: reader who waits for its letter notices no less.
LATE = timedelta(hours=1)
#: An edition later than this is merged into the next one.
LATEST = {Stream.DAILY: timedelta(hours=18), Stream.WEEKLY: timedelta(days=5)}
#: Whose subscriptions an edition serves.
SERVES = {Stream.DAILY: (Frequency.DAILY,), Stream.WEEKLY: (Frequency.WEEKLY,)}


def due(at: datetime) -> list[Due]:
    """The editions whose hour has come and is not too long past."""
    today = quebec_day(at)
    monday = today - timedelta(days=today.weekday())
    year, week, _ = monday.isocalendar()
    expected = [
        (Stream.DAILY, today.isoformat(), today, timedelta(days=1)),
        (Stream.WEEKLY, f"{year}-W{week:02}", monday, timedelta(days=7)),
    ]
    return [
        Due(stream=stream, label=label, period=_days_before(day, length))
        for stream, label, day, length in expected
        if timedelta(0) <= at - wall_time(day, rhythm.EDITION_HOUR) < LATEST[stream]
    ]


def day_of(at: datetime) -> Period:
    """The day in Québec that `at` is in, whole."""
    return _days_before(quebec_day(at) + timedelta(days=1), timedelta(days=1))


def expected(session: Session, sources: Iterable[Source], at: datetime) -> list[Due]:
    """Those of `due` that may be opened: a weekly one waits for the week's file of `sources`.

    Not for ever: at the latest hour it is opened without, and its letters say so. Each begins
    where the last one ended.
    """
    found = []
    for one in due(at):
        read = True
        if one.stream is Stream.WEEKLY:
            monday = quebec_day(one.period.end)
            read = freshness.week_is_read(session, monday, sources, at)
            if not rhythm.weekly_is_due(at, monday, file_read=read):
                continue
        last = session.scalar(
            select(func.max(Edition.ends_at)).where(Edition.frequency == one.stream)
        )
        start = min(one.period.start, last) if last else one.period.start
        period = Period(start, one.period.end)
        found.append(replace(one, period=period, without_week=not read))
    return found


def plan(tick: Tick, edition: Edition) -> Plan:
    """Everybody whom that edition serves is told all that is new for it, and how late."""
    since, at = _first_due(edition), tick.at
    if at - since <= LATE:
        return Plan(_contacts(edition))
    with tick.database.read() as session:
        over = tenders.closed_between(session, since, at)
    # Matched as they were when the letter was due; what cannot be read was no reader's loss.
    closed = tick.desk.calls(over, at=since)

    def choose(batch: Batch, to: Pending, heard: Heard) -> tuple[Notice, ...]:
        due_at = to.subscription and _was_due(edition, to.subscription)
        if to.subscription and due_at and at - due_at > LATE:
            remarks = batch.remarks[to.contact.id]
            remarks.was_due_at = due_at
            one = to.contact.id
            known = ledger.heard(batch.session, [one], closed.by_cluster).get(one, Heard())
            remarks.closed_meanwhile = _untold(to.subscription, closed, known, due_at)
        return everything_new(batch, to, heard)

    return Plan(_contacts(edition), choose)


def _first_due(edition: Edition) -> datetime:
    """The hour of the first edition that this one stands for: its own, where none was missed."""
    weekly = edition.frequency == Stream.WEEKLY
    day = quebec_day(edition.starts_at) + timedelta(days=7 if weekly else 1)
    # A weekly letter may wait for the week's file until then.
    return wall_time(day, rhythm.LATEST_HOUR if weekly else rhythm.EDITION_HOUR)


def _was_due(edition: Edition, subscription: Subscription) -> datetime:
    """The first of those hours at which that subscription was to have a letter."""
    first = _first_due(edition)
    if subscription.started_at < first and edition.frequency == Stream.WEEKLY:
        return first
    since = max(first - timedelta(seconds=1), subscription.started_at)
    if edition.frequency == Stream.WEEKLY:
        return rhythm.next_weekly(since)
    days = [day for day in range(7) if subscription.weekdays & 1 << day]
    return rhythm.next_daily(since, days)


def _untold(subscription: Subscription, closed: OpenCalls, heard: Heard, since: datetime) -> int:
    """How many of those calls, closed since then, were for that subscription and not told."""
    try:
        found = closed.shelf.matching(Wanted.of(subscription))
    except Exception:
        # It is only a count: what is open is told all the same, or says what is wrong.
        logger.exception("not counted", extra={"contact": subscription.contact_id})
        return 0
    known = heard.settled | heard.uncertain
    return sum(
        key not in known
        and (closes_at := closed.by_cluster[key].closes_at) is not None
        and closes_at > since
        for key in found
    )


def _contacts(edition: Edition) -> Select[Contact, Member]:
    """The live contacts whose present, or else last, subscription that edition serves.

    A daily one does not concern who chose other days.
    """
    chosen = (
        select(Contact, Member)
        .join(Member, Member.id == Contact.member_id)
        .where(Contact.ended_at.is_(None), _frequency().in_(SERVES[Stream(edition.frequency)]))
    )
    if edition.frequency != Stream.DAILY:
        return chosen
    today = 1 << quebec_day(edition.ends_at).weekday()
    return chosen.where(
        ~exists()
        .where(Subscription.contact_id == Contact.id, Subscription.ended_at.is_(None))
        .where(Subscription.weekdays.bitwise_and(today) == 0)
        .correlate(Contact)
    )


def _frequency() -> ColumnElement[str]:
    last = (
        select(Subscription.frequency)
        .where(Subscription.contact_id == Contact.id)
        .order_by(Subscription.ended_at.is_not(None), Subscription.id.desc())
        .limit(1)
        .correlate(Contact)
        .scalar_subquery()
    )
    return func.coalesce(last, Frequency.WEEKLY)


def _days_before(day: date, length: timedelta) -> Period:
    """[midnight `length` before, midnight of `day`), in Québec."""
    return Period(midnight(day - length), midnight(day))


def midnight(day: date) -> datetime:
    """The beginning of that day in Québec."""
    return datetime.combine(day, time(0), QUEBEC)
