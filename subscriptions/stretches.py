"""Membership as stretches of time, and what a roster's line makes of them (pure).

A roster speaks in days: `début` is the first day of a membership, `fin` its last. A stretch
is half-open, [midnight of the first day, midnight after the last day), in Québec. What is
known is never deleted: a stretch is closed, corrected or followed by another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from base.clock import QUEBEC, quebec_day


@dataclass(frozen=True, slots=True)
class Stretch:
    """[starts_at, ends_at); `id` is None while it is no row yet."""

    id: int | None
    starts_at: datetime
    ends_at: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether the membership is active at that moment."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a roster says of a membership; `ends_on` is the last day, included."""

    active: bool
    starts_on: date | None
    ends_on: date | None


def midnight(day: date) -> datetime:
    """The moment, in UTC, at which a day begins in Québec (no change of hour falls there)."""
    return datetime.combine(day, time(0), QUEBEC).astimezone(UTC)


def last_day(ends_at: datetime) -> date:
    """The last day of a stretch that ends then: the day before where it ends at midnight."""
    return quebec_day(ends_at - timedelta(microseconds=1))


def redrawn(known: Sequence[Stretch], declared: Declared, at: datetime) -> tuple[Stretch, ...]:
    """The stretches as they are to be, in order; equal to `known` where nothing changes.

    The same declaration a second time changes nothing, whatever the hour.
    """
    start = midnight(declared.starts_on) if declared.starts_on else None
    end = midnight(declared.ends_on + timedelta(days=1)) if declared.ends_on else None
    ordered = sorted(known, key=lambda s: s.starts_at)
    corrected = _started(ordered, start)
    if declared.active:
        return _open(corrected, start, end, at)
    return _closed(corrected, start, end, at)


def _started(known: list[Stretch], start: datetime | None) -> list[Stretch]:
    """`known` with a stretch that begins at `start`, if one was still running then."""
    if start is None or any(s.starts_at == start for s in known):
        return known
    for place, stretch in enumerate(known):
        if stretch.ends_at is None or stretch.ends_at > start:
            return [*known[:place], replace(stretch, starts_at=start), *known[place + 1 :]]
    return known


def _open(
    known: list[Stretch], start: datetime | None, end: datetime | None, at: datetime
) -> tuple[Stretch, ...]:
    today = midnight(quebec_day(at))
    if not known:
        begins = start or today
        return () if end and end <= begins else (Stretch(None, begins, end),)
    *earlier, last = known
    ended = last.ends_at is not None and last.ends_at <= at
    if ended and (end is None or end > at):
        return (*known, _returned(last, start or today, today, end))
    if end is not None and end <= last.starts_at:
        # An end before the latest beginning is an old one: it closes, and rewrites nothing.
        return tuple(known) if ended else (*earlier, _ending(last, at))
    return (*earlier, replace(last, ends_at=end))


def _returned(last: Stretch, start: datetime, today: datetime, end: datetime | None) -> Stretch:
    """A new stretch: from `start` if that is after the last one, else from today."""
    over = last.ends_at or last.starts_at
    begins = start if start >= over else max(today, over)
    return Stretch(None, begins, end)


def _closed(
    known: list[Stretch], start: datetime | None, end: datetime | None, at: datetime
) -> tuple[Stretch, ...]:
    """Ended at the declared end, but never later than now: the standing already says so."""
    closing = min(end or at, at)
    if not known:
        return (Stretch(None, start, closing),) if start and start < closing else ()
    *earlier, last = known
    if closing <= last.starts_at:
        closing = at
    if last.ends_at is not None and last.ends_at <= closing:
        return tuple(known)
    return (*earlier, _ending(last, closing))


def _ending(stretch: Stretch, moment: datetime) -> Stretch:
    return replace(stretch, ends_at=max(moment, stretch.starts_at))
