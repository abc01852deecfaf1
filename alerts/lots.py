"""The letters that one dispatcher has claimed and not begun: lot after lot, without a pause."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from alerts.custody import Custody
from alerts.handing import Course, Fault
from alerts.outbox import Claimed

#: What the database, the journal's disk or the threads between may raise.
STORE = (SQLAlchemyError, OSError)


@dataclass(slots=True)
class Lots:
    """A queue that claims its next lot while the last letters of one are still at the relay."""

    custody: Custody
    course: Course
    #: Lots that may still be claimed.
    left: int
    _queue: deque[Claimed] = field(default_factory=deque)
    _ahead: asyncio.Task[None] | None = None

    async def claim(self) -> bool:
        """Take the next lot; False when no letter waits, all is held or enough were claimed."""
        if self.left <= 0:
            return False
        self.left -= 1
        lot = await asyncio.to_thread(self.custody.claim)
        if lot is None:
            self.course.stopped(Fault.HELD, "held")
        if lot is None or not lot.looked_at:
            self.left = 0
            return False
        self._queue.extend(lot.claimed)
        return True

    async def next(self) -> Claimed | None:
        """The next letter; None where there is no more, or the run is over."""
        while not self.course.is_over:
            self._look_ahead()
            if self._queue:
                return self._queue.popleft()
            if self._ahead is None:
                break
            await asyncio.wait([self._ahead])
        return None

    def follower(self) -> Claimed | None:
        """The next letter, where it is here already and may be begun at once."""
        self._look_ahead()
        if self.course.is_over or self._keeps_pace:
            return None
        return self._queue.popleft() if self._queue else None

    def put_back(self, letter: Claimed) -> None:
        """It was not begun: the next one to ask has it."""
        self._queue.appendleft(letter)

    async def give_back(self) -> None:
        """Those that were not begun wait again, as if never claimed."""
        if self._ahead is not None:
            await self._ahead
        if self._queue:
            await asyncio.to_thread(self.custody.give_back, [one.id for one in self._queue])
            self._queue.clear()

    @property
    def _keeps_pace(self) -> bool:
        """Then no more is claimed than leaves in time, and nothing begun before its turn."""
        return self.custody.handing.pace > 0

    def _look_ahead(self) -> None:
        runs_out = len(self._queue) < self.custody.handing.connections
        if runs_out and self.left > 0 and self._ahead is None and not self._keeps_pace:
            self._ahead = asyncio.create_task(self._claim_ahead())

    async def _claim_ahead(self) -> None:
        try:
            await self.claim()
        except STORE as error:
            self.course.stopped(Fault.DATABASE, f"database: {error}")
        finally:
            self._ahead = None
