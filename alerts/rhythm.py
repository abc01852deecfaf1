"""When what is new may leave, by the rhythm that its reader chose: pure, in Québec wall time.

A group of notices opens with the first of them and leaves in one letter at the first moment that
its rhythm allows. Nothing is lost by waiting: whatever came meanwhile leaves in the same letter.

    at once    10 minutes after the first, at most 3 letters a day, none from 20:00 to 06:30
    daily      at 06:00 on the weekdays that the reader chose
    weekly     on Monday once the week's file has been read, from 06:00 and by 08:00 at the latest

A notice that the next letter would bring with fewer than 6 days left leaves at once, at most twice
a week; one that closes within 24 hours does not wait for the morning.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from base.clock import QUEBEC, quebec_day, wall_time
from base.french import days_left

#: The hour of editions, one that every day has exactly once.
EDITION_HOUR = 6
#: The hour at which a weekly edition leaves without the week's file.
LATEST_HOUR = 8
MONDAY = 0
#: Monday to Friday, where a reader chose no weekdays.
WEEKDAYS = frozenset(range(5))

#: How long a group waits for more notices.
GROUPED = timedelta(minutes=10)
MOST_A_DAY = 3
#: What cannot wait is beyond that, but no more than this, whatever goes wrong.
MOST_URGENT = 10
#: Letters a week outside a reader's rhythm.
MOST_PROMOTED = 2
#: What closes within this does not wait for the morning.
URGENT = timedelta(hours=24)
#: Days left at the next letter under which a notice leaves now.
USEFUL_DAYS = 6
_NIGHT_BEGINS, _NIGHT_ENDS = time(20), time(6, 30)


@lru_cache(maxsize=10_000)
def is_quiet(at: datetime) -> bool:
    """Whether it is night in Québec: from 20:00 to 06:30."""
    wall = at.astimezone(QUEBEC).time()
    return wall >= _NIGHT_BEGINS or wall < _NIGHT_ENDS


def morning(at: datetime) -> datetime:
    """The end of the night that `at` is in; `at` itself by day."""
    if not is_quiet(at):
        return at
    day = quebec_day(at)
    if at.astimezone(QUEBEC).time() >= _NIGHT_BEGINS:
        day += timedelta(days=1)
    return wall_time(day, _NIGHT_ENDS.hour, _NIGHT_ENDS.minute)


def leaves_at(opened_at: datetime, *, closes_at: datetime | None, letters_today: int) -> datetime:
    """When a group that opened then leaves at once.

    `closes_at` is the nearest closing in the group; `letters_today` counts the reader's letters
    at once of that day in Québec. The surplus of a day leaves in one letter the next morning.
    """
    ready = opened_at + GROUPED
    if is_urgent(opened_at, closes_at):
        return ready
    if letters_today >= MOST_A_DAY:
        ready = max(ready, next_morning(opened_at))
    return morning(ready)


def may_leave(
    at: datetime, *, opened_at: datetime, closes_at: datetime | None, letters_today: int
) -> bool:
    """Whether what opened then may leave at `at`, however late that is.

    `letters_today` counts the reader's letters at once of the day that `at` is in. As `leaves_at`
    where nobody was late; who comes late, in the night say, waits for the morning all the same.
    """
    if at < leaves_at(opened_at, closes_at=closes_at, letters_today=0):
        return False
    if is_urgent(opened_at, closes_at):
        return letters_today < MOST_URGENT
    return letters_today < MOST_A_DAY and not is_quiet(at)


def is_urgent(opened_at: datetime, closes_at: datetime | None) -> bool:
    """Whether what opened then closes too soon to wait for a morning."""
    return closes_at is not None and closes_at <= opened_at + GROUPED + URGENT


def next_morning(at: datetime) -> datetime:
    """The end of the night after the day that `at` is in."""
    day = quebec_day(at) + timedelta(days=1)
    return wall_time(day, _NIGHT_ENDS.hour, _NIGHT_ENDS.minute)


def next_daily(at: datetime, weekdays: Collection[int] = WEEKDAYS) -> datetime:
    """The first moment after `at` at which a daily letter is due; weekdays from Monday, 0."""
    days = weekdays or WEEKDAYS
    day = quebec_day(at)
    while (due := wall_time(day, EDITION_HOUR)) <= at or day.weekday() not in days:
        day += timedelta(days=1)
    return due


def next_weekly(at: datetime) -> datetime:
    """The first Monday 06:00 after `at`."""
    return next_daily(at, {MONDAY})


def weekly_is_due(at: datetime, monday: date, *, file_read: bool) -> bool:
    """Whether the edition of that Monday may be opened: with the week's file, or at the latest."""
    hour = EDITION_HOUR if file_read else LATEST_HOUR
    return at >= wall_time(monday, hour)


def is_promoted(closes_at: datetime | None, at: datetime, next_letter_at: datetime) -> bool:
    """Whether a notice cannot wait for the next letter; one that is closed has nothing to gain."""
    if closes_at is None or closes_at <= at:
        return False
    return days_left(closes_at, next_letter_at) < USEFUL_DAYS
