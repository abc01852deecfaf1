"""Rhythms: right through both changes of clock, no letter at night, nothing left too late."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import rhythm
from base.clock import QUEBEC, quebec_day


def _q(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=QUEBEC).astimezone(UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        (_q(2026, 9, 21, 19, 59), False),
        (_q(2026, 9, 21, 20), True),
        (_q(2026, 9, 22, 0), True),
        (_q(2026, 9, 22, 6, 29), True),
        (_q(2026, 9, 22, 6, 30), False),
        (_q(2026, 11, 1, 1, 30), True),
        (_q(2027, 3, 14, 3), True),
    ],
)
def test_the_night_is_from_eight_to_half_past_six(at: datetime, quiet: bool) -> None:
    assert rhythm.is_quiet(at) is quiet


@pytest.mark.parametrize(
    ("opened", "closes", "letters", "leaves"),
    [
        pytest.param(_q(2026, 9, 21, 9), None, 0, _q(2026, 9, 21, 9, 10), id="by day"),
        pytest.param(_q(2026, 9, 21, 19, 55), None, 0, _q(2026, 9, 22, 6, 30), id="evening"),
        pytest.param(_q(2026, 9, 22, 3), None, 0, _q(2026, 9, 22, 6, 30), id="night"),
        pytest.param(
            _q(2026, 9, 22, 3), _q(2026, 9, 22, 14), 3, _q(2026, 9, 22, 3, 10), id="urgent"
        ),
        pytest.param(
            _q(2026, 9, 22, 3), _q(2026, 9, 23, 14), 0, _q(2026, 9, 22, 6, 30), id="not urgent"
        ),
        pytest.param(_q(2026, 9, 21, 9), None, 2, _q(2026, 9, 21, 9, 10), id="the third"),
        pytest.param(_q(2026, 9, 21, 9), None, 3, _q(2026, 9, 22, 6, 30), id="the fourth"),
        pytest.param(_q(2026, 10, 31, 22), None, 0, _q(2026, 11, 1, 6, 30), id="autumn change"),
        pytest.param(_q(2027, 3, 13, 22), None, 0, _q(2027, 3, 14, 6, 30), id="spring change"),
    ],
)
def test_a_group_leaves_at_the_first_moment_allowed(
    opened: datetime, closes: datetime | None, letters: int, leaves: datetime
) -> None:
    assert rhythm.leaves_at(opened, closes_at=closes, letters_today=letters) == leaves


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001, made aware
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(MOMENTS, st.integers(0, 9))
def test_nothing_that_can_wait_leaves_at_night_or_waits_over_a_day(
    opened: datetime, letters: int
) -> None:
    leaves = rhythm.leaves_at(opened, closes_at=None, letters_today=letters)
    assert not rhythm.is_quiet(leaves)
    assert rhythm.GROUPED <= leaves - opened <= timedelta(hours=36)


@given(MOMENTS, st.integers(0, 4), st.none() | st.integers(0, 100))
def test_who_ticks_every_minute_lets_a_group_leave_when_it_is_due(
    opened: datetime, letters: int, hours: int | None
) -> None:
    """`may_leave` asks of a moment what `leaves_at` says beforehand; letters are of that day."""
    closes = None if hours is None else opened + timedelta(hours=hours)
    leaves = rhythm.leaves_at(opened, closes_at=closes, letters_today=letters)
    told = letters if quebec_day(leaves) == quebec_day(opened) else 0

    def may(at: datetime, written: int) -> bool:
        return rhythm.may_leave(at, opened_at=opened, closes_at=closes, letters_today=written)

    assert may(leaves, told)
    assert not may(leaves - timedelta(seconds=1), told)


@given(MOMENTS, st.integers(0, 200), st.integers(0, 20), st.none() | st.integers(0, 400))
def test_however_late_nothing_leaves_at_night_or_beyond_the_maximum(
    opened: datetime, late: int, letters: int, hours: int | None
) -> None:
    at = opened + timedelta(hours=late)
    closes = None if hours is None else opened + timedelta(hours=hours)
    if rhythm.may_leave(at, opened_at=opened, closes_at=closes, letters_today=letters):
        assert at >= opened + rhythm.GROUPED
        urgent = closes is not None and closes <= opened + rhythm.GROUPED + rhythm.URGENT
        assert urgent or (not rhythm.is_quiet(at) and letters < rhythm.MOST_A_DAY)
        assert letters < rhythm.MOST_URGENT


@given(MOMENTS)
def test_a_week_has_one_weekly_edition_and_each_chosen_weekday_one_daily(at: datetime) -> None:
    monday = rhythm.next_weekly(at)
    assert monday.astimezone(QUEBEC).timetuple()[3:7] == (6, 0, 0, 0)
    again = rhythm.next_weekly(monday)
    assert quebec_day(again) - quebec_day(monday) == timedelta(days=7)
    daily = rhythm.next_daily(at, {1, 3})
    assert daily > at
    assert quebec_day(daily).weekday() in {1, 3}


def test_the_hours_of_two_years_of_weekly_editions_are_all_six() -> None:
    at, seen = _q(2026, 1, 1, 0), []
    while at < _q(2028, 1, 1, 0):
        at = rhythm.next_weekly(at)
        seen.append(at)
    days = [quebec_day(one) for one in seen]
    assert {(b - a).days for a, b in itertools.pairwise(days)} == {7}
    apart = {b - a for a, b in itertools.pairwise(seen)}
    assert apart == {timedelta(hours=hours) for hours in (167, 168, 169)}


@pytest.mark.parametrize(
    ("at", "file_read", "due"),
    [
        (_q(2026, 9, 21, 5, 59), True, False),
        (_q(2026, 9, 21, 6), True, True),
        (_q(2026, 9, 21, 6), False, False),
        (_q(2026, 9, 21, 7, 59), False, False),
        (_q(2026, 9, 21, 8), False, True),
    ],
)
def test_a_weekly_edition_waits_for_the_file_and_no_longer_than_eight(
    at: datetime, file_read: bool, due: bool
) -> None:
    assert rhythm.weekly_is_due(at, date(2026, 9, 21), file_read=file_read) is due


@pytest.mark.parametrize(
    ("closes", "promoted"),
    [
        pytest.param(_q(2026, 10, 3, 11), True, id="five days left on Monday"),
        pytest.param(_q(2026, 10, 4, 11), False, id="six days left on Monday"),
        pytest.param(_q(2026, 9, 22, 8), False, id="closed"),
        pytest.param(None, False, id="no date"),
    ],
)
def test_what_the_next_letter_would_bring_too_late_leaves_now(
    closes: datetime | None, promoted: bool
) -> None:
    at = _q(2026, 9, 22, 9)
    assert rhythm.is_promoted(closes, at, rhythm.next_weekly(at)) is promoted
