"""One worker: it ticks, and does the jobs that any worker's ticks deferred.

Any number run at once, on one machine or several, and any may be killed. Each ticks: of a job
that several defer one waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from procrastinate.worker import Worker

from alerts.engine import Engine
from alerts.engine_schema import prepare
from alerts.service import SCHEDULE, SEND_EVERY
from base.clock import QUEBEC

logger = logging.getLogger(__name__)


def run(engine: Engine) -> bool:
    """Work until the service's `stop` is set, and finish the jobs in hand; False where it broke.

    It breaks off by itself when the database goes away, to be started again by its supervisor.
    """
    prepare(engine.service.database)
    return asyncio.run(_work(engine))


async def _work(engine: Engine) -> bool:
    stop = engine.service.stop
    async with engine.app.open_async():
        for step in ("beat", "read", "take_returns", "write", "send"):
            await _tick(engine, step)
        with _ticking(engine):
            queues = [_queue(engine, one) for one in engine.queues]
            working = [
                asyncio.create_task(one.run())  # type: ignore[no-untyped-call]
                for one in queues
            ]
            told = asyncio.create_task(asyncio.to_thread(stop.wait))
            await asyncio.wait([told, *working], return_when=asyncio.FIRST_COMPLETED)
            in_order = told.done()
            stop.set()
            for one in queues:
                # It finishes the job in hand, then ends. A cancellation may get lost in it while it
                # begins: in Python 3.11 that of asyncio.wait_for does.
                one.stop()  # type: ignore[no-untyped-call]
            ends = await asyncio.gather(*working, return_exceptions=True)
            await told
    for end in ends:
        if isinstance(end, Exception):
            logger.error("worker broke off", exc_info=end)
    return in_order


def _queue(engine: Engine, queue: str) -> Worker:
    """What does the jobs of one queue, one after the other."""
    return Worker(
        engine.app,
        queues=[queue],
        name=queue,
        concurrency=1,
        install_signal_handlers=False,
        # What is done, or failed and is in the log, is nobody's business any more.
        delete_jobs="always",
        update_heartbeat_interval=engine.vitals.beat.total_seconds(),
        stalled_worker_timeout=engine.vitals.patience.total_seconds(),
    )


@contextlib.contextmanager
def _ticking(engine: Engine) -> Iterator[None]:
    """The clock of alerts.service, which here only defers."""
    scheduler = AsyncIOScheduler(
        timezone=QUEBEC,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    every = IntervalTrigger(seconds=int(SEND_EVERY.total_seconds()), timezone=QUEBEC)
    scheduler.add_job(_tick, every, args=(engine, "send"), id="send")
    for name, crontab, steps in SCHEDULE:
        trigger = CronTrigger.from_crontab(crontab, timezone=QUEBEC)
        for step in steps:
            scheduler.add_job(_tick, trigger, args=(engine, step), id=f"{name}:{step}")
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def _tick(engine: Engine, step: str) -> None:
    """What that step of the schedule owes; a failure does not keep the next tick from coming."""
    try:
        await getattr(engine, f"owe_{step}")()
    except Exception:
        logger.exception("tick failed", extra={"step": step})
