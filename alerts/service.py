"""The clock: APScheduler ticks; what is owed is computed from rows at each tick.

A tick that was missed, was late or ran twice changes nothing: the next one finds the same rows.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from alerts import confirmations, editions, near_misses
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.recovery import recover
from alerts.writing import Desk
from base.clock import QUEBEC
from base.database import Database
from sources.reading import read_ckan

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the jobs work with."""

    database: Database
    desk: Desk
    handing: Handing
    package_url: str
    source_contact: str
    postfix_log: Path | None
    now: Callable[[], datetime]
    stop: threading.Event

    def read(self) -> None:
        """Read the sources; conditional, so an hour in which nothing came costs one question."""
        for outcome in read_ckan(
            self.database, self.package_url, contact=self.source_contact, at=self.now()
        ):
            logger.info("source read", extra={"counts": outcome.counts, "fault": outcome.fault})

    def write(self) -> None:
        """Open the editions that are due, write what is open, confirm what the pages did."""
        at = self.now()
        with self.database.write() as session:
            editions.open_due(session, at)
        editions.write_open(self.database, self.desk, at=at)
        confirmations.write_owed(self.database, self.desk, at=at)

    def prune(self) -> None:
        """Forget what is kept for a time only."""
        with self.database.write() as session:
            near_misses.prune(session, at=self.now())

    def send(self) -> None:
        """Mend what a crash left, then hand over what waits."""
        recover(self.database, self.handing.journal, at=self.now(), log=self.postfix_log)
        tally = asyncio.run(hand_over(self.database, self.handing, now=self.now, stop=self.stop))
        if tally.outcomes or tally.stopped:
            fields = {"outcomes": dict(tally.outcomes), "stopped": tally.stopped}
            logger.info("handed over", extra=fields)


#: Job, crontab line in Québec wall time, function. Names of days, never numbers: APScheduler
#: counts them from Monday.
SCHEDULE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("read", "12 * * * *", ("read",)),
    ("write", "* * * * *", ("write",)),
    ("prune", "40 3 * * *", ("prune",)),
)
#: Between two looks at the outbox. With a lease (alerts.outbox.LEASE) it makes less than the
#: minute within which all that a killed process had in hand is on its way again.
SEND_EVERY = timedelta(seconds=20)


def run(service: Service) -> None:
    """Tick until `service.stop` is set; everything owed is done once at the start."""
    for step in ("read", "write", "send"):
        _guarded(service, (step,))
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
