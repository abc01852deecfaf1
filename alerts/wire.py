"""The wire to a relay: what we write, and its replies, each whole and in its turn."""

from __future__ import annotations

import asyncio
import re
from collections import deque

#: Longest reply line and most lines that are believed to be a reply (RFC 5321, 4.5.3.1.5: 512).
REPLY_LINE, REPLY_LINES = 2048, 100

_REPLY = re.compile(rb"([2-5]\d\d)([ -])(.*)\r?\n")

#: A code, and the reply's words with it in front.
Reply = tuple[int, str]


class Wire(asyncio.Protocol):
    """What is at our end of one open connection; `transport` is the other way."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self.transport = transport
        #: True once the relay has hung up.
        self.ended = False
        self._octets = b""
        self._lines: list[bytes] = []
        self._replies: deque[Reply] = deque()
        #: Why there is no further reply, behind those that are there.
        self._fault: Exception | None = None
        self._reply_came: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._closed = asyncio.get_running_loop().create_future()

    @property
    def unread(self) -> bool:
        """Whether it said something that nobody has read: a reply, a part of one, or no reply."""
        return bool(self._replies or self._octets or self._lines or self._fault)

    def write(self, octets: bytes) -> None:
        """Send them, or keep them until they can be sent."""
        self.transport.write(octets)

    @property
    def is_full(self) -> bool:
        """Whether the relay takes what is written slower than it is written."""
        return self._drained is not None

    async def drain(self) -> None:
        """Wait until the relay has taken most of what was written."""
        if self._drained is not None:
            await self._drained
        if self.ended:
            raise EOFError("the relay hung up")

    def heard(self) -> Reply | None:
        """The next reply, where it is there already."""
        return self._replies.popleft() if self._replies else None

    async def reply(self) -> Reply:
        """The next reply, its lines joined.

        Raises ValueError for what is no reply, EOFError or OSError at the end.
        """
        while not self._replies:
            if self._fault is not None:
                raise self._fault
            self._reply_came = asyncio.get_running_loop().create_future()
            await self._reply_came
        return self._replies.popleft()

    async def wait_closed(self) -> None:
        """Wait until the connection is closed."""
        await asyncio.shield(self._closed)

    def data_received(self, data: bytes) -> None:
        *lines, self._octets = (self._octets + data).split(b"\n")
        try:
            for line in lines:
                self._hear(line + b"\n")
            _must_be_short(self._octets)
        except ValueError as error:
            self._fault = self._fault or error
        self._wake()

    def eof_received(self) -> None:
        self.ended = True
        self._fault = self._fault or EOFError("the relay hung up")
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fault = self._fault or exc
        self.eof_received()
        self.resume_writing()
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        self._drained = self._drained or asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def _hear(self, line: bytes) -> None:
        """One line, which may complete a reply. Raises ValueError where it is none."""
        if self._fault is not None:
            return
        _must_be_short(line)
        match = _REPLY.fullmatch(line)
        if match is None:
            raise ValueError(f"no SMTP reply: {line[:80]!r}")
        if self._lines and self._lines[0][:3] != match[1]:
            raise ValueError(f"two codes in one SMTP reply: {line[:80]!r}")
        self._lines.append(line)
        if match[2] == b" ":
            self._replies.append(_joined(self._lines))
            self._lines = []
        elif len(self._lines) == REPLY_LINES:
            raise ValueError("a reply without end")

    def _wake(self) -> None:
        waiting, self._reply_came = self._reply_came, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


def _must_be_short(line: bytes) -> None:
    if len(line) > REPLY_LINE:
        raise ValueError(f"no SMTP reply: {line[:80]!r}")


def _joined(lines: list[bytes]) -> Reply:
    code = lines[0][:3].decode("ascii")
    words = " ".join(line[4:].decode("utf-8", "replace").strip() for line in lines)
    return int(code), f"{code} {words}"[:1000]
