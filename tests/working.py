"""A worker of the tests: in a thread, or as a process that may be killed.

    python -m tests.working DATABASE_URL PORT JOURNAL BEGUN PACE

Its clock began at `AT` when `BEGUN` was. It notices the dead within two seconds, and ticks every
second.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

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

VITALS = Vitals(beat=timedelta(seconds=0.3), patience=timedelta(seconds=1.5))


class Counting(Engine):
    """Counts the jobs it did."""

    done: Counter[str]

    async def write_shard(self, edition: int, number: int) -> None:
        await super().write_shard(edition, number)
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


def main() -> None:
    url, port, journal, begun, pace = sys.argv[1:]
    # Many batches a shard, so that it can be killed between two.
    owed.BATCH = 2
    worker.run(engine(url, int(port), Path(journal), datetime.fromisoformat(begun), float(pace)))


if __name__ == "__main__":
    main()
