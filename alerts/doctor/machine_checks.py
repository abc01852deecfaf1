"""The machine: room on its disks."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from alerts.doctor.findings import Check, Finding, fine, mend, unknown

#: Octets that are to stay free; and how many times the database, whose backup and whose
#: compaction each need as much again.
LEAST_FREE, TIMES_DATABASE = 500_000_000, 3


def database_file(url: str) -> Path | None:
    """The file of a SQLite database; None for another, whose disk is not ours to see."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def check_disk(database: Path | None, others: Iterable[Path]) -> Iterator[Finding]:
    """The disks of the database, of the journal and of what is postponed have room."""
    needed = LEAST_FREE
    if database is not None and database.exists():
        needed = max(needed, TIMES_DATABASE * database.stat().st_size)
    files = [one for one in (database, *others) if one is not None]
    try:
        free = {shutil.disk_usage(standing(file)).free: file for file in files}
    except OSError:
        yield unknown(Check.DISK, "unseen")
        return
    least = min(free)
    if least < needed:
        yield mend(Check.DISK, "full", folder=str(free[least].parent), free=least, needed=needed)
    else:
        yield fine(Check.DISK, free=least)


def standing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
