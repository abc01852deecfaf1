"""What staff are told a notice waits for is what it then waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import editions, ledger
from alerts.explanation import Because, Explanation
from alerts.inquiry import explained
from alerts.tables import Letter, Told
from alerts.waiting import Because as Waiting
from base.clock import QUEBEC
from base.database import Database
from scripts.why_words import lines
from sources import tenders
from sources.tables import Tender
from subscriptions.tables import Contact
from tests.coop import CATALOGUE, DESK, entitled, tender

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def _q(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=QUEBEC).astimezone(UTC)  # type: ignore[misc, arg-type]


#: Tuesday, 09:00.
AT = _q(2026, 9, 22, 9)
MONDAY = _q(2026, 9, 28, 6)


def _tick(database: Database, at: datetime) -> None:
    with database.write() as session:
        editions.open_due(session, at)
    editions.write_open(database, DESK, at=at)
    with database.write() as session:
        ids = session.scalars(select(Letter.id).where(Letter.written_at == at)).all()
        ledger.confirm(session, ids)
        session.execute(
            update(Letter).where(Letter.id.in_(ids)).values(state="accepted", settled_at=at)
        )


def _call(session: Session, number: str, at: datetime, days: float = 30) -> None:
    made, revision = tender(session, number, closes_at=at + timedelta(days=days))
    made.first_seen_at = revision.seen_at = at


def _why(database: Database, number: str, at: datetime) -> tuple[Explanation, str]:
    with database.read() as session:
        contact = session.scalars(select(Contact)).one()
        (ids,) = tenders.named(session, number)
        found = explained(session, DESK.lexicon, contact, ids, at=at)
    return found, " ".join(lines(found, CATALOGUE, at))


def _told_at(database: Database, number: str) -> datetime:
    with database.read() as session:
        return session.scalars(
            select(Letter.written_at)
            .join(Told, Told.letter_id == Letter.id)
            .join(Tender, Tender.cluster_id == Told.cluster_id)
            .where(Tender.number == number)
        ).one()


@pytest.mark.parametrize(
    ("frequency", "seen", "days", "until", "because"),
    [
        pytest.param("instant", AT, 30, AT + 10 * MINUTE, Waiting.GROUPED, id="at once"),
        pytest.param(
            "instant", AT + 12 * HOUR, 30, _q(2026, 9, 23, 6, 30), Waiting.MORNING, id="night"
        ),
        pytest.param(
            "instant", AT + 12 * HOUR, 1, AT + 12 * HOUR + 10 * MINUTE, Waiting.GROUPED, id="urgent"
        ),
        pytest.param("daily", AT, 30, _q(2026, 9, 23, 6), Waiting.RHYTHM, id="daily"),
        pytest.param("weekly", AT, 30, MONDAY, Waiting.RHYTHM, id="weekly"),
        pytest.param("weekly", AT, 9, AT + 10 * MINUTE, Waiting.PROMOTED, id="promoted"),
        pytest.param(
            "weekly", AT + 13 * HOUR, 9, _q(2026, 9, 23, 6, 30), Waiting.PROMOTED, id="at night"
        ),
    ],
)
def test_what_is_said_to_be_due_comes_then(
    database: Database,
    frequency: str,
    seen: datetime,
    days: float,
    until: datetime,
    because: Waiting,
) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency=frequency)
    _tick(database, AT - HOUR)
    with database.write() as session:
        _call(session, "1", seen, days)
    found, said = _why(database, "1", seen + MINUTE)
    assert found.because is Because.NOT_YET
    assert found.waits is not None
    assert (found.waits.until, found.waits.because) == (until, because)
    assert "due" in said
    for at in (seen + MINUTE, until - MINUTE, until):
        _tick(database, at)
    assert _told_at(database, "1") == until
    after, said = _why(database, "1", until + MINUTE)
    assert (after.because, after.waits) == (Because.ACCEPTED, None)
    assert after.promoted == ("attendu" in said) == (because is Waiting.PROMOTED)


def test_beside_a_promoted_letter_the_others_wait_for_monday(database: Database) -> None:
    """Its letter at once decided nothing about them."""
    with database.write() as session:
        entitled(session, "anne")
    _tick(database, AT - HOUR)
    with database.write() as session:
        _call(session, "soon", AT, 9)
        _call(session, "later", AT, 30)
    _tick(database, AT + 10 * MINUTE)
    found, said = _why(database, "later", AT + HOUR)
    assert found.because is Because.NOT_YET
    assert found.waits is not None
    assert found.waits.until == MONDAY
    assert "lundi 28" in said
    with database.write() as session:
        _call(session, "second", AT + DAY, 9)
        _call(session, "third", AT + 2 * DAY, 9)
    _tick(database, AT + DAY + 10 * MINUTE)
    _tick(database, AT + 2 * DAY + 10 * MINUTE)
    with database.write() as session:
        _call(session, "fourth", AT + 3 * DAY, 7)
    found, said = _why(database, "fourth", AT + 3 * DAY + MINUTE)
    assert found.waits is not None
    assert (found.waits.because, found.waits.until) == (Waiting.PROMOTED_ENOUGH, MONDAY)
    assert "Déjà 2 lettres" in said


def test_what_a_letter_left_over_waits_for_the_next_one(database: Database) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency="instant", most_notices=1)
        _call(session, "first", AT, 9)
        _call(session, "second", AT, 10)
    _tick(database, AT + 10 * MINUTE)
    found, _ = _why(database, "second", AT + HOUR)
    assert found.because is Because.NOT_YET
    assert found.waits is not None
    assert found.waits.until == _q(2026, 9, 23, 6, 30)
    _tick(database, AT + 2 * HOUR)
    _tick(database, found.waits.until)
    assert _told_at(database, "second") == found.waits.until


def test_a_letter_at_once_is_named_by_its_minute_in_quebec(database: Database) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency="instant")
        _call(session, "1", AT)
    _tick(database, AT + 10 * MINUTE)
    _, said = _why(database, "1", AT + HOUR)
    assert "édition du mardi 22\u00a0septembre 2026 à 9\u00a0h\u00a010" in said


def test_while_the_weekly_letters_wait_for_their_file_they_are_due_by_eight(
    database: Database,
) -> None:
    with database.write() as session:
        entitled(session, "anne")
        _call(session, "1", MONDAY - DAY)
    found, _ = _why(database, "1", MONDAY + HOUR)
    assert found.waits is not None
    assert found.waits.until == MONDAY + 2 * HOUR
