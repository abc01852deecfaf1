"""After a crash: each doubt is decided once, by evidence, by staff, or by telling it again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from alerts import doubts, editions, holds
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import Journal, open_journal
from alerts.recovery import hold_if_restored, recover
from alerts.tables import Letter, LetterState, Told, ToldState
from base.database import Database
from tests.coop import AT, DESK, entitled, letter, tender, told
from tests.mailserver import Script, drop, mail_server, scripted_server

WEEK = timedelta(days=7)
MUCH_LATER = AT + timedelta(minutes=11)
QUEUED = """\
{moment} relais postfix/cleanup[26120]: 4jZNnl5HTlzSX4k: message-id={message_id}
{moment} relais postfix/qmgr[26115]: 4jZNnl5HTlzSX4k: from=<a@b>, size=2, nrcpt=1 (queue active)
"""
OTHER = "{moment} relais postfix/smtpd[26117]: disconnect from localhost[127.0.0.1]\n"


def _handing(port: int, folder: Path) -> Handing:
    return Handing(
        relay=Relay(host="127.0.0.1", port=port, tls="none", helo="essai"),
        sender="retours@exemple.quebec",
        allowed=frozenset({"*"}),
        journal=open_journal(folder / "journal"),
    )


async def _handed_over_in_silence(database: Database, folder: Path, at: datetime = AT) -> None:
    """All that waits is handed over to a relay that never answers the final dot."""
    async with scripted_server(Script({"dot": drop})) as script:
        await hand_over(database, _handing(script.port, folder), now=lambda: at)


def _prepare(database: Database) -> None:
    with database.write() as session:
        call, revision = tender(session)
        told(session, letter(session, entitled(session, "anne")), revision, call.id)


def _log(folder: Path, lines: Iterable[str], database: Database) -> Path:
    with database.read() as session:
        message_id = session.scalars(select(Letter.message_id)).one()
    moment = AT.isoformat(timespec="seconds")
    text = "".join(lines).format(moment=moment, message_id=message_id)
    path = folder / "mail.log"
    path.write_text(text, encoding="utf-8")
    return path


def _state(database: Database) -> tuple[str, str]:
    with database.read() as session:
        return (
            session.scalars(select(Letter.state)).one(),
            session.scalars(select(Told.state)).one(),
        )


@pytest.mark.parametrize(
    ("lines", "state", "ledger"),
    [
        pytest.param([QUEUED], LetterState.ACCEPTED, ToldState.CONFIRMED, id="queued"),
        pytest.param([OTHER], LetterState.WRITTEN, ToldState.RESERVED, id="not queued"),
        pytest.param([], LetterState.UNKNOWN, ToldState.UNCERTAIN, id="a log that says nothing"),
    ],
)
async def test_a_letter_without_an_answer_is_decided_by_the_relay_s_log(
    database: Database, tmp_path: Path, lines: list[str], state: str, ledger: str
) -> None:
    _prepare(database)
    await _handed_over_in_silence(database, tmp_path)
    assert _state(database) == (LetterState.UNKNOWN, ToldState.UNCERTAIN)
    log, journal = _log(tmp_path, lines, database), open_journal(tmp_path / "journal")

    recover(database, journal, at=AT + timedelta(minutes=9), log=log)
    # Silence proves nothing yet; what was queued was queued.
    assert (_state(database)[0] == LetterState.ACCEPTED) == (lines == [QUEUED])
    recover(database, journal, at=MUCH_LATER, log=log)
    assert _state(database) == (state, ledger)


async def _in_doubt_beside_another_machine(database: Database, folder: Path) -> Journal:
    """A letter whose dispatcher died at its dot, and the journal of another machine."""
    _prepare(database)
    await _handed_over_in_silence(database, folder)
    with database.write() as session:
        session.execute(update(Letter).values(state=LetterState.IN_DOUBT, lease_until=AT))
        session.execute(update(Told).values(state=ToldState.RESERVED))
    (folder / "other").mkdir()
    theirs = open_journal(folder / "other" / "journal")
    hold_if_restored(database, theirs, at=AT)
    return theirs


async def test_what_another_machine_sent_is_not_judged_by_what_this_one_did_not_see(
    database: Database, tmp_path: Path
) -> None:
    theirs = await _in_doubt_beside_another_machine(database, tmp_path)
    log = _log(tmp_path / "other", [OTHER], database)
    for at in (MUCH_LATER, AT + timedelta(minutes=59)):
        recover(database, theirs, at=at, log=log)
        assert _state(database) == (LetterState.IN_DOUBT, ToldState.RESERVED)
    ours, log = open_journal(tmp_path / "journal"), _log(tmp_path, [OTHER], database)
    recover(database, ours, at=MUCH_LATER, log=log)
    assert _state(database) == (LetterState.WRITTEN, ToldState.RESERVED)


async def test_a_machine_that_does_not_come_back_leaves_its_doubts_to_staff(
    database: Database, tmp_path: Path
) -> None:
    theirs = await _in_doubt_beside_another_machine(database, tmp_path)
    recover(database, theirs, at=AT + timedelta(minutes=59))
    assert _state(database) == (LetterState.IN_DOUBT, ToldState.RESERVED)
    recover(database, theirs, at=AT + timedelta(hours=1))
    assert _state(database) == (LetterState.UNKNOWN, ToldState.UNCERTAIN)


async def test_a_log_that_cannot_be_read_leaves_the_doubt_to_staff(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database)
    await _handed_over_in_silence(database, tmp_path)
    journal = open_journal(tmp_path / "journal")
    recover(database, journal, at=MUCH_LATER, log=tmp_path / "absent.log")
    assert _state(database) == (LetterState.UNKNOWN, ToldState.UNCERTAIN)


def test_of_two_recoveries_the_slower_one_does_not_decide_a_newer_doubt(
    database: Database,
) -> None:
    """The letter was sent again meanwhile, and is at its dot: the old evidence is not about it."""
    _prepare(database)
    with database.write() as session:
        session.execute(update(Letter).values(state=LetterState.IN_DOUBT, in_doubt_at=AT))
        session.execute(update(Letter).values(lease_until=AT))
        (old,) = doubts.in_doubt(session, at=AT)
        session.execute(update(Letter).values(in_doubt_at=MUCH_LATER))
    with database.write() as session:
        words = {"reply": "", "at": MUCH_LATER, "doubt": old}
        assert not doubts.resolve(session, old.id, LetterState.WRITTEN, **words)  # type: ignore[arg-type]
    assert _state(database)[0] == LetterState.IN_DOUBT


def test_staff_do_not_decide_about_a_letter_that_is_at_its_dot(database: Database) -> None:
    _prepare(database)
    with database.write() as session:
        session.execute(update(Letter).values(state=LetterState.IN_DOUBT, in_doubt_at=AT))
        number = session.scalars(select(Letter.id)).one()
        assert not doubts.resolve(session, number, LetterState.WRITTEN, reply="", at=AT)
    assert _state(database)[0] == LetterState.IN_DOUBT


def _written(database: Database, at: datetime) -> list[bytes]:
    """The letters of the edition that is due at that moment."""
    with database.write() as session:
        editions.open_due(session, at)
    editions.write_open(database, DESK, at=at)
    with database.read() as session:
        found = session.scalars(select(Letter).where(Letter.written_at == at)).all()
    return [one.content for one in found if one.content]


MARK = b"Peut-=C3=AAtre d=C3=A9j=C3=A0 re=C3=A7u"


async def test_what_is_uncertain_is_listed_once_more_marked_so_and_not_a_third_time(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        entitled(session, "anne")
        tender(session, closes_at=AT + 5 * WEEK)
        holds.release_first_run(session, by="essai", at=AT)
    (first,) = _written(database, AT)
    await _handed_over_in_silence(database, tmp_path)
    (second,) = _written(database, AT + WEEK)
    await _handed_over_in_silence(database, tmp_path, AT + WEEK)

    assert MARK not in first
    assert MARK in second
    assert _written(database, AT + 2 * WEEK) == []


async def test_a_second_listing_that_never_left_leaves_the_notice_uncertain(
    database: Database, tmp_path: Path
) -> None:
    """Else it would come a third time as if it were new."""
    with database.write() as session:
        entitled(session, "anne")
        tender(session, closes_at=AT + 5 * WEEK)
        holds.release_first_run(session, by="essai", at=AT)
    _written(database, AT)
    await _handed_over_in_silence(database, tmp_path)
    _written(database, AT + WEEK)
    async with mail_server() as mailbox:
        mailbox.replies["anne@exemple.quebec"] = "550 5.2.3 too big for me"
        port = mailbox.port
        await hand_over(database, _handing(port, tmp_path), now=lambda: AT + WEEK)
    (third,) = _written(database, AT + 2 * WEEK)
    assert MARK in third


async def test_a_letter_that_leaves_again_is_not_also_listed_again(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency="daily")
        tender(session, closes_at=AT + 5 * WEEK)
        holds.release_first_run(session, by="essai", at=AT)
    _written(database, AT)
    await _handed_over_in_silence(database, tmp_path)
    with database.write() as session:
        number = session.scalars(select(Letter.id)).one()
        assert doubts.resolve(session, number, LetterState.WRITTEN, reply="essai", at=AT)
    assert _written(database, AT + timedelta(days=1)) == []
