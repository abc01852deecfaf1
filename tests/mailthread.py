"""The well-behaved mail server in a thread, for commands that have an event loop of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.mailserver import Mailbox, mail_server


@contextmanager
def mail_thread() -> Iterator[Mailbox]:
    """A server on a free port until the block ends."""
    ready, done = threading.Event(), threading.Event()
    made: list[Mailbox] = []

    async def serve() -> None:
        async with mail_server() as mailbox:
            made.append(mailbox)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(20)
    try:
        yield made[0]
    finally:
        done.set()
        thread.join()
