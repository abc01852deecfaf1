"""The schema, and the two kinds of transaction, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, StatementError

import alerts.answer_tables
import alerts.hold_tables
import alerts.staff_tables
import alerts.tables  # noqa: F401
import base.concerns
import base.heartbeat
import base.incidents
import base.maintenance  # noqa: F401
import sources.tables  # noqa: F401
import subscriptions.import_tables
import subscriptions.tables  # noqa: F401
from base import audit
from base.database import Base, Database, alembic_config, connect, head, ready, ready_or_new
from base.errors import DatabaseAbsent, DatabaseOutdated

AT = datetime(2026, 9, 21, 10, tzinfo=UTC)


def _noted(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(audit.Audit)) or 0


def test_migrations_make_the_schema_that_the_tables_declare(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_last_migration_is_the_head_that_alembic_finds() -> None:
    script = ScriptDirectory.from_config(alembic_config(""))
    assert script.get_heads() == [head()]


def test_a_moment_comes_back_aware_in_utc(database: Database) -> None:
    with database.write() as session:
        audit.record(session, at=AT, who="anne", action="essai", subject="contact:1")
    with database.read() as session:
        assert session.scalars(select(audit.Audit.at)).one() == AT


def test_a_naive_moment_is_refused(database: Database) -> None:
    naive = AT.replace(tzinfo=None)
    with pytest.raises(StatementError, match="naive datetime"), database.write() as session:
        audit.record(session, at=naive, who="anne", action="essai", subject="contact:1")


def _note_twice(database: Database) -> None:
    with database.write() as session:
        audit.record(session, at=AT, who="anne", action="essai", subject="contact:1")
        session.flush()
        session.add(audit.Audit(id=1, at=AT, who="anne", action="essai"))
        session.flush()


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError):
        _note_twice(database)
    assert _noted(database) == 0


def test_what_a_reading_transaction_changes_is_thrown_away(database: Database) -> None:
    with database.read() as session:
        audit.record(session, at=AT, who="anne", action="essai", subject="contact:1")
        session.flush()
    assert _noted(database) == 0


def test_sending_never_creates_a_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseAbsent):
        ready(f"sqlite:///{tmp_path}/none.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_reading_creates_an_absent_database_at_head(tmp_path: Path) -> None:
    database = ready_or_new(f"sqlite:///{tmp_path}/var/new.sqlite3")
    assert _noted(database) == 0
    database.dispose()


def test_an_older_database_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.sqlite3"
    ready_or_new(url).dispose()
    old = connect(url)
    with old.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    old.dispose()
    with pytest.raises(DatabaseOutdated):
        ready(url)
