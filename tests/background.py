"""An asynchronous server in a thread of its own, for commands that run a loop themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def in_background(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run that server in another thread until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        made = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
        try:
            yield made
        finally:
            leaving = server.__aexit__(None, None, None)
            asyncio.run_coroutine_threadsafe(leaving, loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
