"""A database restored from a backup, or copied, sends nothing until staff say so."""

from __future__ import annotations

import secrets
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from sqlalchemy import make_url, select, text

from alerts import editions, holds
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing, Tally
from alerts.journal import Journal, agree, open_journal
from alerts.recovery import hold_if_restored
from alerts.tables import Letter, LetterState
from base.database import Database, connect
from tests.coop import AT, DESK, entitled, tender
from tests.mailserver import Mailbox, mail_server

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


def _copy(database: Database, folder: Path) -> Database:
    """The same rows elsewhere, as a backup or a copied machine has them."""
    url = database.engine.url
    database.dispose()
    if url.get_backend_name() == "sqlite":
        path = folder / "copie.sqlite3"
        shutil.copy(str(url.database), path)
        return connect(f"sqlite:///{path}")
    name = f"copy_{secrets.token_hex(6)}"
    owner = connect(url.set(database="postgres").render_as_string(hide_password=False))
    with owner.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"'))
    owner.dispose()
    return connect(make_url(url).set(database=name).render_as_string(hide_password=False))


def _week(database: Database, number: str, at_week: int) -> None:
    at = AT + at_week * WEEK
    with database.write() as session:
        tender(session, number, closes_at=AT + 10 * WEEK)
        editions.open_due(session, at)
    editions.write_open(database, DESK, at=at)


async def _send(database: Database, mailbox: Mailbox, journal: Journal, at_week: int) -> Tally:
    handing = Handing(
        relay=Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="essai"),
        sender="retours@exemple.quebec",
        allowed=frozenset({"*"}),
        journal=journal,
    )
    return await hand_over(database, handing, now=lambda: AT + at_week * WEEK + DAY)


def _waiting(database: Database) -> int:
    with database.read() as session:
        waits = select(Letter.id).where(Letter.state == LetterState.WRITTEN)
        return len(session.scalars(waits).all())


def _holds(database: Database) -> list[str]:
    with database.read() as session:
        return [one.cause for one in holds.standing(session)]


def _readers(database: Database) -> None:
    with database.write() as session:
        for name in ("anne", "luc", "marie"):
            entitled(session, name)
        holds.release_first_run(session, by="essai", at=AT)


async def test_a_backup_of_the_day_before_sends_0(database: Database, tmp_path: Path) -> None:
    """It was made between the writing of the second edition and its sending."""
    _readers(database)
    journal = open_journal(tmp_path / "journal")
    async with mail_server() as mailbox:
        _week(database, "1", 0)
        await _send(database, mailbox, journal, 0)
        _week(database, "2", 1)
        backup = _copy(database, tmp_path)
        await _send(database, mailbox, journal, 1)
        assert len(mailbox.received) == 6

        restored = await _send(backup, mailbox, journal, 1)

        assert _waiting(backup) == 3
        assert _holds(backup) == ["journal"]
        assert (restored.accepted, restored.stopped, len(mailbox.received)) == (0, "held", 6)
    backup.dispose()


async def test_a_cloned_database_beside_another_journal_sends_0(
    database: Database, tmp_path: Path
) -> None:
    _readers(database)
    async with mail_server() as mailbox:
        _week(database, "1", 0)
        await _send(database, mailbox, open_journal(tmp_path / "journal"), 0)
        _week(database, "2", 1)
        clone = _copy(database, tmp_path)

        tally = await _send(clone, mailbox, open_journal(tmp_path / "autre"), 1)

        assert _waiting(clone) == 3
        assert _holds(clone) == ["journal"]
        assert (tally.accepted, tally.stopped, len(mailbox.received)) == (0, "held", 3)
    clone.dispose()


async def test_staff_who_looked_let_a_restored_database_send(
    database: Database, tmp_path: Path
) -> None:
    _readers(database)
    journal = open_journal(tmp_path / "journal")
    async with mail_server() as mailbox:
        _week(database, "1", 0)
        backup = _copy(database, tmp_path)
        await _send(database, mailbox, journal, 0)
        await _send(backup, mailbox, journal, 0)
        with backup.write() as session:
            holds.lift(session, by="essai", at=AT)
            agree(session, journal)
        tally = await _send(backup, mailbox, journal, 0)
    assert tally.accepted == 3
    backup.dispose()


def test_two_processes_are_introduced_at_once_without_a_fault(
    database: Database, tmp_path: Path
) -> None:
    for trial in range(10):
        journal = open_journal(tmp_path / f"journal{trial}")
        together = threading.Barrier(2)

        def introduce(
            _: int, journal: Journal = journal, gate: threading.Barrier = together
        ) -> str:
            gate.wait()
            return hold_if_restored(database, journal, at=AT)

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(introduce, range(2))) == ["", ""]
