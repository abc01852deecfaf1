"""The database: one engine a process, two kinds of transaction, a schema kept by Alembic."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from base.errors import DatabaseAbsent, DatabaseOutdated

if TYPE_CHECKING:
    from alembic.config import Config

ROOT = Path(__file__).resolve().parent.parent
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
#: How long a writer waits for another one on SQLite, in seconds.
BUSY = 30


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        if value is None:
            return None
        # SQLite drops the offset; what it gives back is the UTC we stored.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The root of all tables; each package declares its own."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012, SQLAlchemy's own name


@dataclass(frozen=True, slots=True)
class Database:
    """What entry points hold; everything below them takes a session."""

    engine: Engine

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed at the end, rolled back on an exception.

        On SQLite it takes the write lock at once, so that it never fails half way
        because another writer came between its reading and its writing.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads; whatever it changed is thrown away.

        What was read stays readable after the end, without its relations.
        """
        reader = self.engine.execution_options(reads_only=True)
        with Session(reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    def dispose(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()


def connect(url: str, *, busy: float = BUSY) -> Database:
    """The database at `url`, whatever its schema; see `ready` and `ready_or_new`.

    `busy` is how long, in seconds, a statement may wait for another's lock. On PostgreSQL
    it holds only where it is shorter than `BUSY`.
    """
    # As many connections as a web process has threads: none waits for another's lock.
    pool = {"pool_size": 40, "pool_timeout": busy} if busy < BUSY else {}
    if make_url(url).get_backend_name() != "sqlite":
        waits = f"-c lock_timeout={int(busy * 1000)}" if busy < BUSY else ""
        options = {"options": waits, "connect_timeout": max(2, int(busy))} if waits else {}
        return Database(
            create_engine(
                url, pool_pre_ping=True, hide_parameters=True, connect_args=options, **pool
            )
        )
    # Parameters hold addresses, which must not be in a log's traceback.
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy}, **pool)
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", _sqlite_begins)
    return Database(engine)


def _sqlite_connected(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would open its own transactions; ours are begun by `_sqlite_begins`.
    connection.isolation_level = None
    # WAL lets the pages read while a letter is written; FULL makes a commit durable; what is
    # deleted is overwritten, also where SQLite was not built to do so.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begins(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def ready(url: str, *, busy: float = BUSY) -> Database:
    """The database at `url`, which must exist and be of this code's schema.

    Raises:
        DatabaseAbsent: there is none. Sending never creates one: an empty
            database would know nothing of what has already been told.
        DatabaseOutdated: it is of an older (or newer) version.
    """
    path = _sqlite_path(url)
    if path is not None and not path.exists():
        raise DatabaseAbsent(str(path))
    database = connect(url, busy=busy)
    found, wanted = _revision(database), head()
    if found == wanted:
        return database
    database.dispose()
    if found is None:
        raise DatabaseAbsent(make_url(url).render_as_string())
    raise DatabaseOutdated(found, wanted)


def ready_or_new(url: str) -> Database:
    """As `ready`, but an absent SQLite file is created at head first."""
    path = _sqlite_path(url)
    if path is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        upgrade(url)
    return ready(url)


def upgrade(url: str) -> None:
    """Bring the schema to head; a second call changes nothing."""
    from alembic import command  # noqa: PLC0415, half a second that few commands need

    command.upgrade(alembic_config(url), "head")


def downgrade(url: str, to: str) -> None:
    """Bring the schema back to revision `to`; what newer tables and columns held is lost."""
    from alembic import command  # noqa: PLC0415, as above

    command.downgrade(alembic_config(url), to)


def history() -> list[str]:
    """Every schema revision this code knows, oldest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415, as above

    walked = ScriptDirectory.from_config(alembic_config("")).walk_revisions()
    return [str(one.revision) for one in walked][::-1]


def revision(url: str) -> str | None:
    """The schema revision of the database at `url`; None where there is no schema.

    Makes no file: an absent SQLite database has none.
    """
    path = _sqlite_path(url)
    if path is not None and not path.exists():
        return None
    database = connect(url)
    try:
        return _revision(database)
    finally:
        database.dispose()


def insert(session: Session, table: type[Base]) -> sqlite.Insert:
    """An INSERT that may be followed by ON CONFLICT, as the session's database has it."""
    if session.get_bind().dialect.name == "postgresql":
        # Another class with the same methods.
        return cast("sqlite.Insert", postgresql.insert(table))
    return sqlite.insert(table)


def alembic_config(url: str) -> Config:
    """Alembic's configuration for `url`, without a file."""
    from alembic.config import Config  # noqa: PLC0415, as above

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = url
    return config


def head() -> str:
    """The schema revision this code was written for: the last of the migrations, by their names.

    A test holds it against Alembic's own answer.
    """
    names = (path.name for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    return max(names).partition("_")[0]


def _revision(database: Database) -> str | None:
    with database.engine.execution_options(reads_only=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version"))
        return found.scalar_one_or_none()


def _sqlite_path(url: str) -> Path | None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database))
