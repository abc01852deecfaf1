"""How cost and memory grow with the contacts, on SQLite on the disk.

    python -m benchmarks.scale [--full]
    python -m benchmarks.scale --contacts 1000 10000 100000 1000000

The first measures two ratios: what a letter costs (matched, built, frozen, in the ledger, handed
over) in a database of many contacts against one of few, by turns, lot after lot; and the most
memory that a process takes for a whole edition. The second prints what each stage of an edition
takes at each size. Letters are made for at most MOST contacts; beyond, all are matched and planned
only. Readers have three sectors each, calls are real titles; sink: benchmarks.counting_sink.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import func, select, text, update

from alerts import editions, holds, ledger, owed, periodic
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.entitlement import contacts_refused
from alerts.handing import Handing, Tally
from alerts.journal import open_journal
from alerts.looked import Looked
from alerts.matching import Match, Shelf, Wanted
from alerts.owed import Shard
from alerts.recovery import hold_if_restored
from alerts.streams import Tick
from alerts.tables import Edition, EditionState, Letter, LetterState, Told
from base.database import Database, connect, upgrade
from benchmarks import rows
from benchmarks.counting_sink import counting
from benchmarks.measured import Measured, Size, interleaved, report
from tests.coop import AT, DESK, LONG_AGO

SEED, CALLS = 20260921, 500
#: Contacts that letters are made for.
MOST = 100_000
#: Contacts of one lot of the growth ratio, and of how many lots an edition is made.
LOT, LOTS = 1000, 10
#: Many and few contacts: for what a letter costs, and for memory.
SIZES = {
    Size.QUICK: ((20_000, 2_000), (3_000, 300), 200),
    Size.FULL: ((1_000_000, 10_000), (100_000, 10_000), LOT),
}
_PROCESSES = multiprocessing.get_context("fork")


@dataclass(frozen=True, kw_only=True, slots=True)
class Coop:
    """A database with so many contacts, its journal, and the weekly edition that is due."""

    folder: Path
    contacts: int

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
            rows.readers(database, self.contacts, chosen, LONG_AGO)
            with database.write() as session:
                editions.open_due(session, AT)

    def copied(self, name: str) -> Coop:
        """The same, elsewhere."""
        folder = self.folder.with_name(name)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return Coop(folder=folder, contacts=self.contacts)


class _After(threading.Event):
    """Set once it was asked so many times: a shard ends after so many batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._left = batches

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


def _weekly(database: Database) -> Edition:
    with database.read() as session:
        return session.scalars(select(Edition).where(Edition.frequency == "weekly")).one()


def planned(coop: Coop) -> int:
    """Match all of them: how many notices they would be told; nothing is written."""
    found, after = 0, 0
    with coop.opened() as database:
        edition, tick = (
            _weekly(database),
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
                heard = ledger.heard(session, ids)
                for one in pending:
                    if one.contact.id not in refused and one.subscription is not None:
                        settled = heard[one.contact.id].settled
                        wanted = Wanted.of(one.subscription)
                        found += sum(key not in settled for key in _matching(shelf, wanted))


def _matching(shelf: Shelf[int], wanted: Wanted) -> list[int]:
    return [key for key, made in shelf.decide(wanted) if isinstance(made, Match)]


def written(database: Database, shard: Shard, looked: Looked, batches: int = sys.maxsize) -> None:
    """The letters of a shard of the edition, or those of its first batches."""
    edition, stop = _weekly(database), _After(batches)
    editions.write_shard(database, DESK, edition.id, shard, at=AT, looked=looked, stop=stop)


def handed_over(database: Database, journal: Path, port: int) -> Tally:
    """What is written, as if the edition were whole: of most contacts there is no letter."""
    _set(database, EditionState.WRITTEN)
    handing = Handing(
        relay=Relay(host="127.0.0.1", port=port, tls="none", helo="benchmark"),
        sender="retours@exemple.quebec",
        allowed=frozenset({"*"}),
        journal=open_journal(journal),
        connections=10,
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


# What a letter costs.


class Side:
    """One database, lot after lot."""

    def __init__(self, coop: Coop, database: Database, lot: int) -> None:
        self.coop, self.database, self.lot = coop, database, lot
        self.looked, self.numbers, self.accepted = Looked(), iter(range(LOTS)), 0

    def next(self, port: int) -> float:
        """Microseconds of processor a letter of the next lot, written and handed over."""
        begun, number = process_time(), next(self.numbers)
        batches = max(1, self.lot // owed.BATCH)
        written(self.database, Shard(number, LOTS), self.looked, batches)
        tally = handed_over(self.database, self.coop.folder / "journal", port)
        self.accepted += tally.accepted
        return (process_time() - begun) / tally.accepted * 1e6

    def told(self) -> list[tuple[int, int]]:
        """Whom of what; all of it must be in letters that were accepted."""
        with self.database.read() as session:
            unsettled = select(Letter.id).where(Letter.state != LetterState.ACCEPTED).limit(1)
            assert session.scalar(unsettled) is None  # noqa: S101, else no figure
            found = select(Told.contact_id, Told.cluster_id).order_by(
                Told.contact_id, Told.cluster_id
            )
            return [(contact_id, cluster_id) for contact_id, cluster_id in session.execute(found)]


def growth(size: Size, root: Path) -> Measured:
    """A letter of many contacts against one of few."""
    (many, few), _, lot = SIZES[size]
    coops = [seeded(root, contacts) for contacts in (many, few)]
    with counting() as sink, coops[0].opened() as large, coops[1].opened() as small:
        sides = Side(coops[0], large, lot), Side(coops[1], small, lot)
        for side in sides:
            side.next(sink.port)  # reads what a process reads once
        figures = interleaved(partial(sides[0].next, sink.port), partial(sides[1].next, sink.port))
        assert sides[0].told() == sides[1].told()  # noqa: S101, else no figure
        accepted = sum(side.accepted for side in sides)
        assert accepted == sink.letters, "sink"  # noqa: S101, as above
        return Measured(
            name="growth",
            what=f"processor a letter, {many} contacts / {few} contacts",
            goal=1.2,
            at_most=True,
            rounds=tuple(ours / theirs for ours, theirs in figures),
            detail=(
                f"seed {SEED}, {CALLS} calls, lots of {lot} contacts of either, SQLite on disk",
                "us a letter: " + ", ".join(f"{one:.0f}/{two:.0f}" for one, two in figures),
                f"database: {coops[0].size >> 20} MiB and {coops[1].size >> 20} MiB",
            ),
            twin=f"the same {len(sides[0].told())} notices told of either; {accepted} letters "
            "accepted, as many as the sink counted",
            size=size,
        )


# The most memory.


def whole_edition(coop: Coop, port: int) -> int:
    """All of the edition, written and handed over; how many letters."""
    with coop.opened() as database:
        written(database, Shard(0, 1), Looked())
        return handed_over(database, coop.folder / "journal", port).accepted


def memory(size: Size, root: Path) -> Measured:
    """The peak of a process that does a whole edition of many against one of few."""
    _, (many, few), _ = SIZES[size]
    coops = {contacts: seeded(root, contacts) for contacts in (many, few)}
    letters: list[int] = []

    def peak(contacts: int) -> float:
        with counting() as sink:
            made, octets, *_ = alone(
                partial(whole_edition, coops[contacts].copied("again"), sink.port)
            )
            assert made == sink.letters == sink.mailboxes, "sink"  # noqa: S101, else no figure
            letters.append(made)
            return float(octets)

    figures = interleaved(partial(peak, many), partial(peak, few))
    return Measured(
        name="memory",
        what=f"most memory of a process, {many} contacts / {few} contacts",
        goal=1.3,
        at_most=True,
        rounds=tuple(ours / theirs for ours, theirs in figures),
        detail=(
            f"seed {SEED}, {CALLS} calls, a whole weekly edition each in a process of its own",
            "MiB: " + ", ".join(f"{one / 2**20:.0f}/{two / 2**20:.0f}" for one, two in figures),
        ),
        twin=f"{sum(letters)} letters accepted, each reader's once at the sink",
        size=size,
    )


def seeded(root: Path, contacts: int) -> Coop:
    """That many, made once a run."""
    coop = Coop(folder=root / str(contacts), contacts=contacts)
    if not coop.folder.exists():
        coop.folder.mkdir()
        alone(coop.seed)
    return coop


def measure(size: Size) -> Iterable[Measured]:
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        # First: the processes are forked, and begin with what this one has in memory.
        yield memory(size, Path(folder))
        yield growth(size, Path(folder))


# Each stage, at each size.


def stages(contacts: int, root: Path) -> None:
    """Print what each takes; letters for MOST contacts at most."""
    coop = Coop(folder=root / "stages", contacts=contacts)
    shutil.rmtree(coop.folder, ignore_errors=True)
    coop.folder.mkdir()
    shard = Shard(0, max(1, contacts // MOST))
    print(f"contacts={contacts} letters for {contacts // shard.of} of them", flush=True)
    _say("seed", contacts, alone(coop.seed))
    empty = coop.size
    notices = _say("match", contacts, alone(partial(planned, coop)))
    _say("write", contacts // shard.of, alone(partial(_written_in, coop, shard)))
    with counting() as sink:
        accepted = _say(
            "hand over", contacts // shard.of, alone(partial(_handed_over_in, coop, sink.port))
        )
        assert accepted == sink.letters == sink.mailboxes, "sink"  # noqa: S101, else no figure
    print(f"  {notices} notices matched, {accepted} letters accepted, as many as the sink counted")
    print(f"  database {empty >> 20} MiB before, {coop.size >> 20} MiB after")
    with coop.opened() as database:
        _print_tables(database)


def _say(stage: str, contacts: int, found: tuple[Any, int, float, float]) -> Any:  # noqa: ANN401
    result, peak, wall, processor = found
    each = wall / contacts * 1e6
    print(
        f"  {stage}: {wall:.1f} s ({processor:.1f} s of processor), {each:.0f} us a contact, "
        f"peak {peak >> 20} MiB",
        flush=True,
    )
    return result


def _written_in(coop: Coop, shard: Shard) -> None:
    with coop.opened() as database:
        written(database, shard, Looked())


def _handed_over_in(coop: Coop, port: int) -> int:
    with coop.opened() as database:
        return handed_over(database, coop.folder / "journal", port).accepted


def _print_tables(database: Database) -> None:
    """Rows and octets of each table, its indexes included."""
    with database.read() as session:
        owner = dict(
            session.execute(text("SELECT name, tbl_name FROM sqlite_schema")).all()  # noqa: C408
        )
        octets: dict[str, int] = {}
        pages = text("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")
        for name, size in session.execute(pages):
            table = owner.get(name, name)
            octets[table] = octets.get(table, 0) + size
        for table, size in sorted(octets.items(), key=lambda one: -one[1])[:12]:
            count = session.scalar(select(func.count()).select_from(text(table))) or 0
            print(
                f"  size: {table} {count} rows, {size // max(1, count)} octets a row, {size >> 20} MiB"
            )


if __name__ == "__main__":
    if "--contacts" in sys.argv:
        with tempfile.TemporaryDirectory(prefix="scale-") as where:
            for word in sys.argv[sys.argv.index("--contacts") + 1 :]:
                stages(int(word), Path(where))
    else:
        report(measure)
