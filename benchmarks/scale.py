"""How cost and memory grow with the contacts, on SQLite on the disk.

    python -m benchmarks.scale [--full]
    python -m benchmarks.scale --contacts 1000 10000 100000 1000000

The first measures two ratios: what a letter costs (matched, built, frozen, in the ledger, handed
over) in a database of many contacts against one of few, by turns, lot after lot; and the most
memory that a process takes for a whole edition. The second prints what each stage of an edition
takes at each size. Letters are made for at most MOST contacts; beyond, all are matched and planned
only. Readers have three sectors each.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from sqlalchemy import func, select, text

from alerts import owed
from alerts.looked import Looked
from alerts.owed import Shard
from alerts.tables import Letter, LetterState, Told
from base.database import Database
from benchmarks import coops
from benchmarks.coops import CALLS, SEED, Coop
from benchmarks.counting_sink import counting
from benchmarks.measured import Measured, Size, interleaved, report

#: Contacts that letters are made for.
MOST = 100_000
#: Of how many lots an edition is made for the first ratio.
LOTS = 10
#: Many and few contacts: for what a letter costs, and for memory; and contacts of a lot.
SIZES = {
    Size.QUICK: ((10_000, 2_000), (800, 400), 200),
    Size.FULL: ((1_000_000, 10_000), (100_000, 10_000), 1000),
}


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
        coops.written(self.database, Shard(number, LOTS), self.looked, batches)
        tally = coops.handed_over(self.database, self.coop.folder / "journal", port)
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
    both = [seeded(root, contacts) for contacts in (many, few)]
    with counting() as sink, both[0].opened() as large, both[1].opened() as small:
        sides = Side(both[0], large, lot), Side(both[1], small, lot)
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
                f"database: {both[0].size >> 20} MiB and {both[1].size >> 20} MiB",
            ),
            twin=f"the same {len(sides[0].told())} notices told of either; {accepted} letters "
            "accepted, as many as the sink counted",
            size=size,
        )


# The most memory.


def whole_edition(coop: Coop, port: int) -> int:
    """All of the edition, written and handed over; how many letters."""
    with coop.opened() as database:
        coops.written(database, Shard(0, 1), Looked())
        return coops.handed_over(database, coop.folder / "journal", port).accepted


def memory(size: Size, root: Path) -> Measured:
    """The peak of a process that does a whole edition of many against one of few."""
    _, (many, few), _ = SIZES[size]
    both = {contacts: seeded(root, contacts) for contacts in (many, few)}
    letters: list[int] = []

    def peak(contacts: int) -> float:
        with counting() as sink:
            made, octets, *_ = coops.alone(
                partial(whole_edition, both[contacts].copied("again"), sink.port)
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
        coops.alone(coop.seed)
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
    _say("seed", contacts, coops.alone(coop.seed))
    empty = coop.size
    notices = _say("match", contacts, coops.alone(partial(coops.planned, coop)))
    _say("write", contacts // shard.of, coops.alone(partial(_written_in, coop, shard)))
    with counting() as sink:
        accepted = _say(
            "hand over",
            contacts // shard.of,
            coops.alone(partial(_handed_over_in, coop, sink.port)),
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
        coops.written(database, shard, Looked())


def _handed_over_in(coop: Coop, port: int) -> int:
    with coop.opened() as database:
        return coops.handed_over(database, coop.folder / "journal", port).accepted


def _print_tables(database: Database) -> None:
    """Rows and octets of each table, its indexes included."""
    with database.read() as session:
        named = session.execute(text("SELECT name, tbl_name FROM sqlite_schema"))
        owner: dict[str, str] = {name: table for name, table in named}  # noqa: C416, a row is no pair
        octets: Counter[str] = Counter()
        pages = text("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")
        for name, size in session.execute(pages):
            octets[owner.get(name, name)] += size
        for table, size in octets.most_common(12):
            count = session.scalar(select(func.count()).select_from(text(table))) or 0
            each = size // max(1, count)
            print(f"  size: {table} {count} rows, {each} octets a row, {size >> 20} MiB")


if __name__ == "__main__":
    if "--contacts" in sys.argv:
        with tempfile.TemporaryDirectory(prefix="scale-") as where:
            for word in sys.argv[sys.argv.index("--contacts") + 1 :]:
                stages(int(word), Path(where))
    else:
        report(measure)
