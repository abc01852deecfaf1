"""The clock. Only entry points call `utc_now`; everything below takes `at` as an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

#: Wall time of the notices' deadlines and of the letters' hours.
QUEBEC = ZoneInfo("America/Toronto")


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def quebec_day(at: datetime) -> date:
    """The calendar day it is in Québec at `at`: 03:00 UTC on the 24th is still the 23rd."""
    return at.astimezone(QUEBEC).date()


def wall_time(day: date, hour: int, minute: int = 0) -> datetime:
    """The moment, in UTC, of a wall-clock time in Québec.

    Asked only for hours from 05:00 to 21:00, which exist exactly once on every day.
    """
    return datetime.combine(day, time(hour, minute), QUEBEC).astimezone(UTC)
