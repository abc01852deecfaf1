"""The engine of several machines: what the clock owes is deferred as jobs to whoever is free.

    read(source)               the addresses of one source that are due
    check                      whether sources are late, and the end of what they gave
    write                      editions opened; what the rows call for written
    write_shard(edition, n)    one of SHARDS parts of an edition of the clock, at one moment for all
    send(slot)                 a lot of the letters that wait, and again while more do
    returns                    what came back; only where this machine reads that mailbox
    prune                      what is kept for a time only

A job waits once and runs once at a time (its lock), whoever ticks. It names what to look at; what
is to be done is computed from rows when it runs. So a job that is lost, late or done twice changes
nothing: the next tick finds what is left (`alerts.service`, of which these are the functions).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from sqlalchemy import make_url

from alerts.engine_schema import OPTIONS
from alerts.owed import Shard
from alerts.service import Service

logger = logging.getLogger(__name__)

#: Parts of an edition of the clock, so many workers may write it at the same time.
SHARDS = 16
#: Lots that may be handed over at the same time, each by another worker.
SLOTS = 16
#: Letters of one lot.
LOT = 2000
#: The jobs of each queue. A worker does one job of each queue at a time: a source that is slow
#: keeps no letter waiting, and what was looked at (alerts.looked) has one user.
QUEUES = {
    "read": ("read", "check", "prune"),
    "write": ("write", "write_shard"),
    "send": ("send",),
    "returns": ("returns",),
}
#: Fetched before the other jobs of its queue.
_FIRST = {"write": 1}


@dataclass(frozen=True, kw_only=True, slots=True)
class Vitals:
    """How a worker that was killed is known from one at work."""

    #: Between two signs of life.
    beat: timedelta = timedelta(seconds=5)
    #: Whoever gave none for so long is gone, and its jobs are others'. Together with the next tick
    #: of `send` it stays within the minute of alerts.service.SEND_EVERY.
    patience: timedelta = timedelta(seconds=25)


class Engine:
    """The jobs, and what defers them."""

    def __init__(self, service: Service, url: str, vitals: Vitals | None = None) -> None:
        self.service = service
        self.vitals = vitals or Vitals()
        plain = make_url(url).set(drivername="postgresql")
        connector = PsycopgConnector(
            conninfo=plain.render_as_string(hide_password=False),
            kwargs={"options": OPTIONS},
            min_size=1,
            max_size=4,
        )
        self.app = App(connector=connector)
        for queue, names in QUEUES.items():
            for name in names:
                self.app.task(name=name, queue=queue)(getattr(self, name))

    @property
    def queues(self) -> list[str]:
        """Those whose jobs this machine can do."""
        return [one for one in QUEUES if one != "returns" or self.service.reception is not None]

    # What the clock asks for, at each of its ticks.

    async def owe_beat(self) -> None:
        """A sign of life of the service, whichever worker gives it."""
        await asyncio.to_thread(self.service.beat)

    async def owe_read(self) -> None:
        """Each source is looked at, then all."""
        for source in self.service.sources:
            if source.enabled:
                await self.defer("read", source=source.key)
        await self.defer("check")

    async def owe_write(self) -> None:
        await self.defer("write")

    async def owe_send(self) -> None:
        """See to the jobs of the dead; as many lots as there are letters for."""
        await self.mend()
        waiting = await asyncio.to_thread(self.service.count_waiting, SLOTS * LOT)
        # One at least, which mends what a crash left.
        for slot in range(max(1, -(-waiting // LOT))):
            await self.defer("send", slot=slot)

    async def owe_take_returns(self) -> None:
        if self.service.reception is not None:
            await self.defer("returns")

    async def owe_prune(self) -> None:
        await self.defer("prune")

    async def defer(self, name: str, *, at: str = "", **arguments: str | int) -> None:
        """Have that job done; nothing where the same one waits already, for whatever moment."""
        lock = ":".join([name, *(str(value) for value in arguments.values())])
        if at:
            arguments["at"] = at
        job = self.app.configure_task(
            name, lock=lock, queueing_lock=lock, priority=_FIRST.get(name, 0)
        )
        with contextlib.suppress(AlreadyEnqueued):
            await job.defer_async(**arguments)

    async def mend(self) -> None:
        """Give the jobs of workers that were killed to others."""
        patience = self.vitals.patience.total_seconds()
        jobs = self.app.job_manager
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=patience):
            logger.warning("job of a dead worker given on", extra={"job": job.task_name})
            try:
                await jobs.retry_job(job)
            except ConnectorException:
                # The same one waits already, and only needs the lock; or another was faster.
                with contextlib.suppress(ConnectorException):
                    await jobs.finish_job(job, status=Status.FAILED, delete_job=True)

    # The jobs.

    async def read(self, source: str) -> None:
        await asyncio.to_thread(self.service.read_source, source)

    async def check(self) -> None:
        await asyncio.to_thread(self.service.check_sources)

    async def prune(self) -> None:
        await asyncio.to_thread(self.service.prune)

    async def write(self) -> None:
        """What the rows call for waits until the editions of the clock are whole, as ever."""
        opened = await asyncio.to_thread(self.service.open_editions)
        if not opened:
            await asyncio.to_thread(self.service.write)
            return
        await asyncio.to_thread(self.service.let_go)
        # One moment for all: what is printed of a notice is kept by it (alerts.printing).
        at = self.service.now().isoformat()
        for edition in opened:
            for number in range(SHARDS):
                await self.defer("write_shard", edition=edition, number=number, at=at)
        await asyncio.to_thread(self.service.confirm)

    async def write_shard(self, edition: int, number: int, at: str) -> None:
        """Whoever makes an edition whole sees to what waited for it."""
        shard, moment = Shard(number, SHARDS), datetime.fromisoformat(at)
        if await asyncio.to_thread(self.service.write_shard, edition, shard, at=moment):
            await self.defer("write")
            await self.owe_send()

    async def send(self, slot: int) -> None:
        """A lot; whether more waits is asked of the rows."""
        lots = max(1, LOT // self.service.handing.lot)
        tally = await asyncio.to_thread(self.service.send, lots)
        if tally.stopped or self.service.stop.is_set():
            return
        if await asyncio.to_thread(self.service.count_waiting, 1):
            await self.defer("send", slot=slot)

    async def returns(self) -> None:
        await asyncio.to_thread(self.service.take_returns)
