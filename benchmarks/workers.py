"""What a second worker brings on PostgreSQL: matching and building one edition.

    python -m benchmarks.workers [--full]

Two workers against one, taking turns on one server (the wheel's, as in tests), each round on the
same edition made anew. A worker is a process that runs what `alertes ouvrier` runs (alerts.worker).
Building is timed from the workers' start until the edition is whole; what a process reads once, the
open calls, is read before. Handing over to a sink of its own process follows, timed apart and
reported, not compared. Readers have three sectors each, calls are real titles (benchmarks.rows).
In each round every reader must have one letter or one reason, and the sink each letter once.
Processor time is that of the workers, of the server's processes and of the sink, by step (Linux
only: /proc).
"""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from sqlalchemy import Select, delete, func, select, text

from alerts import holds, starting, worker
from alerts.delivery import Relay
from alerts.engine import Engine
from alerts.engine_schema import prepare
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.message_tables import Message
from alerts.poison import Poison
from alerts.recovery import hold_if_restored
from alerts.service import Service
from alerts.tables import (
    Attempt,
    Edition,
    EditionState,
    Letter,
    LetterState,
    NearMissed,
    Omission,
    Told,
)
from base.database import Database, connect
from benchmarks import rows
from benchmarks.counting_sink import Counting, counting
from benchmarks.measured import Measured, Size, interleaved, report
from campaigns.stores import store
from sources.reading import Network
from subscriptions.tables import Consent, Contact, Member, Membership, Subscription
from tests.coop import AT, DESK, LONG_AGO

SEED, CALLS, GOAL = 20260921, 500, 1.3
CONTACTS = {Size.QUICK: 200, Size.FULL: 8000}
TICK = os.sysconf("SC_CLK_TCK")
PROCESSES = multiprocessing.get_context("fork")


@dataclass
class Side:
    """So many workers, and what each round took them."""

    workers: int
    building: list[float] = field(default_factory=list)
    sending: list[float] = field(default_factory=list)
    #: Seconds of processor of the workers, the server and the sink, in each step.
    spent: dict[str, list[dict[str, float]]] = field(
        default_factory=lambda: {"building": [], "handing over": []}
    )

    def said(self, letters: int) -> Iterator[str]:
        """A line a step."""
        for step, took in (("building", self.building), ("handing over", self.sending)):
            parts = self.spent[step]
            busy = ", ".join(
                f"{name} {median(one[name] for one in parts):.2f}" for name in parts[0]
            )
            yield (
                f"workers={self.workers} {step}: {median(took):.2f} s, "
                f"{letters / median(took):.0f} letters/s; processor s: {busy}"
            )


def measure(size: Size) -> Iterator[Measured]:
    contacts = CONTACTS[size]
    sides = Side(1), Side(2)
    with ExitStack() as stack:
        url = stack.enter_context(store("postgresql"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="workers-")))
        database = connect(url)
        stack.callback(database.dispose)
        hold_if_restored(database, open_journal(folder / "journal"), at=AT)
        prepare(database)
        _fill(database, contacts)
        letters: list[int] = []
        sizes: list[str] = []

        def building(side: Side) -> float:
            with counting() as sink:
                _round(database, url, folder, sink, side)
                letters.append(_check(database, sink, contacts))
                sizes[:] = _sizes(database)
                _forget(database)
            return side.building[-1]

        figures = interleaved(partial(building, sides[1]), partial(building, sides[0]))
    yield Measured(
        name="workers",
        what="one worker / two workers, seconds until an edition is matched and built",
        goal=GOAL,
        rounds=tuple(alone / both for both, alone in figures),
        detail=(
            f"seed {SEED}, {contacts} contacts, {CALLS} calls, {letters[0]} letters",
            f"{os.cpu_count()} processors",
            *(said for side in sides for said in side.said(letters[0])),
            "octets a row with its indexes, of PostgreSQL: " + ", ".join(sizes),
        ),
        twin=f"{len(letters)} editions: a letter or a reason a reader, each once at the sink",
        size=size,
    )


def _fill(database: Database, contacts: int) -> None:
    chosen = random.Random(SEED)  # noqa: S311, no secret
    with database.write() as session:
        holds.release_first_run(session, by="benchmark", at=AT)
        rows.calls(session, CALLS, chosen, AT - timedelta(hours=1))
    rows.readers(database, contacts, chosen, LONG_AGO)
    _vacuum(database)


def _round(database: Database, url: str, folder: Path, to: Counting, side: Side) -> None:
    """One edition, written and handed over by the workers of that side."""
    start = PROCESSES.Barrier(side.workers + 1)
    database.dispose()  # connections are no inheritance
    workers = [
        PROCESSES.Process(target=_work, args=(url, folder, to.port, start), daemon=True)
        for _ in range(side.workers)
    ]
    for one in workers:
        one.start()
    postmaster = _postmaster(database)
    parts = {"workers": [one.pid or 0 for one in workers], "server": [], "sink": [to.pid]}
    start.wait(300)
    for step, took, done in (
        ("building", side.building, _is_whole),
        ("handing over", side.sending, _have_left),
    ):
        before, begun = _processor(parts, postmaster), perf_counter()
        _until(partial(done, database), workers)
        took.append(perf_counter() - begun)
        after = _processor(parts, postmaster)
        side.spent[step].append({name: after[name] - before[name] for name in after})
    for one in workers:
        one.terminate()
    for one in workers:
        one.join(60)


def _until(done: Callable[[], bool], workers: list[Any]) -> None:
    while not done():
        sleep(0.02)
        assert all(one.is_alive() for one in workers), "a worker died"  # noqa: S101, no figure then


def _work(url: str, folder: Path, port: int, start: Barrier) -> None:
    """One worker, from the moment at which all begin until it is told to stop."""
    service = Service(
        database=connect(url),
        desk=DESK,
        handing=Handing(
            relay=Relay(host="127.0.0.1", port=port, tls="none", helo="benchmark"),
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(folder / "journal"),
        ),
        sources=(),
        network=Network(),
        postfix_log=None,
        now=lambda: AT,
        stop=starting.told_to_stop(),
    )
    with service.database.read() as session:
        service.looked.refresh_calls(session, DESK, Poison(), AT)
    start.wait(300)
    worker.run(Engine(service, url))


def _weekly() -> Select[int]:
    return select(Edition.id).where(Edition.frequency == "weekly")


def _is_whole(database: Database) -> bool:
    with database.read() as session:
        whole = _weekly().where(Edition.state == EditionState.WRITTEN)
        return session.scalar(whole) is not None


def _have_left(database: Database) -> bool:
    with database.read() as session:
        waits = select(Letter.id).where(Letter.state != LetterState.ACCEPTED).limit(1)
        return session.scalar(waits) is None


def _check(database: Database, sink: Counting, contacts: int) -> int:
    """Each reader once, each letter at the sink once; how many letters."""
    with database.read() as session:
        readers = list(session.scalars(select(Letter.contact_id)))
        edition = session.scalar(_weekly())
        omitted = session.scalars(
            select(Omission.contact_id).where(
                Omission.edition_id == edition, Omission.letter_id.is_(None)
            )
        )
        assert sorted([*readers, *omitted]) == list(range(1, contacts + 1))  # noqa: S101, no figure
    assert sink.letters == sink.mailboxes == len(readers)  # noqa: S101, as above
    return len(readers)


def _sizes(database: Database) -> Iterator[str]:
    """Table and octets a row, of what grows with the readers."""
    mail = (Letter, Message, Told, NearMissed, Omission)
    people = (Contact, Member, Membership, Consent, Subscription)
    with database.read() as session:
        for table in mail + people:
            name = table.__tablename__
            count = session.scalar(select(func.count()).select_from(table)) or 0
            size = session.scalar(select(func.pg_total_relation_size(name))) or 0
            yield f"{name} {size // max(1, count)}"


def _forget(database: Database) -> None:
    """As before the round."""
    with database.write() as session:
        for table in (Told, Omission, Attempt, Letter, NearMissed, Edition):
            session.execute(delete(table))
    _vacuum(database)


def _vacuum(database: Database) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _postmaster(database: Database) -> int:
    with database.read() as session:
        folder = session.scalar(text("SHOW data_directory"))
    return int((Path(str(folder)) / "postmaster.pid").read_text().splitlines()[0])


def _processor(parts: dict[str, list[int]], postmaster: int) -> dict[str, float]:
    """Seconds of processor until now, by part; the server's with the connections it had."""
    spent = {name: sum(_stat(pid)[0] for pid in pids) for name, pids in parts.items()}
    stats = [_stat(int(path.name)) for path in Path("/proc").glob("[0-9]*")]
    alive = sum(own for own, _, parent in stats if parent == postmaster)
    own, of_ended, _ = _stat(postmaster)
    return spent | {"server": own + of_ended + alive}


def _stat(pid: int) -> tuple[float, float, int]:
    """Seconds of a process and of its ended children, and its parent (proc(5))."""
    try:
        words = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0, 0
    user, system, children_user, children_system = (int(one) / TICK for one in words[11:15])
    return user + system, children_user + children_system, int(words[1])


if __name__ == "__main__":
    report(measure)
