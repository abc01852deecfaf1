"""A worker of the tests: in a thread, or as a process that may be killed.

It notices the dead within two seconds; its clock is the test's.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from alerts import owed, worker
from alerts.delivery import Relay
from alerts.engine import Engine, Vitals
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.service import Service
from base.clock import utc_now
from base.database import connect
from sources.reading import Network
from tests.coop import AT, DESK

_PROCESSES = multiprocessing.get_context("fork")
VITALS = Vitals(beat=timedelta(seconds=0.3), patience=timedelta(seconds=1.5))


class Counting(Engine):
    """Counts the jobs it did."""

    done: Counter[str]

    async def write_shard(self, edition: int, number: int, at: str) -> None:
        await super().write_shard(edition, number, at)
        self.done["write_shard"] += 1

    async def send(self, slot: int) -> None:
        await super().send(slot)
        self.done["send"] += 1


def clock(begun: datetime) -> Callable[[], datetime]:
    """A clock that showed AT when `begun` was."""
    return lambda: AT + (utc_now() - begun)


def engine(url: str, port: int, journal: Path, begun: datetime, pace: float = 0.0) -> Counting:
    """A worker's engine, without sources; it hands over to that port, in lots of ten."""
    service = Service(
        database=connect(url),
        desk=DESK,
        handing=Handing(
            relay=Relay(host="127.0.0.1", port=port, tls="none", helo="essai"),
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(journal),
            lot=10,
            pace=pace,
            lease=timedelta(seconds=2),
            reply_within=timedelta(seconds=2),
        ),
        sources=(),
        network=Network(),
        postfix_log=None,
        now=clock(begun),
        stop=threading.Event(),
    )
    made = Counting(service, url, VITALS)
    made.done = Counter()
    return made


@contextmanager
def at_work(*engines: Engine) -> Iterator[None]:
    """Workers in threads, until the block ends."""
    threads = [threading.Thread(target=worker.run, args=(one,)) for one in engines]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for one in engines:
            one.service.stop.set()
        for thread in threads:
            thread.join(20)
        for one in engines:
            one.service.database.dispose()
    assert not any(thread.is_alive() for thread in threads)


@contextmanager
def another(
    url: str, journal: Path, begun: datetime, pace: float = 0.0
) -> Iterator[tuple[BaseProcess, Any]]:
    """A worker that is a process of its own, and the port that it waits to be told.

    Forked, which must come before there are threads.
    """
    port = _PROCESSES.Value("i", 0)
    process = _PROCESSES.Process(target=_alone, args=(url, port, journal, begun, pace), daemon=True)
    process.start()
    try:
        yield process, port
    finally:
        process.kill()
        process.join()


def _alone(url: str, port: Any, journal: Path, begun: datetime, pace: float) -> None:
    # Many batches a shard, so that it can be killed between two.
    owed.BATCH = 2
    while not port.value:
        time.sleep(0.01)
    worker.run(engine(url, port.value, journal, begun, pace))
