"""Periods as a reader names them."""

from __future__ import annotations

from datetime import date

import pytest

from base.clock import wall_time
from base.french import period


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (date(2026, 9, 14), date(2026, 9, 21), "Semaine du 14 au 20⍽septembre 2026"),
        (date(2026, 9, 28), date(2026, 10, 5), "Semaine du 28⍽septembre au 4⍽octobre 2026"),
        (date(2026, 9, 14), date(2026, 9, 15), "Lundi 14⍽septembre 2026"),
        (date(2026, 10, 30), date(2026, 11, 2), "Du 30⍽octobre au 1er⍽novembre 2026"),
    ],
)
def test_a_period_is_named_by_its_quebec_days(start: date, end: date, said: str) -> None:
    assert period(wall_time(start, 0), wall_time(end, 0)) == said.replace("⍽", "\u00a0")
