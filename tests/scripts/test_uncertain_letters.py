"""`alertes envois incertains`: the tray of letters that may or may not have arrived."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from alerts import outbox
from alerts.message_tables import Message
from alerts.tables import Letter, LetterState, Told, ToldState
from base.audit import Audit
from base.database import Database
from tests.conftest import Said
from tests.coop import AT, entitled, letter, tender, told

Alertes = Callable[..., Said]


@pytest.fixture
def number(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The number of an uncertain letter, beside one that was accepted."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    with database.write() as session:
        call, revision = tender(session)
        uncertain = letter(session, entitled(session, "anne"))
        told(session, uncertain, revision, call.id).state = ToldState.UNCERTAIN
        uncertain.state, uncertain.in_doubt_at = LetterState.UNKNOWN, AT
        uncertain.reply = "connection lost"
        letter(session, entitled(session, "luc")).state = LetterState.ACCEPTED
        return str(uncertain.id)


def _uncertain(database: Database) -> tuple[str, str]:
    with database.read() as session:
        rows = select(Letter.state, Told.state).join(Told, Told.letter_id == Letter.id)
        return tuple(session.execute(rows).one())  # type: ignore[return-value]


def test_the_tray_shows_uncertain_letters_and_no_others(alertes: Alertes, number: str) -> None:
    said = alertes("envois", "incertains")
    assert said.code == 0
    assert "connection lost" in said.out
    told_of = [line.split()[1] for line in said.out.splitlines() if line.startswith("│")]
    assert [word for word in told_of if word.isdigit()] == [number]
    assert "@" not in said.out


@pytest.mark.parametrize(
    ("option", "state", "ledger"),
    [
        ("--recue", LetterState.ACCEPTED, ToldState.CONFIRMED),
        ("--renvoyer", LetterState.WRITTEN, ToldState.RESERVED),
        ("--abandonner", LetterState.WITHDRAWN, ToldState.RELEASED),
    ],
)
def test_a_decision_settles_letter_and_notices_and_is_recorded(
    alertes: Alertes, database: Database, number: str, option: str, state: str, ledger: str
) -> None:
    said = alertes("envois", "incertains", option, number)
    assert said.code == 0
    assert "c’est noté" in said.out
    assert _uncertain(database) == (state, ledger)
    assert "Aucune lettre incertaine" in alertes("envois", "incertains").out
    with database.read() as session:
        assert session.scalars(select(Audit.action)).all() == ["envois incertains"]


def test_a_second_decision_is_refused_and_changes_nothing(
    alertes: Alertes, database: Database, number: str
) -> None:
    alertes("envois", "incertains", "--recue", number)
    said = alertes("envois", "incertains", "--renvoyer", number)
    assert said.code == 1
    assert "n’est pas incertaine" in said.err
    assert _uncertain(database) == (LetterState.ACCEPTED, ToldState.CONFIRMED)


def test_a_letter_to_send_again_is_the_same_bytes(
    alertes: Alertes, database: Database, number: str
) -> None:
    with database.read() as session:
        frozen = session.scalars(select(Message.content).where(Message.id == int(number))).one()
    alertes("envois", "incertains", "--renvoyer", number)
    with database.write() as session:
        # The command's clock is the machine's; the letter's is the test's.
        session.execute(update(Letter).values(next_attempt_at=AT))
        lot = outbox.claim(session, claim="essai", most=9, allowed=frozenset({"*"}), at=AT)
    assert [(str(one.id), one.content) for one in lot.claimed] == [(number, frozen)]
