"""Daily and weekly editions: when they are due, and whom they serve."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select

from alerts.digest import Period
from alerts.streams import Due, Plan, Tick
from alerts.tables import Edition, Stream
from base.clock import QUEBEC, quebec_day, wall_time
from subscriptions.tables import Contact, Frequency, Member, Subscription

#: When an edition is due, in Québec: an hour that every day has exactly once.
DUE_HOUR = 6
#: An edition later than this is merged into the next one.
LATEST = {Stream.DAILY: timedelta(hours=18), Stream.WEEKLY: timedelta(days=5)}
#: Whose subscriptions an edition serves; what was asked for at once comes daily at the latest.
SERVES = {
    Stream.DAILY: (Frequency.DAILY, Frequency.INSTANT),
    Stream.WEEKLY: (Frequency.WEEKLY,),
}


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
        if timedelta(0) <= at - wall_time(day, DUE_HOUR) < LATEST[stream]
    ]


def day_of(at: datetime) -> Period:
    """The day in Québec that `at` is in, whole."""
    return _days_before(quebec_day(at) + timedelta(days=1), timedelta(days=1))


def plan(tick: Tick, edition: Edition) -> Plan:  # noqa: ARG001, as every stream's
    """Everybody whom that edition serves is told all that is new for it."""
    return Plan(_contacts(edition))


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
    return Period(_midnight(day - length), _midnight(day))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), QUEBEC)
