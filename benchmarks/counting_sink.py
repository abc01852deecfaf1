"""A light SMTP server in a process of its own, which takes all letters, counts, and keeps none."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from typing import Any, cast

_PROCESSES = multiprocessing.get_context("fork")
_END = b"\r\n.\r\n"
_EHLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n"
_TAKEN = b"250 2.0.0 taken\r\n"
_REPLIES = {b"MAIL": b"250 2.1.0 ok\r\n", b"RCPT": b"250 2.1.5 ok\r\n", b"QUIT": b"221 bye\r\n",
            b"EHLO": _EHLO, b"HELO": b"250 sink\r\n", b"RSET": b"250 ok\r\n",
            b"DATA": b"354 go\r\n"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counting:
    """Where the sink listens, and what it has taken until now."""

    port: int
    pid: int
    _counts: Any

    @property
    def letters(self) -> int:
        """Messages that it answered 250."""
        return int(self._counts[1])

    @property
    def mailboxes(self) -> int:
        """Different recipients among them."""
        return int(self._counts[2])


@contextmanager
def counting() -> Iterator[Counting]:
    """A sink, until the block ends."""
    counts = _PROCESSES.Array("q", 3)
    process = _PROCESSES.Process(target=_serve, args=(counts,), daemon=True)
    process.start()
    while not counts[0]:
        sleep(0.005)
    try:
        yield Counting(counts[0], process.pid or 0, counts)
    finally:
        process.kill()
        process.join()


def _serve(counts: Any) -> None:  # noqa: ANN401, a synchronized array has no name
    async def serve() -> None:
        seen: set[bytes] = set()
        server = await asyncio.get_running_loop().create_server(
            lambda: _Session(counts, seen), "127.0.0.1", 0
        )
        counts[0] = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    asyncio.run(serve())


class _Session(asyncio.Protocol):
    def __init__(self, counts: Any, seen: set[bytes]) -> None:  # noqa: ANN401, as above
        self._counts, self._seen = counts, seen
        self._unread, self._in_body, self._recipient = bytearray(), False, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        replies = []
        while (reply := self._step(len(data))) is not None:
            replies.append(reply)
        if replies:
            self._transport.write(b"".join(replies))

    def _step(self, new: int) -> bytes | None:
        """The answer to the next command, or body, that is here whole."""
        mark = _END if self._in_body else b"\r\n"
        # Of a body that comes in parts the end is looked for in what is new.
        seen = len(self._unread) - new - len(mark) if self._in_body else 0
        at = self._unread.find(mark, max(0, seen))
        if at < 0:
            return None
        line = b"" if self._in_body else bytes(self._unread[:at])
        del self._unread[: at + len(mark)]
        return self._taken() if self._in_body else self._answer(line)

    def _taken(self) -> bytes:
        self._in_body = False
        self._seen.add(self._recipient)
        self._counts[1] += 1
        self._counts[2] = len(self._seen)
        return _TAKEN

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self._recipient = line
        self._in_body = verb == b"DATA"
        return _REPLIES.get(verb, b"500 what?\r\n")
