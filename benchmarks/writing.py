"""What writing an edition's letters costs, stage by stage, and what it reads and leaves in rows.

    python -m benchmarks.writing

Microseconds of processor a contact, of the service's own writer on SQLite, without the hand-over:
for readers of eight exact words and at most 20 notices (benchmarks.end_to_end), and for readers of
three sectors. Then what the ledger of two years costs to be asked, and the near misses that six
weekly editions keep. No ratio is asked of it.
"""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any
from unittest import mock

from sqlalchemy import func, select

from alerts import changed, choosing, editions, ledger, near_misses, owed, writing
from alerts.looked import Looked
from alerts.owed import Shard
from alerts.tables import Edition, EditionState, NearMissed, Stream, Told
from base.database import Database, connect, upgrade
from benchmarks import end_to_end, rows
from benchmarks.coops import SEED, Coop, written
from benchmarks.two_years import TwoYears
from sources import tenders
from tests.coop import AT, DESK, LONG_AGO

#: Contacts of one shard, and shards: the first is written before anything is measured.
CONTACTS, SHARDS = 200, 6
WEEKS, CALLS_A_WEEK = 6, 420
_STAGES = (
    (owed, "pending", "whom, read"),
    (changed, "changes", "what changed, read"),
    (ledger, "heard", "what was told, read"),
    (choosing, "untold", "match and reasons"),
    (writing, "draft", "compose"),
    (writing, "freeze_all", "letters' rows"),
    (ledger, "reserve", "ledger's rows"),
    (near_misses, "keep", "near misses' rows"),
    (editions, "write_shard", "all else"),
)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="writing-") as root:
        words = partial(end_to_end.wishes, end_to_end.vocabulary())
        for name, wishes in (("eight words", words), ("three sectors", rows.three_sectors)):
            folder = Path(root) / name.replace(" ", "-")
            folder.mkdir()
            _print(name, _spent(Coop(folder=folder, contacts=CONTACTS * SHARDS, wishes=wishes)))
        _print_heard(_opened(Path(root) / "years.sqlite3"))
        _print_near_misses(_opened(Path(root) / "weeks.sqlite3"))


def _opened(file: Path) -> Database:
    upgrade(f"sqlite:///{file}")
    return connect(f"sqlite:///{file}")


def _spent(coop: Coop) -> dict[str, float]:
    """Microseconds a contact, by stage."""
    coop.seed()
    spent: dict[str, float] = defaultdict(float)
    looked = Looked()
    with coop.opened() as database:
        written(database, Shard(0, SHARDS), looked)
        with _timed(spent):
            for number in range(1, SHARDS):
                written(database, Shard(number, SHARDS), looked)
    return {name: each / CONTACTS / (SHARDS - 1) * 1e6 for name, each in spent.items()}


@contextmanager
def _timed(spent: dict[str, float]) -> Iterator[None]:
    """Each stage without those that it calls."""
    within: list[float] = []

    def timed(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: object, **named: object) -> object:
            begun = process_time()
            within.append(0.0)
            try:
                return plain(*given, **named)
            finally:
                took = process_time() - begun
                spent[name] += took - within.pop()
                if within:
                    within[-1] += took

        return run

    patches = [
        mock.patch.object(module, name, timed(what, getattr(module, name)))
        for module, name, what in _STAGES
    ]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        mock.patch.stopall()


def _print(name: str, spent: dict[str, float]) -> None:
    print(f"{name}: {sum(spent.values()):.0f} µs a contact, {SHARDS - 1} x {CONTACTS} contacts")
    for stage, each in sorted(spent.items(), key=lambda one: -one[1]):
        print(f"  {stage:20}{each:6.0f}")


def _print_heard(database: Database, contacts: int = 200) -> None:
    """The ledger asked of everything, and of the calls that are open."""
    TwoYears(database, contacts=contacts, weeks=104).write()
    ids = range(1, contacts + 1)
    with database.read() as session:
        told = session.scalar(select(func.count()).select_from(Told)) or 0
        opened = {cluster_id for cluster_id, _ in tenders.open_revisions(session, AT)}
        spent: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(5):
            for part in (True, False):
                begun = process_time()
                heard = ledger.heard(session, ids, opened if part else None)
                spent[part].append((process_time() - begun) / contacts * 1e6)
                known = [one.settled & opened for one in heard.values() if one.settled & opened]
    whole, part = (sorted(spent[one])[2] for one in (False, True))
    print(
        f"two years' ledger, {told / contacts:.0f} rows a contact, {len(opened)} calls open: "
        f"{part:.0f} µs a contact to ask of these, {whole:.0f} of all ({len(known)} know one)"
    )
    database.dispose()


def _print_near_misses(database: Database, contacts: int = 300) -> None:
    """Rows a contact, edition by edition, as calls come and close."""
    chosen, looked, kept = random.Random(SEED), Looked(), [0]  # noqa: S311, no secret
    rows.readers(database, contacts, chosen, LONG_AGO)
    for week in range(WEEKS):
        at = AT + timedelta(weeks=week)
        with database.write() as session:
            rows.calls(session, CALLS_A_WEEK, chosen, at - timedelta(hours=1), reading=week + 1)
            editions.open_due(session, at)
        with database.read() as session:
            weekly = Edition.frequency == Stream.WEEKLY, Edition.state == EditionState.OPEN
            (edition_id,) = session.scalars(select(Edition.id).where(*weekly)).all()
        editions.write_shard(database, DESK, edition_id, Shard(0, 1), at=at, looked=looked)
        with database.read() as session:
            kept.append(session.scalar(select(func.count()).select_from(NearMissed)) or 0)
    new = [(after - before) / contacts for before, after in pairwise(kept)]
    said = ", ".join(f"{each:.1f}" for each in new)
    print(f"near misses kept a contact, {CALLS_A_WEEK} new calls a week, week by week: {said}")
    database.dispose()


if __name__ == "__main__":
    main()
