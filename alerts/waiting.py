"""When the letter is due that will tell a contact of a call: from recorded facts, pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts import rhythm
from alerts.known import Asked, Known, Turn
from alerts.tables import Stream
from base.clock import quebec_day, wall_time
from subscriptions.tables import Frequency


class Because(StrEnum):
    """Why a call waits until then."""

    RHYTHM = "rhythm"  #: the next letter of the rhythm that was asked for
    GROUPED = "grouped"  #: minutes, for what else comes
    MORNING = "morning"  #: the end of the night, or of a day with as many letters as may be
    PROMOTED = "promoted"  #: it leaves before Monday, which would bring it too late
    PROMOTED_ENOUGH = "promoted enough"  #: it would, had not as many left before this week


@dataclass(frozen=True, slots=True)
class Waits:
    """When the letter is due, and why then."""

    until: datetime
    because: Because


def waits(known: Known, asked: Asked, at: datetime) -> Waits:
    """When a letter may tell of that call, which is open, matches and was not told, at `at`."""
    closes_at = known.versions[-1].closes_at
    if asked.frequency is Frequency.INSTANT:
        return _at_once(known, asked, at)
    if asked.frequency is Frequency.DAILY:
        days = [day for day in range(7) if asked.weekdays & 1 << day]
        return Waits(rhythm.next_daily(at, days), Because.RHYTHM)
    monday = quebec_day(at) - timedelta(days=quebec_day(at).weekday())
    if _is_awaited(known, at):
        return Waits(wall_time(monday, rhythm.LATEST_HOUR), Because.RHYTHM)
    weekly = rhythm.next_weekly(at)
    if not rhythm.is_promoted(closes_at, at, weekly):
        return Waits(weekly, Because.RHYTHM)
    this_week = [one for one in _letters(known) if quebec_day(one.at) >= monday]
    if len(this_week) >= rhythm.MOST_PROMOTED:
        return Waits(weekly, Because.PROMOTED_ENOUGH)
    return Waits(_at_once(known, asked, at).until, Because.PROMOTED)


def _at_once(known: Known, asked: Asked, at: datetime) -> Waits:
    last = known.versions[-1]
    opened_at = max(last.since, asked.since)
    today = [one for one in _letters(known) if quebec_day(one.at) == quebec_day(at)]
    until = rhythm.leaves_at(opened_at, closes_at=last.closes_at, letters_today=len(today))
    if until <= at and not rhythm.is_urgent(opened_at, last.closes_at):
        # Left over by a letter, or given back: with the next one, in the morning at the latest.
        until = rhythm.morning(at) if rhythm.is_quiet(at) else rhythm.next_morning(at)
    grouped = until == opened_at + rhythm.GROUPED
    return Waits(max(until, at), Because.GROUPED if grouped else Because.MORNING)


def _is_awaited(known: Known, at: datetime) -> bool:
    """Whether it is Monday between the hours, and this week's edition has not come yet."""
    day = quebec_day(at)
    begin, end = (wall_time(day, hour) for hour in (rhythm.EDITION_HOUR, rhythm.LATEST_HOUR))
    if day.weekday() != rhythm.MONDAY or not begin <= at < end:
        return False
    return not any(one.stream is Stream.WEEKLY and one.at >= begin for one in known.turns)


def _letters(known: Known) -> list[Turn]:
    """The letters at once that were written."""
    return [one for one in known.turns if one.stream is Stream.INSTANT and one.letter]
