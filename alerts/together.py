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


class Together(Generic[Item, Answer]):
    """Run `work` in a thread on all items that wait; one call at a time.

    `work` takes the items and returns an answer for each, in order. If it raises, all
    who waited for that call get the exception.
    """

    def __init__(self, work: Callable[[list[Item]], list[Answer]]) -> None:
        self._work = work
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None

    def ask(self, item: Item) -> asyncio.Future[Answer]:
        """The answer for `item`, once the transaction that gave it is committed.

        Who asks first is in no later transaction.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        while self._waiting:
            lot, self._waiting = self._waiting, []
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
