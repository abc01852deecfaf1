"""Several workers on PostgreSQL: they share what is owed, and any of them may be killed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from procrastinate.manager import JobManager
from sqlalchemy import func, select, text

from alerts import editions, engine, engine_schema, holds, worker
from alerts.journal import open_journal
from alerts.owed import Shard
from alerts.recovery import hold_if_restored
from alerts.tables import Edition, EditionState, Letter, LetterState, Omission, Told
from base.clock import utc_now
from base.database import Database
from tests import working
from tests.coop import AT, DESK, entitled, tender
from tests.mailserver import Mailbox
from tests.mailthread import mail_thread

READERS = 40
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def coop(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Readers of a weekly edition that is due, and one call for them; ticks every second."""
    hold_if_restored(database, open_journal(tmp_path / "journal"), at=AT)
    with database.write() as session:
        holds.release_first_run(session, by="essai", at=AT)
        for number in range(READERS):
            entitled(session, f"lecteur{number}")
        tender(session, closes_at=AT + timedelta(days=9))
    monkeypatch.setattr(worker, "SEND_EVERY", timedelta(seconds=1))
    monkeypatch.setattr(engine, "SHARDS", 4)
    return database


def _count(database: Database, *states: LetterState) -> int:
    with database.read() as session:
        asked = select(func.count()).select_from(Letter)
        return session.scalar(asked.where(Letter.state.in_(states)) if states else asked) or 0


def _until(true: Callable[[], bool]) -> None:
    """Wait for it; the worst machine has a minute."""
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("did not happen")


def _settled(database: Database) -> bool:
    settled = (LetterState.ACCEPTED, LetterState.UNKNOWN)
    return _count(database, *settled) == READERS


def _state(database: Database) -> str:
    with database.read() as session:
        return session.scalars(select(Edition.state).where(Edition.frequency == "weekly")).one()


def _nothing_twice(database: Database, mailbox: Mailbox) -> None:
    """One letter a reader, one copy a letter, told once, and nobody left out."""
    assert _count(database) == READERS
    assert max(Counter(mailbox.recipients).values()) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Told)) == READERS
        # The daily edition of the same morning concerns nobody here.
        assert session.scalars(select(Omission.why)).all() == []
        assert session.scalars(select(Edition.frequency).order_by(Edition.frequency)).all() == [
            "daily",
            "weekly",
        ]


@on_postgresql
def test_two_workers_share_an_edition_and_each_reader_has_one_letter(
    coop: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, journal = utc_now(), tmp_path / "journal"
    monkeypatch.setattr(engine, "LOT", 10)
    with mail_thread() as mailbox:
        both = [working.engine(database_url, mailbox.port, journal, begun) for _ in range(2)]
        with working.at_work(*both):
            _until(lambda: _settled(coop))
    assert _count(coop, LetterState.ACCEPTED) == READERS
    assert len(mailbox.received) == READERS
    _nothing_twice(coop, mailbox)
    assert all(one.done["write_shard"] for one in both)
    assert sum(one.done["send"] for one in both) >= READERS // 10
    assert sum(one.done["write_shard"] for one in both) >= engine.SHARDS


@on_postgresql
def test_what_a_worker_killed_in_a_shard_left_another_writes(
    coop: Database, database_url: str, tmp_path: Path
) -> None:
    begun, journal = utc_now(), tmp_path / "journal"
    with (
        working.another(database_url, journal, begun) as (killed, port),
        mail_thread() as mailbox,
    ):
        port.value = mailbox.port
        _until(lambda: _count(coop) > 2)
        killed.kill()
        killed.join()
        assert _state(coop) == EditionState.OPEN
        assert 2 < _count(coop) < READERS
        assert mailbox.received == [], "no letter leaves before its edition is whole"
        with working.at_work(working.engine(database_url, mailbox.port, journal, begun)):
            _until(lambda: _settled(coop))
    assert len(mailbox.received) == READERS
    _nothing_twice(coop, mailbox)


@on_postgresql
def test_what_a_worker_killed_in_a_lot_left_another_hands_over(
    coop: Database, database_url: str, tmp_path: Path
) -> None:
    begun, journal = utc_now(), tmp_path / "journal"
    with coop.write() as session:
        editions.open_due(session, AT)
    editions.write_open(coop, DESK, at=AT)
    with (
        working.another(database_url, journal, begun, pace=20) as (killed, port),
        mail_thread() as mailbox,
    ):
        port.value = mailbox.port
        _until(lambda: _count(coop, LetterState.ACCEPTED) > 2)
        killed.kill()
        killed.join()
        assert _count(coop, LetterState.ACCEPTED) < READERS
        assert _count(coop, LetterState.CLAIMED, LetterState.IN_DOUBT) > 0
        with working.at_work(working.engine(database_url, mailbox.port, journal, begun)):
            _until(lambda: _settled(coop))
    _nothing_twice(coop, mailbox)
    # Whoever was at its dot is not asked to take it again; the others have it.
    unknown = _count(coop, LetterState.UNKNOWN)
    assert unknown <= 4
    assert len(mailbox.received) >= READERS - unknown


@on_postgresql
def test_who_is_told_to_stop_while_it_begins_stops(
    coop: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a cancellation gets lost, as it may in asyncio.wait_for of Python 3.11."""
    own = working.engine(database_url, 9, tmp_path / "journal", utc_now())
    register = JobManager.register_worker

    async def registered(jobs: JobManager) -> int:
        number = await register(jobs)
        own.service.stop.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.5)
        return number

    monkeypatch.setattr(JobManager, "register_worker", registered)
    at_work = threading.Thread(target=worker.run, args=(own,), daemon=True)
    at_work.start()
    at_work.join(20)
    assert not at_work.is_alive()
    own.service.database.dispose()


def test_a_lot_is_handed_over_and_the_rest_waits(
    coop: Database, database_url: str, tmp_path: Path
) -> None:
    with coop.write() as session:
        editions.open_due(session, AT)
    editions.write_open(coop, DESK, at=AT)
    with mail_thread() as mailbox:
        one = working.engine(database_url, mailbox.port, tmp_path / "journal", utc_now()).service
        assert one.count_waiting(1000) == READERS
        assert one.count_waiting(7) == 7
        one.send(lots=2)
        assert len(mailbox.received) == 20
        assert one.count_waiting(1000) == READERS - 20
    one.database.dispose()


def test_letters_of_an_edition_that_is_not_whole_are_not_counted_as_waiting(
    coop: Database, database_url: str, tmp_path: Path
) -> None:
    with coop.write() as session:
        editions.open_due(session, AT)
        _, weekly = editions.opened_by_the_clock(session)
    editions.write_shard(coop, DESK, weekly, Shard(0, 2), at=AT)
    one = working.engine(database_url, 9, tmp_path / "journal", utc_now()).service
    assert _count(coop) > 0
    assert one.count_waiting(1000) == 0
    one.database.dispose()


@on_postgresql
def test_a_job_waits_once_however_many_tick(
    coop: Database, database_url: str, tmp_path: Path
) -> None:
    assert engine_schema.prepare(coop)
    assert not engine_schema.prepare(coop), "a second worker finds the tables made"
    both = [working.engine(database_url, 9, tmp_path / "journal", utc_now()) for _ in range(2)]

    async def tick() -> None:
        for one in both:
            async with one.app.open_async():
                for _ in range(3):
                    await one.owe_write()
                    await one.owe_send()
                    await one.owe_prune()
                    await one.owe_take_returns()

    asyncio.run(tick())
    asked = text("SELECT task_name FROM procrastinate.procrastinate_jobs ORDER BY 1")
    with coop.read() as session:
        assert session.scalars(asked).all() == ["prune", "send", "write"]
    for one in both:
        one.service.database.dispose()


def test_a_shard_is_written_apart_and_the_last_one_closes_the_edition(coop: Database) -> None:
    with coop.write() as session:
        editions.open_due(session, AT)
        opened = editions.opened_by_the_clock(session)
    daily, weekly = opened
    assert editions.write_shard(coop, DESK, daily, Shard(0, 3), at=AT), "it concerns nobody"
    closed = [editions.write_shard(coop, DESK, weekly, Shard(n, 3), at=AT) for n in range(3)]
    assert closed == [False, False, True]
    with coop.read() as session:
        assert session.scalar(select(func.count(Letter.contact_id.distinct()))) == READERS
        assert editions.opened_by_the_clock(session) == []


def test_who_comes_after_an_edition_was_closed_is_not_written_in_it(coop: Database) -> None:
    with coop.write() as session:
        editions.open_due(session, AT)
        _, weekly = editions.opened_by_the_clock(session)
    assert editions.write_shard(coop, DESK, weekly, Shard(0, 1), at=AT)
    with coop.write() as session:
        entitled(session, "tardif")
    assert not editions.write_shard(coop, DESK, weekly, Shard(0, 1), at=AT)
    assert _count(coop) == READERS
