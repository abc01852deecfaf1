"""The bytes of what was deleted, taken out of the database's own files.

SQLite: the file is written anew (VACUUM) and the write-ahead log emptied into it. PostgreSQL:
each table is written anew with its indexes (VACUUM FULL), and its statistics; what its write-ahead
log still holds goes when the server recycles it, which is the server's to say (docs/privacy.md).
Copies that were made before, backups above all, are not ours to change.
"""

from __future__ import annotations

import logging
import mmap
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

from base.database import Base, Database

logger = logging.getLogger(__name__)

#: Seconds that those who may see what was deleted are waited for; retention asks again each night.
_OVER_WITHIN = 20.0
_OVER = text(
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= :xmax AND NOT EXISTS ("
    "SELECT FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND xact_start < :moment)"
)


def wipe(database: Database, tables: Iterable[str] = ()) -> bool:
    """Write those tables anew, all where none is named; False where somebody kept what was deleted.

    On SQLite that is a reader of the log, on PostgreSQL a transaction that lasts. Takes the whole
    database for itself meanwhile. A second call does the same again.
    """
    if database.engine.dialect.name == "sqlite":
        return _rewrite_file(database)
    named = sorted(set(tables) or set(Base.metadata.tables))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        over = _all_over(connection)
        for table in named:
            connection.execute(text(f'VACUUM (FULL, ANALYZE) "{table}"'))
        over &= _all_over(connection)
        # The most common values of a column are kept there as they were.
        _as_far_as_allowed(connection, "VACUUM (FULL) pg_catalog.pg_statistic")
        _as_far_as_allowed(connection, "CHECKPOINT")
    return over


def empty_log(database: Database) -> bool:
    """SQLite: move the write-ahead log into the file and empty it; False where it is in use."""
    if database.engine.dialect.name != "sqlite":
        return True
    with _outside_transactions(database) as connection:
        return _truncate(connection)


def places(database: Database, needles: Iterable[bytes]) -> list[Path] | None:
    """The files of an SQLite database in which one of the needles stands; None for PostgreSQL."""
    files = files_of(database)
    return [path for path in files if _holds(path, list(needles))] if files else None


def files_of(database: Database) -> list[Path]:
    """The files of an SQLite database that exist; none for PostgreSQL."""
    url = make_url(database.engine.url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return []
    named = [Path(f"{url.database}{suffix}") for suffix in ("", "-wal", "-shm", "-journal")]
    return [path for path in named if path.exists()]


def _rewrite_file(database: Database) -> bool:
    with _outside_transactions(database) as connection:
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("VACUUM")
        return _truncate(connection)


def _truncate(connection: sqlite3.Connection) -> bool:
    """Waits for those who read, as long as any statement does."""
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return int(busy) == 0


@contextmanager
def _outside_transactions(database: Database) -> Iterator[sqlite3.Connection]:
    """The driver's own connection: the engine would begin a transaction."""
    pooled = database.engine.raw_connection()
    try:
        connection = pooled.driver_connection
        assert isinstance(connection, sqlite3.Connection)  # noqa: S101, its engine is SQLite's
        yield connection
    finally:
        pooled.close()


def _all_over(connection: Connection) -> bool:
    """Wait a while until each transaction is over that could still see what was deleted by now.

    A table that is written anew keeps what is deleted since the oldest one began: any that writes
    on the server, in whatever database, and any that reads in this one.
    """
    until = monotonic() + _OVER_WITHIN
    now = connection.execute(
        text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, clock_timestamp()")
    ).one()
    while not connection.scalar(_OVER, {"xmax": now[0], "moment": now[1]}):
        if monotonic() > until:
            return False
        sleep(0.05)
    return True


def _as_far_as_allowed(connection: Connection, statement: str) -> None:
    """What only the server's owner may do; the docs say what remains where it may not."""
    try:
        connection.execute(text(statement))
    except DBAPIError:
        logger.info("left to the server's owner", extra={"statement": statement})


def _holds(path: Path, needles: list[bytes]) -> bool:
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(needle) >= 0 for needle in needles)
