"""Print what handing letters over costs against Debian's smtp-source, which only sends octets.

    python -m benchmarks.handing [--full]

Ours is `alerts.dispatch.hand_over` with all it promises: entitlement, states, journal, ledger. It
begins with WRITTEN letters in a fresh database (SQLite in WAL, FULL) and ends when every row says
ACCEPTED. Both send letters of the same octets into the same server, in turns: smtp-sink, then a
Postfix of our own that throws away what it has queued. smtp-source has its ten sessions, with which
it is fastest; ours has 50 connections, since whoever waits for the same commit shares it, and 20
to Postfix, which has a process for each. `handing_10` of the full run is ours over ten. In each
round as many letters reach the server as rows are ACCEPTED, and every notice of theirs is told. At
the end a dispatcher is killed half way, and another goes on: nothing lost, nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, sleep

from sqlalchemy import func, select, text

from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.message_tables import Message
from alerts.recovery import recover
from alerts.tables import Letter, LetterState, Told, ToldState
from base.database import Database, connect, upgrade
from benchmarks import waiting_letters
from benchmarks.measured import Measured, Size, interleaved, report
from benchmarks.sinks import SMTP_SOURCE, sink, source
from campaigns import stores
from campaigns.crash.relay import relay
from campaigns.crash.sink import read
from campaigns.crash.worker import fork
from campaigns.postfix import PROGRAM, postfix
from tests.coop import AT

SEED = 20260921
CONNECTIONS, TO_POSTFIX, LOT = 50, 20, 200
#: Letters of a round: to smtp-sink, to Postfix, and of the one that is killed.
LETTERS = {Size.QUICK: (600, 200, 60), Size.FULL: (4000, 1000, 1000)}
#: Notices of a letter, and the least that a letter has.
NOTICES, LEAST = 20, 1
GOAL, GOAL_POSTFIX = 0.7, 0.85


@dataclass(slots=True)
class Bench:
    """Letters of one size, made once and copied for each round."""

    folder: Path
    letters: int
    notices: int
    #: Of ours.
    connections: int = CONNECTIONS
    octets: int = 0
    #: Seconds of our processor, a letter, by round.
    spent: list[float] = field(default_factory=list)
    #: Letters a second, by round.
    rates: dict[str, list[float]] = field(default_factory=lambda: {"ours": [], "theirs": []})

    @property
    def sample(self) -> Path:
        """One of the letters, as smtp-source reads it."""
        return self.folder / "letter"

    def make(self) -> None:
        url = f"sqlite:///{self.folder / 'whole'}"
        upgrade(url)
        database = connect(url)
        self.octets = waiting_letters.fill(database, self.letters, self.notices, SEED)
        with database.read() as session:
            content = session.scalar(select(Message.content).limit(1)) or b""
        self.sample.write_bytes(content.replace(b"\r\n", b"\n"))
        database.dispose()

    @contextmanager
    def fresh(self) -> Iterator[Database]:
        """As made, and a journal of its own."""
        for left in self.folder.glob("round*"):
            left.unlink()
        shutil.copyfile(self.folder / "whole", self.folder / "round")
        database = connect(f"sqlite:///{self.folder / 'round'}")
        try:
            yield database
        finally:
            database.dispose()

    def handing(self, port: int) -> Handing:
        return Handing(
            relay=Relay(host="127.0.0.1", port=port, tls="none", helo="benchmark"),
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(self.folder / "round.journal"),
            connections=self.connections,
            lot=LOT,
        )

    def ours(self, port: int, reached: Callable[[], int]) -> float:
        """Seconds until all rows say ACCEPTED."""
        with self.fresh() as database:
            before, begun, spent = reached(), perf_counter(), process_time()
            asyncio.run(hand_over(database, self.handing(port), now=lambda: AT))
            taken = perf_counter() - begun
            self.spent.append((process_time() - spent) / self.letters)
            self.rates["ours"].append(self.letters / taken)
            _check(database, self.letters, self.notices)
        _all_there(reached, before + self.letters)
        return taken

    def theirs(self, port: int, reached: Callable[[], int]) -> float:
        before, begun = reached(), perf_counter()
        source(port, self.sample, self.letters)
        taken = perf_counter() - begun
        self.rates["theirs"].append(self.letters / taken)
        _all_there(reached, before + self.letters)
        return taken


def _check(database: Database, letters: int, notices: int) -> None:
    """Every letter is ACCEPTED, and all that it tells is told."""
    with database.read() as session:
        counted = select(Letter.state, func.count()).group_by(Letter.state)
        states = dict(session.execute(counted).all())
        of_notices = select(Told.state, func.count()).group_by(Told.state)
        told = dict(session.execute(of_notices).all())
    assert states == {LetterState.ACCEPTED: letters}, states  # noqa: S101, else it is no figure
    assert told == {ToldState.CONFIRMED: letters * notices}, told  # noqa: S101, as above


def _all_there(reached: Callable[[], int], expected: int) -> None:
    for _ in range(500):
        if reached() >= expected:
            break
        sleep(0.02)
    assert reached() == expected, (reached(), expected)  # noqa: S101, as above


def measure(size: Size) -> Iterable[Measured]:
    if SMTP_SOURCE is None:
        print("no smtp-source on this machine: nothing to compare with")
        return
    logging.disable(logging.CRITICAL)  # of the letters that the killed one left in doubt
    to_sink, to_postfix, killed = LETTERS[size]
    with _made(to_sink, NOTICES) as bench:
        died = _killed(killed)
        yield _to_sink(bench, size, died)
    if size is Size.FULL:
        with _made(to_sink, NOTICES) as bench:
            bench.connections = 10
            yield _to_sink(bench, size, died, name="handing_10")
        with _made(to_sink, LEAST) as bench:
            yield _to_sink(bench, size, died, name="handing_small")
        print(_on_postgresql(to_postfix))
    if PROGRAM.exists() and os.geteuid() == 0:
        with _made(to_postfix, NOTICES) as bench:
            bench.connections = TO_POSTFIX
            yield _to_postfix(bench, size)


@contextmanager
def _made(letters: int, notices: int) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="handing-") as folder:
        # smtp-sink and Postfix have users of their own.
        Path(folder).chmod(0o755)
        bench = Bench(Path(folder), letters, notices)
        bench.make()
        yield bench


def _to_sink(bench: Bench, size: Size, died: str, name: str = "handing") -> Measured:
    with sink() as server:
        bench.ours(server.port, server.count)  # statements compiled, as in a service that runs
        before = server.seconds()
        found = interleaved(
            lambda: bench.ours(server.port, server.count),
            lambda: bench.theirs(server.port, server.count),
        )
        sunk = (server.seconds() - before) / (2 * len(found) * bench.letters)
    return _measured(bench, size, found, (name, GOAL), f"sink {sunk * 1e6:.0f} us a letter", died)


def _to_postfix(bench: Bench, size: Size) -> Measured:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postfix-")))
        folder.chmod(0o755)
        server = stack.enter_context(postfix(folder / "own"))

        def reached() -> int:
            return server.log.read_bytes().count(b"status=sent")

        bench.ours(server.port, reached)
        found = interleaved(
            lambda: bench.ours(server.port, reached), lambda: bench.theirs(server.port, reached)
        )
    return _measured(bench, size, found, ("handing_postfix", GOAL_POSTFIX))


def _measured(
    bench: Bench,
    size: Size,
    found: list[tuple[float, float]],
    ratio: tuple[str, float],
    *more: str,
) -> Measured:
    rates = {side: median(each) for side, each in bench.rates.items()}
    return Measured(
        name=ratio[0],
        what="ours / smtp-source, letters a second",
        goal=ratio[1],
        rounds=tuple(theirs / ours for ours, theirs in found),
        detail=(
            f"seed {SEED}, {bench.letters} letters, {bench.notices} notices in each",
            f"{bench.octets // bench.letters} octets, lots of {LOT}",
            f"ours over {bench.connections} connections",
            f"ours {rates['ours']:.0f}/s, smtp-source {rates['theirs']:.0f}/s",
            f"ours {median(bench.spent) * 1e6:.0f} us of processor a letter",
            *more,
        ),
        twin="in each round: letters at the server = rows ACCEPTED, and all their notices told",
        size=size,
    )


def _killed(letters: int) -> str:
    """Kill a dispatcher with half of the letters at the relay, go on, and look for each letter."""
    with ExitStack() as stack:
        bench = stack.enter_context(_made(letters, NOTICES))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="killed-")))
        port, _ = stack.enter_context(
            relay(folder, seed=SEED, lost=0.0, refused=0.0, reconcile=False)
        )
        database = stack.enter_context(bench.fresh())
        handing = bench.handing(port)
        database.dispose()
        child = fork(lambda: asyncio.run(_run(database, handing, AT)))
        kept = folder / "accepted"
        while not kept.exists() or kept.read_bytes().count(b"\n") < letters // 2:
            sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        later = AT + timedelta(minutes=2)
        recover(database, handing.journal, at=later)
        asyncio.run(_run(database, handing, later))
        with database.read() as session:
            states = dict(session.execute(select(Letter.address, Letter.state)).all())
        there = [one.address for one in read(kept)]
    unknown = {address for address, state in states.items() if state == LetterState.UNKNOWN}
    accepted = {address for address, state in states.items() if state == LetterState.ACCEPTED}
    lost, doubled = set(states) - set(there) - unknown, len(there) - len(set(there))
    assert not lost, lost  # noqa: S101, else it is no figure
    assert doubled == 0  # noqa: S101, as above
    assert accepted <= set(there)  # noqa: S101, as above
    assert accepted | unknown == set(states)  # noqa: S101, as above
    return (
        f"killed at the half of {letters}, then resumed: 0 lost, 0 doubled, "
        f"{len(unknown)} shown as UNKNOWN"
    )


async def _run(database: Database, handing: Handing, at: datetime) -> None:
    await hand_over(database, handing, now=lambda: at)


def _on_postgresql(letters: int) -> str:
    """Reported: the same on the wheel's server, which shares the processors."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handing-")))
        database = stack.enter_context(stores.opened("postgresql"))
        server = stack.enter_context(sink())
        bench = Bench(folder, letters, NOTICES)
        waiting_letters.fill(database, letters, NOTICES, SEED)
        with database.write() as session:
            session.execute(text("ANALYZE"))  # as the server does by itself within a minute
        begun, spent = perf_counter(), process_time()
        asyncio.run(_run(database, bench.handing(server.port), AT))
        taken, spent = perf_counter() - begun, process_time() - spent
        _check(database, letters, NOTICES)
        _all_there(server.count, letters)
    return (
        f"on PostgreSQL: {letters / taken:.0f}/s, {spent / letters * 1e6:.0f} us of our processor "
        f"a letter"
    )


if __name__ == "__main__":
    report(measure)
