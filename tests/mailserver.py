"""Real SMTP servers for tests: one that behaves, and one that follows a script.

Both listen on the loopback with real sockets; TLS certificates come from trustme.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailbox:
    """What a well-behaved server (aiosmtpd) received, in order of arrival."""

    port: int = 0
    received: list[tuple[str, str, bytes]] = field(default_factory=list)
    #: Address to the reply it gets at RCPT TO.
    replies: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802, the name aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.replies.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.received.append((str(envelope.mail_from), envelope.rcpt_tos[0], envelope.content))
        return "250 2.0.0 queued"

    @property
    def recipients(self) -> list[str]:
        return [recipient for _, recipient, _ in self.received]


@contextlib.asynccontextmanager
async def mail_server(
    context: ssl.SSLContext | None = None, *, implicit: bool = False, **options: Any
) -> AsyncIterator[Mailbox]:
    """A server on a free port; with `context` it offers STARTTLS, or speaks TLS at once."""
    mailbox = Mailbox()
    opened: list[SMTP] = []

    def protocol() -> SMTP:
        tls = None if implicit else context
        opened.append(
            SMTP(mailbox, hostname="localhost", tls_context=tls, decode_data=False, **options)
        )
        return opened[-1]

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if implicit else None)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        for one in opened:
            if one.transport is not None:
                one.transport.abort()
        # Lost connections are noticed at the next turns of the loop.
        for _ in range(3):
            await asyncio.sleep(0)


#: What the scripted server does at a step instead of its normal reply.
Act = str | bytes | Callable[["Script"], Awaitable[None]]


@dataclass
class Script:
    """A server whose reply at each step can be replaced: text, bytes, or drop, silence …

    Steps: banner, ehlo, helo, starttls, auth, mail, rcpt, data, body, dot, rset, quit.
    """

    acts: dict[str, Act] = field(default_factory=dict)
    pipelining: bool = False
    extensions: tuple[str, ...] = ("SIZE 33554432", "8BITMIME")
    port: int = 0
    #: With it STARTTLS is offered and a handshake follows its 220; with `implicit`, at once.
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    #: Whether each command waits for the reply to the one before: what came early is lost.
    deaf_to_batches: bool = False
    #: Everything clients said, line by line, and what of it was said in clear.
    heard: list[bytes] = field(default_factory=list)
    clear: list[bytes] = field(default_factory=list)
    #: The bodies whose dot was answered with 250.
    accepted: list[bytes] = field(default_factory=list)
    writer: asyncio.StreamWriter | None = None
    connections: int = 0
    refused: bool = False
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def say(self, step: str, normal: str) -> bool:
        """Reply; False when the normal reply was replaced."""
        act = self.acts.get(step)
        assert self.writer is not None
        if callable(act):
            await act(self)
            return False
        reply = normal if act is None else act
        self.writer.write(reply if isinstance(reply, bytes) else f"{reply}\r\n".encode())
        await self.writer.drain()
        return act is None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self.say("banner", "220 test ESMTP")
                while line := await reader.readline():
                    self._note(line.rstrip(b"\r\n"), writer)
                    if self.deaf_to_batches:
                        await _forget(reader)
                    if not await self._answer(line[:4].decode("latin-1").upper(), reader):
                        break
        except asyncio.CancelledError:
            pass
        finally:
            self.tasks.discard(task)
            writer.transport.abort()

    def _note(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        self.heard.append(line)
        if writer.get_extra_info("ssl_object") is None:
            self.clear.append(line)

    async def _answer(self, verb: str, reader: asyncio.StreamReader) -> bool:
        match verb:
            case "EHLO":
                await self.say("ehlo", self._offers())
            case "STAR":
                await self.say("starttls", "220 2.0.0 go")
                await self._encrypt()
            case "AUTH":
                await self.say("auth", "235 2.7.0 welcome")
            case "MAIL" | "RCPT" | "RSET" | "HELO":
                good = await self.say(verb.lower(), "250 2.0.0 ok")
                self.refused = not good if verb == "MAIL" else self.refused or not good
            case "DATA" if self.refused:
                # RFC 2920, 3.1: a server may say 354 to a pipelined DATA that nobody will get.
                await self.say("late data", "354 go, for nobody")
                while await reader.readline() not in {b".\r\n", b""}:
                    pass
                await self.say("late dot", "554 5.5.1 no valid recipients")
            case "DATA":
                if await self.say("data", "354 go"):
                    await self._body(reader)
            case "QUIT":
                await self.say("quit", "221 bye")
                return False
            case _:
                await self.say("other", "502 5.5.1 what")
        return True

    def _offers(self) -> str:
        more = {"PIPELINING": self.pipelining, "STARTTLS": self.tls and not self.implicit}
        lines = ["test", *self.extensions, *(word for word, offered in more.items() if offered)]
        last = lines.pop()
        return "\r\n".join([*(f"250-{line}" for line in lines), f"250 {last}"])

    async def _encrypt(self) -> None:
        assert self.writer is not None
        if self.tls is not None:
            await self.writer.start_tls(self.tls)

    async def _body(self, reader: asyncio.StreamReader) -> None:
        if "body" in self.acts:
            await reader.read(100)
            await self.say("body", "")
            return
        body = bytearray()
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                return
            body += line
        if await self.say("dot", "250 2.0.0 queued as T1"):
            self.accepted.append(bytes(body))


async def _forget(reader: asyncio.StreamReader) -> None:
    """Lose whatever came in the same breath."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(65536)


def slowly(reply: str, pause: float) -> Act:
    """That reply, an octet at a time."""

    async def say(script: Script) -> None:
        assert script.writer is not None
        for octet in f"{reply}\r\n".encode():
            script.writer.write(bytes([octet]))
            await script.writer.drain()
            await asyncio.sleep(pause)

    return say


async def drop(script: Script) -> None:
    """Close the connection without a word."""
    assert script.writer is not None
    script.writer.transport.abort()


async def silence(_script: Script) -> None:
    """Say nothing for longer than the test's limits."""
    await asyncio.sleep(30)


@contextlib.asynccontextmanager
async def scripted_server(script: Script) -> AsyncIterator[Script]:
    """Run a script on a free port."""
    context = script.tls if script.implicit else None
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0, ssl=context)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        for task in list(script.tasks):
            task.cancel()
        await asyncio.gather(*script.tasks, return_exceptions=True)
        await asyncio.sleep(0)
