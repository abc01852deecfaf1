"""Print what a second worker brings on PostgreSQL: matching and building one edition.

    python -m benchmarks.workers [contacts] [notices] [rounds]

Two workers against one, taking turns on one server (the wheel's, as in tests), each round on the
same edition made anew. A worker is a process that runs what `alertes ouvrier` runs (alerts.worker).
Building is timed from the workers' start until the edition is whole; what a process reads once, the
open calls, is read before. Handing over to a sink of its own process follows, timed apart and
reported, not compared: the sink writes down each letter before it answers. Readers have three
sectors each, notices the real titles of tests/sources/data/notices.csv (seeded). In each round
every reader must have one letter or one reason, and the sink each letter once. Processor time is
that of the workers, of the server's processes and of the sink, of both steps (Linux only: /proc).
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle, islice
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
from alerts.poison import Poison
from alerts.recovery import hold_if_restored
from alerts.service import Service
from alerts.tables import Edition, EditionState, Letter, LetterState, NearMissed, Omission, Told
from base.database import Database, connect
from campaigns.schedulers import sink
from campaigns.stores import store
from sources.reading import Network
from subscriptions import sectors
from subscriptions.tables import Consent, Contact, Member, Membership, Subscription
from tests.coop import AT, DESK, entitled, tender
from tests.variants import notices

SEED, GOAL = 20260921, 1.3
TICK = os.sysconf("SC_CLK_TCK")
PROCESSES = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Serving:
    """The sink."""

    port: int
    pid: int


@dataclass
class Side:
    """So many workers, and what each round took them."""

    workers: int
    building: list[float] = field(default_factory=list)
    sending: list[float] = field(default_factory=list)
    #: Seconds of processor of both steps: of the workers, of the server and of the sink.
    processor: dict[str, list[float]] = field(
        default_factory=lambda: {"workers": [], "server": [], "sink": []}
    )


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    contacts, calls, rounds = given + [4000, 500, 5][len(given) :]
    sides, letters = (Side(1), Side(2)), 0
    sizes: list[tuple[str, int, int]] = []
    with ExitStack() as stack:
        url = stack.enter_context(store("postgresql"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="workers-")))
        port = PROCESSES.Value("i", 0)
        sinking = PROCESSES.Process(target=sink, args=(folder / "accepted", port), daemon=True)
        sinking.start()
        stack.callback(sinking.kill)
        database = connect(url)
        stack.callback(database.dispose)
        hold_if_restored(database, open_journal(folder / "journal"), at=AT)
        prepare(database)
        _fill(database, contacts, calls)
        while not port.value:
            sinking.join(0.01)
        serving = Serving(port.value, sinking.pid or 0)
        for number in range(rounds):
            for side in sides if number % 2 else reversed(sides):
                _round(database, url, folder, serving, side)
                letters = _check(database, folder, contacts)
                sizes = _sizes(database)
                _forget(database, folder)
    _print(sides, letters, contacts, calls)
    for table, rows, each in sizes:
        print(f"size: {table} {rows} rows, {each} octets a row with its indexes")


def _fill(database: Database, contacts: int, calls: int) -> None:
    chosen = random.Random(SEED)  # noqa: S311, no secret
    slugs = [sector.slug for sector in sectors.load()]
    with database.write() as session:
        holds.release_first_run(session, by="benchmark", at=AT)
        for number, one in enumerate(islice(cycle(notices()), calls)):
            tender(
                session,
                f"{30000000 + number}",
                title=one.title,
                buyer=one.buyer,
                closes_at=AT + timedelta(days=8 + number % 20),
            )
        for number in range(contacts):
            entitled(session, f"lecteur{number}", sectors=chosen.sample(slugs, 3))
    _vacuum(database)


def _round(database: Database, url: str, folder: Path, to: Serving, side: Side) -> None:
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
    before = _processor(parts, postmaster)
    begun = perf_counter()
    _until(lambda: _is_whole(database), workers)
    side.building.append(perf_counter() - begun)
    begun = perf_counter()
    _until(lambda: _have_left(database), workers)
    side.sending.append(perf_counter() - begun)
    after = _processor(parts, postmaster)
    for name, spent in side.processor.items():
        spent.append(after[name] - before[name])
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


def _check(database: Database, folder: Path, contacts: int) -> int:
    """Each reader once, each letter at the sink once; how many letters."""
    with database.read() as session:
        readers = list(session.scalars(select(Letter.contact_id)))
        edition = session.scalar(_weekly())
        omitted = session.scalars(
            select(Omission.contact_id).where(
                Omission.edition_id == edition, Omission.letter_id.is_(None)
            )
        )
        assert sorted([*readers, *omitted]) == sorted(  # noqa: S101, else no figure
            session.scalars(select(Contact.id))
        )
        assert len(readers) <= contacts  # noqa: S101, as above
    lines = (folder / "accepted").read_bytes().splitlines()
    assert len(lines) == len(set(lines)) == len(readers)  # noqa: S101, as above
    return len(readers)


def _sizes(database: Database) -> list[tuple[str, int, int]]:
    """Table, rows, octets a row, of what grows with the readers."""
    of = (Letter, Told, NearMissed, Omission, Contact, Member, Membership, Consent, Subscription)
    found = []
    with database.read() as session:
        for table in of:
            name = table.__tablename__
            rows = session.scalar(select(func.count()).select_from(table)) or 0
            size = session.scalar(select(func.pg_total_relation_size(name))) or 0
            found.append((name, rows, size // max(1, rows)))
    return found


def _forget(database: Database, folder: Path) -> None:
    """As before the round."""
    (folder / "accepted").unlink()
    with database.write() as session:
        for table in (Told, Omission, Letter, NearMissed, Edition):
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


def _print(sides: tuple[Side, Side], letters: int, contacts: int, calls: int) -> None:
    one, two = sides
    ratios = [alone / both for alone, both in zip(one.building, two.building, strict=True)]
    print(f"seed {SEED}, {len(ratios)} rounds, {contacts} contacts, {calls} notices, ", end="")
    print(f"{letters} letters, {os.cpu_count()} processors")
    print("each round: a letter or a reason a reader, each letter once at the sink")
    for side in sides:
        spent = ", ".join(f"{name} {median(values):.2f}" for name, values in side.processor.items())
        print(
            f"workers={side.workers} building {median(side.building):.2f} s, "
            f"{letters / median(side.building):.0f} letters/s; "
            f"handing over {median(side.sending):.2f} s, "
            f"{letters / median(side.sending):.0f} letters/s; processor s: {spent}"
        )
    print("rounds: " + ", ".join(f"{ratio:.2f}" for ratio in ratios))
    value = median(ratios)
    print(f"ratio=workers value={value:.2f} goal={GOAL} ok={'yes' if value >= GOAL else 'no'}")


if __name__ == "__main__":
    main()
