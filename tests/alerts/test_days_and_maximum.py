"""Daily letters on the days that were chosen, and no longer than was asked."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select, update

from alerts import editions
from alerts.tables import Letter, Omission, Told
from base.database import Database
from subscriptions.tables import Frequency
from tests.coop import AT, entitled, tender
from tests.webpages import desk

#: AT is a Monday: bit 0.
MONDAY, TUESDAY = 0b1, 0b10


def _write(database: Database, days: int = 0) -> list[str]:
    """Write the editions due so many days later; who has a letter."""
    at = AT + timedelta(days=days)
    with database.write() as session:
        editions.open_due(session, at)
    editions.write_open(database, desk(), at=at)
    with database.read() as session:
        return sorted(session.scalars(select(Letter.address).where(Letter.written_at == at)))


def _text(letter: Letter) -> str:
    parsed = email.message_from_bytes(
        letter.content or b"", EmailMessage, policy=email.policy.default
    )
    body = parsed.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def test_a_daily_letter_is_written_on_the_chosen_days_only(database: Database) -> None:
    with database.write() as session:
        tender(session)
        entitled(session, "lundi", frequency="daily", weekdays=MONDAY)
        entitled(session, "mardi", frequency="daily", weekdays=TUESDAY)
        entitled(session, "semaine", frequency="weekly", weekdays=TUESDAY)
    assert _write(database) == ["lundi@exemple.quebec", "semaine@exemple.quebec"]
    with database.read() as session:
        assert session.scalars(select(Omission.id)).all() == []
    assert _write(database, 1) == ["mardi@exemple.quebec"]


def test_what_was_asked_at_once_does_not_come_daily(database: Database) -> None:
    with database.write() as session:
        tender(session)
        entitled(session, "aussitot", frequency=Frequency.INSTANT)
    assert _write(database) == []


@pytest.mark.parametrize(("most", "first", "second"), [(2, 2, 1), (None, 3, 0)])
def test_over_the_readers_maximum_the_rest_comes_in_the_next_letter(
    database: Database, most: int | None, first: int, second: int
) -> None:
    with database.write() as session:
        for number in range(3):
            closes = AT + timedelta(days=3 + number)
            tender(session, f"{100 + number}", closes_at=closes)
        entitled(session, "info", frequency="daily", most_notices=most)
    counts = []
    for days in (0, 1):
        _write(database, days)
        with database.read() as session:
            letter = session.scalars(select(Letter).order_by(Letter.id.desc())).first()
            left = second if days == 0 else 0
            assert letter is not None
            assert (f"Il en reste {left} " in _text(letter)) is (left > 0)
            assert ("Il en reste" in _text(letter)) is (left > 0)
            counts.append(len(session.scalars(select(Told.id)).all()))
        with database.write() as session:
            session.execute(update(Told).values(state="confirmed"))
    assert counts == [first, first + second]
