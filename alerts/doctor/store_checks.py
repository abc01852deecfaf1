"""The database, its version, and what it and the journal say of the clock and of each other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import false, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from alerts.doctor.findings import Check, Finding, fine, mend, unknown
from alerts.doctor.machine_checks import standing
from alerts.hold_tables import Instance
from alerts.journal import CLOCK_SLACK, Journal
from alerts.tables import Letter
from base.audit import Audit
from base.database import Database, ready
from base.errors import DatabaseAbsent, DatabaseOutdated
from base.heartbeat import Heartbeat
from sources import freshness
from sources.catalogue import Source
from sources.freshness import Standing
from sources.tables import Reading

#: The database and the disk that a lock may be waited for, in seconds.
BUSY = 5.0
#: Hours east of UTC in Québec, at noon of a winter's and of a summer's day.
_OFFSETS = {datetime(2026, 1, 15, 17, tzinfo=UTC): -5, datetime(2026, 7, 15, 16, tzinfo=UTC): -4}
#: Nobody runs this program before it was written.
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


def open_store(url: str) -> tuple[Database | None, list[Finding]]:
    """The database where it can be asked, and what is to be said of it and of its version."""
    try:
        store = ready(url, busy=BUSY)
    except DatabaseAbsent:
        return None, [mend(Check.DATABASE, "absent"), unknown(Check.MIGRATIONS, "no database")]
    except DatabaseOutdated as fault:
        outdated = mend(Check.MIGRATIONS, "outdated", found=fault.found, wanted=fault.wanted)
        return None, [fine(Check.DATABASE), outdated]
    except (SQLAlchemyError, OSError):
        return None, [mend(Check.DATABASE, "unopened"), unknown(Check.MIGRATIONS, "no database")]
    try:
        # No row is concerned, but a lock is taken that a database which is only read refuses.
        with store.write() as session:
            session.execute(update(Instance).where(false()).values(begun=Instance.begun))
    except (SQLAlchemyError, OSError):
        store.dispose()
        return None, [mend(Check.DATABASE, "read only"), fine(Check.MIGRATIONS)]
    return store, [fine(Check.DATABASE), fine(Check.MIGRATIONS)]


def last_row(session: Session) -> datetime | None:
    """The latest moment that a row tells of; None in an empty database."""
    asked = (
        func.max(Reading.at),
        func.max(Letter.written_at),
        func.max(Audit.at),
        func.max(Heartbeat.at),
    )
    found = [session.scalar(select(one)) for one in asked]
    return max((one for one in found if one is not None), default=None)


def check_clock(last: datetime | None, at: datetime) -> Iterator[Finding]:
    """The zone of Québec is known, and the clock is not behind what was already written."""
    try:
        zone = ZoneInfo("America/Toronto")
    except ZoneInfoNotFoundError:
        yield mend(Check.CLOCK, "no zone")
        return
    hours = {noon: noon.astimezone(zone).utcoffset() for noon in _OFFSETS}
    if any(hours[n] is None or hours[n].total_seconds() != h * 3600 for n, h in _OFFSETS.items()):  # type: ignore[union-attr]
        yield mend(Check.CLOCK, "wrong zone")
    elif at < _WRITTEN or (last is not None and at < last - CLOCK_SLACK):
        yield mend(Check.CLOCK, "behind", now=at, last=last)
    else:
        yield fine(Check.CLOCK, now=at)


def check_journal(session: Session | None, path: Path) -> Iterator[Finding]:
    """It can be written, and it does not know of letters that the database has forgotten."""
    if not path.exists():
        writable = os.access(standing(path), os.W_OK | os.X_OK)
        yield fine(Check.JOURNAL, "new") if writable else mend(Check.JOURNAL, "folder")
        return
    try:
        with path.open("r+b"):
            pass
        with path.open(encoding="utf-8", errors="replace") as file:
            journal = Journal(path, file.readline().strip())
        number, _ = journal.last_begun()
    except OSError:
        yield mend(Check.JOURNAL, "unwritable")
        return
    if session is None:
        yield fine(Check.JOURNAL)
        return
    known = session.scalar(select(Instance.begun).where(Instance.token == journal.token))
    if number > (known or 0):
        yield mend(Check.JOURNAL, "ahead", journal=number, database=known or 0)
    else:
        yield fine(Check.JOURNAL)


def check_sources(session: Session, sources: tuple[Source, ...], at: datetime) -> Iterator[Finding]:
    """Each source that is read gives what it should."""
    states = freshness.coverage(session, at, sources)
    wrong = [one for one in states if one.standing not in {Standing.FRESH, Standing.FAILING}]
    for one in wrong:
        since = one.missing_since
        yield mend(Check.SOURCES, one.standing.value, source=one.key, since=since)
    for one in states:
        if one.standing is Standing.FAILING:
            yield unknown(Check.SOURCES, "failing", source=one.key, since=one.missing_since)
    if all(one.standing is Standing.FRESH for one in states):
        yield fine(Check.SOURCES, count=len(states))
