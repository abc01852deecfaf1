"""Databases of so many contacts, and an edition of theirs, whole or in part: the product's own way.

SQLite on the disk. Calls are real titles, readers invented (benchmarks.rows); the sink is
benchmarks.counting_sink. The relay signs, on every side of a comparison.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import select, update

from alerts import editions, holds, ledger, owed, periodic
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.entitlement import contacts_refused
from alerts.handing import Handing, Tally
from alerts.journal import open_journal
from alerts.looked import Looked
from alerts.matching import Wanted
from alerts.owed import Shard
from alerts.recovery import hold_if_restored
from alerts.streams import Tick
from alerts.tables import Edition, EditionState
from base.database import Database, connect, upgrade
from benchmarks import rows
from tests.coop import AT, DESK, LONG_AGO

SEED, CALLS = 20260921, 500
_PROCESSES = multiprocessing.get_context("fork")


@dataclass(frozen=True, kw_only=True, slots=True)
class Coop:
    """A database with so many contacts, its journal, and the weekly edition that is due."""

    folder: Path
    contacts: int
    wishes: rows.Wishes = rows.three_sectors

    @contextmanager
    def opened(self) -> Iterator[Database]:
        database = connect(f"sqlite:///{self.folder / 'alertes.sqlite3'}")
        try:
            yield database
        finally:
            database.dispose()

    @property
    def size(self) -> int:
        """Octets of the database."""
        return sum(one.stat().st_size for one in self.folder.glob("alertes.sqlite3*"))

    def seed(self) -> None:
        """Bulk inserts, as the service's own rows are."""
        chosen = random.Random(SEED)  # noqa: S311, no secret
        upgrade(f"sqlite:///{self.folder / 'alertes.sqlite3'}")
        with self.opened() as database:
            hold_if_restored(database, open_journal(self.folder / "journal"), at=AT)
            with database.write() as session:
                holds.release_first_run(session, by="benchmark", at=AT)
                rows.calls(session, CALLS, chosen, AT - timedelta(hours=1))
            rows.readers(database, self.contacts, chosen, LONG_AGO, self.wishes)
            with database.write() as session:
                editions.open_due(session, AT)

    def copied(self, name: str) -> Coop:
        """The same, elsewhere."""
        folder = self.folder.with_name(name)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)


class _After(threading.Event):
    """Set once it was asked so many times: a shard ends after so many batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._left = batches

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


def weekly(database: Database) -> Edition:
    """The edition."""
    with database.read() as session:
        return session.scalars(select(Edition).where(Edition.frequency == "weekly")).one()


def planned(coop: Coop) -> int:
    """Match all of them: how many notices they would be told; nothing is written."""
    found, after = 0, 0
    with coop.opened() as database:
        edition, tick = (
            weekly(database),
            Tick(database=database, desk=DESK, at=AT, looked=Looked()),
        )
        plan, shelf = periodic.plan(tick, edition), tick.calls.shelf
        while True:
            with database.read() as session:
                pending = owed.pending(session, edition, plan, after=after)
                if not pending:
                    return found
                after = pending[-1].contact.id
                ids = [one.contact.id for one in pending]
                refused = contacts_refused(session, ids, at=AT)
                heard = ledger.heard(session, ids, tick.calls.by_cluster)
                for one in pending:
                    if one.contact.id not in refused and one.subscription is not None:
                        settled = heard[one.contact.id].settled
                        wanted = Wanted.of(one.subscription)
                        found += sum(key not in settled for key in shelf.matching(wanted))


def written(database: Database, shard: Shard, looked: Looked, batches: int = sys.maxsize) -> None:
    """The letters of a shard of the edition, or those of its first batches."""
    edition, stop = weekly(database), _After(batches)
    editions.write_shard(database, DESK, edition.id, shard, at=AT, looked=looked, stop=stop)


def handed_over(database: Database, journal: Path, port: int) -> Tally:
    """What is written, as if the edition were whole: of most contacts there is no letter."""
    _set(database, EditionState.WRITTEN)
    handing = Handing(
        relay=Relay(host="127.0.0.1", port=port, tls="none", helo="benchmark"),
        sender="retours@exemple.quebec",
        allowed=frozenset({"*"}),
        journal=open_journal(journal),
        connections=50,
    )
    tally = asyncio.run(hand_over(database, handing, now=lambda: AT))
    _set(database, EditionState.OPEN)
    assert not tally.stopped, tally.stopped  # noqa: S101, else no figure
    return tally


def _set(database: Database, state: EditionState) -> None:
    with database.write() as session:
        session.execute(update(Edition).where(Edition.frequency == "weekly").values(state=state))


def alone(work: Callable[[], Any]) -> tuple[Any, int, float, float]:
    """In a process of its own: the result, most octets in memory (VmHWM), seconds, processor."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_alone, args=(work, theirs))
    process.start()
    theirs.close()
    try:
        found = ours.recv()
    finally:
        process.join()
    return found  # type: ignore[no-any-return]


def _alone(work: Callable[[], Any], to: Any) -> None:  # noqa: ANN401, a pipe's end has no name
    wall, processor = perf_counter(), process_time()
    result = work()
    spent = perf_counter() - wall, process_time() - processor
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    to.send((result, int(peak.split()[1]) * 1024, *spent))
