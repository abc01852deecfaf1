"""A letter is worth sending for three days, or until the last of what it tells has closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.digest import Digest, Notice, Period
from alerts.freezing import WORTH_SENDING, worth_until
from alerts.poison import _HARMLESS
from tests.coop import AT

HOURS = int(WORTH_SENDING.total_seconds() // 3600)


def _notice(number: int, hours: int | None) -> Notice:
    closes_at = None if hours is None else AT + timedelta(hours=hours)
    return replace(_HARMLESS, revision_id=number, closes_at=closes_at)


@pytest.mark.parametrize(
    ("closing", "worth"),
    [
        pytest.param([5], 5, id="one"),
        pytest.param([5, 9], 9, id="the later"),
        pytest.param([9, 5], 9, id="in any order"),
        pytest.param([HOURS + 1, 5], HOURS, id="no longer than three days"),
        pytest.param([5, HOURS + 1], HOURS, id="nor in any order"),
        pytest.param([None], HOURS, id="unknown"),
        pytest.param([5, None], HOURS, id="one unknown"),
        pytest.param([None, 5], HOURS, id="the first unknown"),
    ],
)
def test_until_when_a_letter_is_worth_sending(closing: list[int | None], worth: int) -> None:
    digest = Digest(
        contact_name="",
        member_name="",
        stream="weekly",
        period=Period(AT - timedelta(days=7), AT),
        notices=tuple(_notice(number, hours) for number, hours in enumerate(closing)),
        sectors=(),
    )
    assert worth_until(digest, AT) == AT + timedelta(hours=worth)
