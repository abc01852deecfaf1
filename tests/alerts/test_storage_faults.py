"""A full disk, a locked or a read-only database: sending stops, and no row says what is not so."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select, text

from alerts import custody, dispatch
from alerts.delivery import Connection, Relay
from alerts.dispatch import hand_over
from alerts.handing import Fault, Handing, Tally
from alerts.journal import Journal, open_journal
from alerts.recovery import hold_if_restored, recover
from alerts.tables import Attempt, Letter, LetterState
from base.database import Database, connect
from tests.coop import AT, entitled, letter, tender, told
from tests.mailserver import Mailbox, mail_server

LATER = AT + timedelta(hours=1)
NAMES = [f"membre{n}@exemple.quebec" for n in range(6)]


def _prepare(database: Database) -> None:
    with database.write() as session:
        call, revision = tender(session)
        for name in NAMES:
            one = letter(session, entitled(session, name.split("@", maxsplit=1)[0]))
            told(session, one, revision, call.id)


def _handing(mailbox: Mailbox, folder: Path) -> Handing:
    return Handing(
        relay=Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="test"),
        sender="retours@exemple.quebec",
        allowed=frozenset({"*"}),
        journal=open_journal(folder / "journal"),
        connections=2,
    )


def _states(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {one.address: one.state for one in session.scalars(select(Letter))}


def _fill_the_disk() -> None:
    """No file of this process can grow any more (Python ignores the signal, and gets EFBIG)."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def _free_the_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.fixture(autouse=True)
def _space() -> Iterator[None]:
    yield
    _free_the_disk()


def _at_the_gate(patch: pytest.MonkeyPatch, fault: Callable[[], None]) -> None:
    plain = custody.hold_still

    def hold_still(session: object, ids: list[int]) -> None:
        fault()
        plain(session, ids)  # type: ignore[arg-type]

    patch.setattr(custody, "hold_still", hold_still)


def _at_the_journal(patch: pytest.MonkeyPatch, fault: Callable[[], None]) -> None:
    """The statement is committed, the dot not sent."""
    plain = Journal.begun

    def begun(self: Journal, *args: object) -> None:
        fault()
        plain(self, *args)  # type: ignore[arg-type]

    patch.setattr(Journal, "begun", begun)


def _at_the_answer(patch: pytest.MonkeyPatch, fault: Callable[[], None]) -> None:
    """The relay said 250, and it cannot be written down."""
    plain: Callable[..., Awaitable[object]] = Connection.finish

    async def finish(self: Connection, *args: object, **known: object) -> object:
        answer = await plain(self, *args, **known)
        fault()
        return answer

    patch.setattr(dispatch.Connection, "finish", finish)


def _at_the_claim(_patch: pytest.MonkeyPatch, fault: Callable[[], None]) -> None:
    fault()


POINTS = [_at_the_claim, _at_the_gate, _at_the_journal, _at_the_answer]
Point = Callable[[pytest.MonkeyPatch, Callable[[], None]], None]


async def _twice(
    database: Database, folder: Path, point: Point, fault: Callable[[], None], mend: Callable
) -> tuple[Tally, Tally, Mailbox, dict[str, str]]:
    """A run that meets the fault, then one that does not; and the states in between."""
    async with mail_server() as mailbox:
        handing = _handing(mailbox, folder)
        hold_if_restored(database, handing.journal, at=AT)
        with pytest.MonkeyPatch.context() as patch:
            point(patch, fault)
            first = await hand_over(database, handing, now=lambda: AT)
        mend()
        between = _states(database)
        _nothing_is_said_that_is_not_so(between, mailbox)
        recover(database, handing.journal, at=LATER)
        second = await hand_over(database, handing, now=lambda: LATER)
    return first, second, mailbox, between


def _nothing_is_said_that_is_not_so(states: dict[str, str], mailbox: Mailbox) -> None:
    """What the relay has is accepted or in doubt; what it has not is not accepted."""
    for address, state in states.items():
        if address in mailbox.recipients:
            assert state in {LetterState.ACCEPTED, LetterState.IN_DOUBT}
        else:
            assert state != LetterState.ACCEPTED


@pytest.fixture
def in_a_file(sqlite_template: Path, tmp_path: Path) -> Path:
    """A fresh SQLite database at head."""
    path = tmp_path / "alertes.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    return path


@pytest.mark.parametrize("point", POINTS)
async def test_a_full_disk_stops_sending_and_nothing_is_lost_or_doubled(
    in_a_file: Path, tmp_path: Path, point: Point
) -> None:
    database = connect(f"sqlite:///{in_a_file}")
    _prepare(database)
    first, second, mailbox, _states_between = await _twice(
        database, tmp_path, point, _fill_the_disk, _free_the_disk
    )
    database.dispose()

    assert first.fault is Fault.DATABASE
    assert second.stopped == ""
    unknown = [a for a, s in _states(database).items() if s == LetterState.UNKNOWN]
    assert len(mailbox.recipients) == len(set(mailbox.recipients))
    assert sorted({*mailbox.recipients, *unknown}) == NAMES
    # Only where what was let pass, or answered, could be written nowhere; on two connections.
    uncertain = point in {_at_the_journal, _at_the_answer}
    assert len(unknown) <= (2 if uncertain else 0)
    database.dispose()
    with contextlib.closing(sqlite3.connect(in_a_file)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_journal_that_cannot_be_written_sends_no_dot(
    database: Database, tmp_path: Path
) -> None:
    """Its disk is full, the database's is not: the letters were certainly not begun."""
    _prepare(database)

    def fault() -> None:
        raise OSError(28, "No space left on device")

    first, second, mailbox, between = await _twice(
        database, tmp_path, _at_the_journal, fault, lambda: None
    )
    assert (first.fault, first.outcomes) == (Fault.DATABASE, {})
    assert set(between.values()) == {LetterState.WRITTEN}
    assert (second.accepted, sorted(mailbox.recipients)) == (6, NAMES)
    with database.read() as session:
        assert len(session.scalars(select(Attempt)).all()) == 6


async def test_a_journal_line_that_a_full_disk_tore_is_no_line(
    database: Database, tmp_path: Path
) -> None:
    journal = open_journal(tmp_path / "journal")
    journal.begun(1, ["digest:weekly:2026-W39:1"], AT)
    with journal.path.open("ab") as file:
        file.write(b"2026-09-21T10:00:00+00:00 acc")
    journal.accepted(["digest:weekly:2026-W39:2"], AT)
    assert journal.last_begun()[0] == 1
    assert journal.accepted_keys() == {"digest:weekly:2026-W39:2"}


def _refuse_writes(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    if isinstance(connection, sqlite3.Connection):
        cursor.execute("PRAGMA query_only = ON")
    else:
        cursor.execute("SET default_transaction_read_only = on")
        connection.commit()  # type: ignore[attr-defined]
    cursor.close()


@pytest.mark.parametrize("point", POINTS)
async def test_a_read_only_database_sends_nothing_more(
    database: Database, tmp_path: Path, point: Point
) -> None:
    _prepare(database)

    def fault() -> None:
        if not event.contains(database.engine, "connect", _refuse_writes):
            event.listen(database.engine, "connect", _refuse_writes)
            database.dispose()

    def mend() -> None:
        event.remove(database.engine, "connect", _refuse_writes)
        database.dispose()

    first, second, mailbox, between = await _twice(database, tmp_path, point, fault, mend)
    assert first.fault is Fault.DATABASE
    assert len(mailbox.recipients) == len(set(mailbox.recipients))
    assert sorted(mailbox.recipients) == NAMES
    # The journal knew of what was accepted and could not be written down.
    assert set(_states(database).values()) <= {LetterState.ACCEPTED, LetterState.UNKNOWN}
    if point is not _at_the_journal:
        assert set(_states(database).values()) == {LetterState.ACCEPTED}
    assert second.stopped == ""
    assert LetterState.REFUSED not in between.values()


@pytest.mark.parametrize("point", POINTS)
async def test_a_locked_database_is_waited_for_and_nothing_leaves_meanwhile(
    database: Database, database_url: str, tmp_path: Path, point: Point
) -> None:
    """Another writer has it for a while, as a roster being read in has."""
    _prepare(database)
    locking: list[threading.Thread] = []
    seen: list[int] = []

    async with mail_server() as mailbox:

        def hold_the_lock(locked: threading.Event) -> None:
            other = connect(database_url)
            with other.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text("LOCK TABLE letter IN ACCESS EXCLUSIVE MODE"))
                else:
                    connection.execute(text("UPDATE letter SET notices = notices"))
                locked.set()
                before = len(mailbox.received)
                threading.Event().wait(1.5)
                seen.append(len(mailbox.received) - before)
            other.dispose()

        def fault() -> None:
            if not locking:
                locked = threading.Event()
                locking.append(threading.Thread(target=hold_the_lock, args=(locked,)))
                locking[0].start()
                locked.wait(30)

        handing = _handing(mailbox, tmp_path)
        hold_if_restored(database, handing.journal, at=AT)
        with pytest.MonkeyPatch.context() as patch:
            point(patch, fault)
            tally = await hand_over(database, handing, now=lambda: AT)
    locking[0].join()
    assert (tally.accepted, tally.stopped) == (6, "")
    assert sorted(mailbox.recipients) == NAMES
    # At most what had been let pass already: a letter on each connection.
    assert seen[0] <= 2
