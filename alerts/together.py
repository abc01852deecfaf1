"""Many waiters, one commit: whoever comes while a transaction runs shares the next one.

A commit that must reach the disk costs the same for one row as for a hundred, so truth does
not cost speed (PostgreSQL calls this group commit).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


#: Seconds that an item without hurry waits at most for one that has.
PATIENCE = 0.02


class Together(Generic[Item, Answer]):
    """Run `work` in a thread on all items that wait; one call at a time.

    `work` takes the items and returns an answer for each, in order. If it raises, all
    who waited for that call get the exception.
    """

    def __init__(self, work: Callable[[list[Item]], list[Answer]]) -> None:
        self._work = work
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._hurry = False
        self._running: asyncio.Task[None] | None = None

    def ask(self, item: Item, *, hurry: bool = True) -> asyncio.Future[Answer]:
        """The answer for `item`, once the transaction that gave it is committed.

        Who asks first is in no later transaction. Without `hurry` the item begins none: it is
        in the next one, or in its own after a moment.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, future))
        if hurry:
            self._go_on()
        elif len(self._waiting) == 1:
            loop.call_later(PATIENCE, self._go_on)
        return future

    def _go_on(self) -> None:
        self._hurry = True
        if self._waiting and (self._running is None or self._running.done()):
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._waiting and self._hurry:
            lot, self._waiting, self._hurry = self._waiting, [], False
            try:
                answers = await asyncio.to_thread(self._work, [item for item, _ in lot])
            except Exception as error:  # noqa: BLE001, handed to those who wait
                for _, future in lot:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in zip(lot, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)
