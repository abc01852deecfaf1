"""A copy is made while the database is in use, put back whole, and held from its first instant."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text

from alerts import holds, restoring
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import agree, open_journal
from alerts.tables import Letter, LetterState
from base import backup, concerns
from base.audit import Audit, record
from base.database import Database, connect, downgrade, head, revision, upgrade
from base.errors import CopyRefused
from subscriptions.tables import Contact
from tests.coop import AT, entitled, letter
from tests.mailserver import mail_server
from tests.pgtools import tools

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.usefixtures("_tools")


@pytest.fixture
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    tools(monkeypatch)


def _fill(database: Database) -> None:
    with database.write() as session:
        letter(session, entitled(session, "anne"))
        holds.release_first_run(session, by="essai", at=AT)


def _names(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Contact.address).order_by(Contact.id)))


def _causes(database: Database) -> list[str]:
    with database.read() as session:
        return [one.cause for one in holds.standing(session)]


def test_what_is_put_back_is_what_was_copied_and_it_is_held(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    _fill(database)
    copy = backup.save(database_url, tmp_path / "copies", at=AT)
    with database.write() as session:
        entitled(session, "luc")

    restoring.restore(copy, database_url, at=AT + HOUR, by="anne")

    assert _names(database) == ["anne@exemple.quebec"]
    assert _causes(database) == ["restored"]
    with database.read() as session:
        assert [one.cause for one in concerns.standing(session)] == ["hold restored"]


def test_a_copy_of_a_copy_can_be_put_back_again(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    _fill(database)
    copy = backup.save(database_url, tmp_path, at=AT)
    restoring.restore(copy, database_url, at=AT, by="anne")
    second = backup.save(database_url, tmp_path, at=AT + HOUR)
    restoring.restore(second, database_url, at=AT + HOUR, by="anne")
    assert _names(database) == ["anne@exemple.quebec"]
    with database.write() as session:
        entitled(session, "luc")  # keys go on counting


async def test_a_restored_database_sends_0_and_sends_once_staff_say_so(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    _fill(database)
    copy = backup.save(database_url, tmp_path, at=AT)
    async with mail_server() as mailbox:
        handing = Handing(
            relay=Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="essai"),
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(tmp_path / "journal"),
        )
        restoring.restore(copy, database_url, at=AT, by="anne")
        assert (await hand_over(database, handing, now=lambda: AT)).accepted == 0
        assert mailbox.received == []
        with database.write() as session:
            holds.lift(session, by="anne", at=AT)
        assert (await hand_over(database, handing, now=lambda: AT)).accepted == 1


def test_a_copy_is_of_one_moment_while_others_write(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Each transaction writes two rows: a copy never has an odd one."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with database.write() as session:
                for half in "ab":
                    record(session, at=AT, who="essai", action=half, subject=f"pair:{number}")
                    session.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [backup.save(database_url, tmp_path, at=AT + number * HOUR) for number in range(3)]
    finally:
        stop.set()
        writer.join()
    for copy in copies:
        restoring.restore(copy, database_url, at=AT, by="anne")
        with database.read() as session:
            halves = session.execute(select(Audit.action, func.count()).group_by(Audit.action))
            counted = dict(halves.all())
        assert counted.get("a") == counted.get("b")


def test_a_copy_of_an_older_program_is_brought_to_this_one_s_schema(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    _fill(database)
    database.dispose()
    downgrade(database_url, "0011")
    copy = backup.save(database_url, tmp_path, at=AT)
    upgrade(database_url)
    restoring.restore(copy, database_url, at=AT, by="anne")
    assert revision(database_url) == head()
    assert _causes(database) == ["restored"]


def test_migrations_go_back_and_forth_without_losing_letters(
    database: Database, database_url: str
) -> None:
    _fill(database)
    database.dispose()
    downgrade(database_url, "0011")
    assert revision(database_url) == "0011"
    upgrade(database_url)
    with database.read() as session:
        assert session.scalars(select(Letter.state)).all() == [LetterState.WRITTEN]


def test_a_copy_of_a_later_program_is_refused_and_nothing_is_changed(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    _fill(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    copy = backup.save(database_url, tmp_path, at=AT)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": head()})
    with pytest.raises(CopyRefused) as refused:
        restoring.restore(copy, database_url, at=AT, by="anne")
    assert (refused.value.reason, refused.value.detail) == ("later", "9999")
    assert (_names(database), _causes(database)) == (["anne@exemple.quebec"], [])


def test_a_copy_that_cannot_be_put_back_whole_changes_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    both = ["anne@exemple.quebec", "luc@exemple.quebec"]
    _fill(database)
    copy = backup.save(database_url, tmp_path, at=AT)
    with database.write() as session:
        entitled(session, "luc")
    with pytest.raises(Exception, match="no_such_table"):
        backup.restore(copy, database_url, "INSERT INTO no_such_table VALUES (1)")
    assert (_names(database), _causes(database)) == (both, [])
    size = copy.stat().st_size
    with copy.open("r+b") as file:
        file.truncate(size // 2)
    with pytest.raises(CopyRefused):
        restoring.restore(copy, database_url, at=AT, by="anne")
    assert (_names(database), _causes(database)) == (both, [])


@pytest.mark.parametrize("content", [b"", b"Nom;Courriel\n", b"PK\x03\x04"])
def test_what_is_no_copy_is_refused(database_url: str, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "liste.csv"
    path.write_bytes(content)
    with pytest.raises(CopyRefused, match="no copy"):
        backup.version(path, database_url)


def test_a_copy_of_the_other_kind_of_database_is_refused(database_url: str, tmp_path: Path) -> None:
    copy = backup.save(database_url, tmp_path, at=AT)
    is_sqlite = make_url(database_url).get_backend_name() == "sqlite"
    other = "postgresql+psycopg://x@127.0.0.1/x" if is_sqlite else "sqlite:///autre.sqlite3"
    with pytest.raises(CopyRefused, match="other kind"):
        backup.version(copy, other)


def test_a_copy_is_its_owner_s_and_has_neither_keys_nor_journal(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """The journal, were it put back with the rows, could not tell that they were."""
    _fill(database)
    journal = open_journal(tmp_path / "var" / "journal")
    copy = backup.save(database_url, tmp_path / "copies", at=AT)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in copy.parent.iterdir()] == ["alertes-20260921T100000Z." + (
        "sqlite3" if copy.suffix == ".sqlite3" else "pgdump"
    )]  # fmt: skip
    assert journal.token.encode() not in copy.read_bytes()


def test_only_old_copies_of_our_own_naming_are_deleted(database_url: str, tmp_path: Path) -> None:
    made = [backup.save(database_url, tmp_path, at=AT + number * HOUR) for number in range(4)]
    for name in ("membres.csv", "alertes-autre.sqlite3"):
        (tmp_path / name).write_text("x")
    assert backup.prune(tmp_path, 2) == made[:2]
    left = {one.name for one in tmp_path.iterdir()} - {"alertes.sqlite3"}
    left = {one for one in left if not one.startswith("alertes.sqlite3")}
    assert left == {made[2].name, made[3].name, "membres.csv", "alertes-autre.sqlite3"}


def test_without_its_tool_postgresql_is_not_copied(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database_url.startswith("postgresql"):
        assert backup.save(database_url, tmp_path, at=AT).exists()
        return
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CopyRefused, match="no tool: pg_dump"):
        backup.save(database_url, tmp_path / "copies", at=AT)
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_database_put_back_elsewhere_needs_nothing_there(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """A new machine: the copy, and an empty place."""
    _fill(database)
    copy = backup.save(database_url, tmp_path, at=AT)
    if database_url.startswith("sqlite"):
        elsewhere = f"sqlite:///{tmp_path / 'neuf' / 'alertes.sqlite3'}"
        restoring.restore(copy, elsewhere, at=AT, by="anne")
        opened = connect(elsewhere)
        assert (_names(opened), _causes(opened)) == (["anne@exemple.quebec"], ["restored"])
        opened.dispose()
        return
    with database.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    restoring.restore(copy, database_url, at=AT, by="anne")
    assert (_names(database), _causes(database)) == (["anne@exemple.quebec"], ["restored"])


async def test_what_left_after_the_copy_was_made_does_not_leave_again(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """The letter waits in the copy; the journal, which is not in the copy, has its acceptance."""
    _fill(database)
    copy = backup.save(database_url, tmp_path, at=AT)
    async with mail_server() as mailbox:
        handing = Handing(
            relay=Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="essai"),
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(tmp_path / "journal"),
        )
        assert (await hand_over(database, handing, now=lambda: AT)).accepted == 1
        restoring.restore(copy, database_url, at=AT, by="anne")
        with database.write() as session:
            assert restoring.settle_accepted(session, handing.journal, at=AT) == 1
            assert restoring.settle_accepted(session, handing.journal, at=AT) == 0
            holds.lift(session, by="anne", at=AT)
            agree(session, handing.journal)
        assert (await hand_over(database, handing, now=lambda: AT)).accepted == 0
        assert len(mailbox.received) == 1
    with database.read() as session:
        assert session.scalars(select(Letter.state)).all() == [LetterState.ACCEPTED]
