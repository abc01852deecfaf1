"""Working days in Québec: Monday to Friday but for the holidays of the province."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from base.clock import quebec_day


def working_day(day: date) -> bool:
    """Whether offices of Québec are open on that day."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def elapsed(since: datetime, at: datetime) -> int:
    """The working days after that of `since`, that of `at` included; 0 where none, or reversed."""
    first, last = quebec_day(since), quebec_day(at)
    days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    return sum(map(working_day, days))


@lru_cache(maxsize=8)
def _holidays(year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415, a tenth of a second that only a source's lateness needs

    return frozenset(holidays.country_holidays("CA", subdiv="QC", years=year))
