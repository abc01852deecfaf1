"""Useful days left: what notices left their readers, from the relay's acceptance to the closing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median, quantiles

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from alerts.rhythm import USEFUL_DAYS
from alerts.tables import Edition, Kind, Letter, Told, ToldState
from subscriptions.tables import Subscription


@dataclass(frozen=True, kw_only=True, slots=True)
class Delays:
    """The days left of some notices."""

    notices: int
    #: Those among them without a closing moment, which no figure below counts.
    without_closing: int
    #: None of the three where no notice has a closing moment.
    median: float | None
    #: The nine values between the tenths; the first: nine in ten had so many days or more.
    deciles: tuple[float, ...]
    #: Of those with fewer than rhythm.USEFUL_DAYS, from 0 to 1.
    too_late: float | None
    #: How many left each number of days.
    by_days: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Report:
    """The days left of all notices, and of each stream's and frequency's."""

    all: Delays
    #: By Stream.
    by_stream: dict[str, Delays]
    #: By the Frequency that the reader had asked for when its letter was written.
    by_frequency: dict[str, Delays]


def report(session: Session, since: datetime | None, until: datetime | None) -> Report:
    """The notices told as new in letters that were accepted in [since, until); None: any."""
    rows = session.execute(_counted(since, until))
    every: Counter[int | None] = Counter()
    streams: dict[str, Counter[int | None]] = {}
    frequencies: dict[str, Counter[int | None]] = {}
    for stream, frequency, days_left, notices in rows:
        every[days_left] += notices
        streams.setdefault(stream or "", Counter())[days_left] += notices
        frequencies.setdefault(frequency or "", Counter())[days_left] += notices
    return Report(
        _delays(every),
        {name: _delays(counted) for name, counted in sorted(streams.items())},
        {name: _delays(counted) for name, counted in sorted(frequencies.items())},
    )


def _counted(since: datetime | None, until: datetime | None) -> Select[str, str, int | None, int]:
    asked = _asked()
    chosen = [Told.kind == Kind.NEW, Told.state == ToldState.CONFIRMED]
    if since is not None:
        chosen.append(Letter.settled_at >= since)
    if until is not None:
        chosen.append(Letter.settled_at < until)
    return (
        select(Edition.frequency, Subscription.frequency, Told.days_left, func.count())
        .select_from(Told)
        .join(Letter, Letter.id == Told.letter_id)
        .join(Edition, Edition.id == Letter.edition_id, isouter=True)
        .join(Subscription, asked, isouter=True)
        .where(*chosen)
        .group_by(Edition.frequency, Subscription.frequency, Told.days_left)
    )


def _asked() -> ColumnElement[bool]:
    """The subscription that was live when the letter was written."""
    return and_(
        Subscription.contact_id == Letter.contact_id,
        Subscription.started_at <= Letter.written_at,
        or_(Subscription.ended_at.is_(None), Subscription.ended_at > Letter.written_at),
    )


def _delays(counted: Counter[int | None]) -> Delays:
    without = counted[None]
    by_days = dict(sorted((day, n) for day, n in counted.items() if day is not None))
    days = list(Counter(by_days).elements())
    too_late = sum(number for day, number in by_days.items() if day < USEFUL_DAYS)
    return Delays(
        notices=len(days) + without,
        without_closing=without,
        median=median(days) if days else None,
        deciles=_deciles(days),
        too_late=too_late / len(days) if days else None,
        by_days=by_days,
    )


def _deciles(days: list[int]) -> tuple[float, ...]:
    if len(days) == 1:
        return (float(days[0]),) * 9
    return tuple(quantiles(days, n=10, method="inclusive")) if days else ()
