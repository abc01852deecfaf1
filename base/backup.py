"""Copies of the database: made while it is in use, put back whole or not at all.

A copy is one file and has the rows only: neither the keys (.env) nor the journal of what was
handed over, which must outlive the database to tell that it was restored (alerts.journal).
SQLite is copied by its own online backup; PostgreSQL by pg_dump, and put back by one transaction
of psql.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, make_url

from base.database import history
from base.errors import CopyRefused

#: The names that `save` gives, by which `prune` knows what is its own.
_NAME = re.compile(r"alertes-\d{8}T\d{6}Z(?:-\d+)?\.(?:sqlite3|pgdump)")
_SQLITE, _PGDUMP = b"SQLite format 3\x00", b"PGDMP"
#: Empties a PostgreSQL database of our tables and functions, so that one of any version can be put
#: back. The tables go first: their triggers use the functions.
_EMPTY = """DO $$ DECLARE r record; BEGIN
FOR r IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
EXECUTE format('DROP TABLE %I CASCADE', r.tablename); END LOOP;
FOR r IN SELECT p.oid::regprocedure AS name FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  LEFT JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
  WHERE n.nspname = current_schema() AND d.objid IS NULL LOOP
EXECUTE format('DROP ROUTINE %s CASCADE', r.name); END LOOP; END $$;
"""


def save(url: str, folder: Path, *, at: datetime, name: str = "alertes") -> Path:
    """Copy the database at `url` into a new file of `folder`, which is made when absent.

    The file has `name` and the moment in UTC for its name; those of another name are not pruned.

    Readable by its owner only, durable, and checked before it has its name.

    Raises:
        CopyRefused: no pg_dump, or it failed; or the copy is damaged.
        OSError: the folder cannot be written.
    """
    parsed = make_url(url)
    kind = "sqlite3" if parsed.get_backend_name() == "sqlite" else "pgdump"
    folder.mkdir(parents=True, exist_ok=True)
    path = _free(folder, f"{name}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}", kind)
    with _new(path) as made:
        if kind == "sqlite3":
            _copy_sqlite(Path(str(parsed.database)), made)
        else:
            _run(parsed, "pg_dump", "--format=custom", "--no-owner", "--no-privileges",
                 f"--file={made}")  # fmt: skip
    return path


def prune(folder: Path, keep: int) -> list[Path]:
    """Delete all copies of `folder` but the `keep` newest; which they were. No other file."""
    made = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    old = made[:-keep]
    for path in old:
        path.unlink()
    return old


def version(path: Path, url: str) -> str:
    """The schema revision of a copy that can be put back into the database at `url`.

    Raises:
        CopyRefused: no copy, of the other kind of database, damaged, or of a later program.
    """
    parsed = make_url(url)
    with path.open("rb") as file:
        first = file.read(16)
    if not first.startswith((_SQLITE, _PGDUMP)):
        raise CopyRefused("no copy")
    if first.startswith(_SQLITE) != (parsed.get_backend_name() == "sqlite"):
        raise CopyRefused("other kind")
    found = _sqlite_version(path) if first.startswith(_SQLITE) else _dump_version(path, parsed)
    if found not in history():
        raise CopyRefused("later", found)
    return found


def restore(path: Path, url: str, also: str) -> None:
    """Put the copy at `path` in the place of what is at `url`; all, with `also`, or nothing.

    `also` is one statement of SQL that is run on it within the same transaction. The schema
    stays the copy's: `base.database.upgrade` comes next.

    Raises:
        CopyRefused: as `version`, or psql failed: nothing was changed.
    """
    version(path, url)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _restore_sqlite(path, Path(str(parsed.database)), also)
        return
    script = _run(parsed, "pg_restore", "--no-owner", "--no-privileges", "--file=-", str(path),
                  connected=False)  # fmt: skip
    whole = f"{_EMPTY}{script}\nSET search_path = public;\n{also};\n"
    _run(parsed, "psql", "--no-psqlrc", "--quiet", "--single-transaction",
         "--set=ON_ERROR_STOP=1", "--output=/dev/null", given=whole)  # fmt: skip


def _free(folder: Path, name: str, kind: str) -> Path:
    """A path that nothing has: a second copy within a second gets a number."""
    path, number = folder / f"{name}.{kind}", 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}.{kind}"
    return path


@contextmanager
def _new(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, which it becomes at the end; deleted on an exception."""
    made = path.with_name(f".{path.name}.part")
    made.unlink(missing_ok=True)
    os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield made
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as present, closing(sqlite3.connect(target)) as copy:
        present.backup(copy)
        # One file, without a log of its own beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
        _check(copy)


def _restore_sqlite(path: Path, target: Path, also: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Made ready beside the copy's bytes, in memory or its temporary file, then put in at once.
    with closing(sqlite3.connect("")) as ready:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            copy.backup(ready)
        _check(ready)
        with ready:
            ready.execute(also)
        with closing(sqlite3.connect(target, timeout=30)) as database:
            ready.backup(database)
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    target.chmod(0o600)


def _check(copy: sqlite3.Connection) -> None:
    if copy.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
        raise CopyRefused("damaged")


def _sqlite_version(path: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            _check(copy)
            (found,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.DatabaseError, TypeError) as error:
        raise CopyRefused("damaged") from error
    return str(found)


def _dump_version(path: Path, url: URL) -> str:
    told = _run(url, "pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(path),
                connected=False)  # fmt: skip
    found = re.search(r"(?m)^COPY .*alembic_version.*$\n(\w+)$", told)
    if found is None:
        raise CopyRefused("damaged")
    return found[1]


def _run(url: URL, tool: str, *options: str, connected: bool = True, given: str = "") -> str:
    """Run a program of PostgreSQL; what it wrote. The password is not on its command line."""
    program = shutil.which(tool)
    if program is None:
        raise CopyRefused("no tool", tool)
    known = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    password = str(known.pop("password", ""))
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415, SQLite needs no driver

    words = [program, *options]
    if connected:
        words.append(f"--dbname={make_conninfo(**known)}")
    done = subprocess.run(  # noqa: S603, a program of PostgreSQL, no shell
        words,
        input=given,
        capture_output=True,
        text=True,
        env={"PGPASSWORD": password, "LC_ALL": "C.UTF-8"},
        check=False,
    )
    if done.returncode:
        raise CopyRefused("tool failed", f"{tool}: {done.stderr.strip()[-300:]}")
    return done.stdout
