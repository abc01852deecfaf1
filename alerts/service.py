"""The clock: APScheduler ticks; what is owed is computed from rows at each tick.

A tick that was missed, was late or ran twice changes nothing: the next one finds the same rows.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from alerts import confirmations, editions, outbox, retention, returns
from alerts.dispatch import hand_over
from alerts.handing import Handing, Tally
from alerts.looked import Looked
from alerts.owed import Shard
from alerts.recovery import recover
from alerts.returns import Reception
from alerts.writing import Desk
from base import heartbeat
from base.clock import QUEBEC
from base.database import Database
from sources import freshness, rounds
from sources.catalogue import Source
from sources.reading import Network

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the jobs work with."""

    database: Database
    desk: Desk
    handing: Handing
    #: The catalogue's sources, at the addresses of the settings.
    sources: tuple[Source, ...]
    network: Network
    postfix_log: Path | None
    now: Callable[[], datetime]
    stop: threading.Event
    #: None where no bounce mailbox is named.
    reception: Reception | None = None
    #: What the ticks of this process have looked at.
    looked: Looked = field(default_factory=Looked)

    def beat(self) -> None:
        """A sign of life, for the watch (alerts.watch)."""
        with self.database.write() as session:
            heartbeat.beat(session, "service", at=self.now())

    def read(self) -> None:
        """Read each source that is due, and tell staff of what is late or not as it was."""
        for source in self.sources:
            self.read_source(source.key)
            if self.stop.is_set():
                return
        self.check_sources()

    def read_source(self, key: str) -> None:
        """Read the addresses of that source that are due."""
        asked = [source for source in self.sources if source.key == key]
        for visited in rounds.visit_due(self.database, asked, self.network, at=self.now()):
            for outcome in visited.outcomes:
                fields = {"source": visited.source.key, "counts": outcome.counts}
                logger.info("source read", extra=fields | {"fault": outcome.fault})
            if self.stop.is_set():
                return

    def check_sources(self) -> None:
        """Tell staff of the sources that are late or not as they were; prune what they gave."""
        at = self.now()
        with self.database.write() as session:
            freshness.check(session, at, self.sources)
        rounds.prune(self.database, at)

    def open_editions(self) -> list[int]:
        """Open the editions that are due; those of the clock that are not written whole."""
        at = self.now()
        with self.database.write() as session:
            editions.open_due(session, at, self.sources)
            return editions.opened_by_the_clock(session)

    def write(self) -> None:
        """Open the editions that are due, write what is open, confirm what the pages did."""
        self.open_editions()
        editions.write_open(self.database, self.desk, at=self.now(), looked=self.looked)
        self.confirm()

    def let_go(self) -> None:
        """Give back what expired or became false, so that it is told again."""
        editions.let_go(self.database, at=self.now())

    def write_shard(self, edition_id: int, shard: Shard, *, at: datetime) -> bool:
        """Write one shard of an edition of the clock as of `at`; whether that made it whole."""
        return editions.write_shard(
            self.database,
            self.desk,
            edition_id,
            shard,
            at=at,
            looked=self.looked,
            stop=self.stop,
        )

    def confirm(self) -> None:
        """Write to those who changed something on the pages."""
        confirmations.write_owed(self.database, self.desk, at=self.now())

    def prune(self) -> None:
        """Let go of what is kept for a time only, as the inventory says."""
        retention.keep_to_limits(self.database, at=self.now())

    def send(self, lots: int = sys.maxsize) -> Tally:
        """Mend what a crash left, then hand over what waits, or so many lots of it."""
        recover(self.database, self.handing.journal, at=self.now(), log=self.postfix_log)
        tally = asyncio.run(
            hand_over(self.database, self.handing, now=self.now, stop=self.stop, lots=lots)
        )
        if tally.outcomes or tally.stopped:
            fields = {"outcomes": dict(tally.outcomes), "stopped": tally.stopped}
            logger.info("handed over", extra=fields)
        return tally

    def count_waiting(self, most: int) -> int:
        """How many letters could be handed over now, counted up to `most`."""
        with self.database.read() as session:
            return outbox.count(session, at=self.now(), most=most)

    def take_returns(self) -> None:
        """Read what came back, and stop writing to addresses that are dead."""
        returns.visit(self.database, self.reception, at=self.now())


#: Job, crontab line in Québec wall time, function. Names of days, never numbers: APScheduler
#: counts them from Monday.
SCHEDULE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("beat", "* * * * *", ("beat",)),
    ("read", "12 * * * *", ("read",)),
    ("returns", "*/10 * * * *", ("take_returns",)),
    ("write", "* * * * *", ("write",)),
    ("prune", "40 3 * * *", ("prune",)),
)
#: Between two looks at the outbox. With a lease (alerts.outbox.LEASE) it makes less than the
#: minute within which all that a killed process had in hand is on its way again.
SEND_EVERY = timedelta(seconds=20)


def run(service: Service) -> None:
    """Tick until `service.stop` is set; everything owed is done once at the start."""
    for step in ("read", "take_returns", "write", "send"):
        _guarded(service, ("beat", step))
    scheduler = BackgroundScheduler(
        timezone=QUEBEC,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for name, crontab, steps in SCHEDULE:
        trigger = CronTrigger.from_crontab(crontab, timezone=QUEBEC)
        scheduler.add_job(_guarded, trigger, args=(service, steps), id=name)
    every = IntervalTrigger(seconds=int(SEND_EVERY.total_seconds()), timezone=QUEBEC)
    scheduler.add_job(_guarded, every, args=(service, ("send",)), id="send")
    scheduler.start()
    service.stop.wait()
    # Waits for the job at work, which finishes the letters in hand.
    scheduler.shutdown(wait=True)


def _guarded(service: Service, steps: tuple[str, ...]) -> None:
    """One job: a step that fails is logged and does not keep the next tick from coming."""
    for step in steps:
        if service.stop.is_set():
            return
        try:
            getattr(service, step)()
        except Exception:
            logger.exception("job failed", extra={"job": step})
