"""Envelope -> relay -> receipt, phase by phase. The only module that speaks SMTP.

aiosmtplib connects, verifies the certificate and authenticates; from then on the transaction
is ours, because its exceptions cannot tell a failure before the final dot (certain: try again)
from silence after it (doubt). A letter is handed over in two steps, so that the caller can ask
between them whether the contact is still entitled:

    connection.offer(envelope)   MAIL, RCPT, DATA, body      -> Receipt, or None: it is offered
    connection.finish()          the final dot, the reply    -> Receipt
    connection.abandon()         no dot: the relay drops it, and the connection is closed
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import aiosmtplib

from alerts.errors import RelayMisconfigured, RelayUnreachable

#: Seconds for a connection, a command's reply, the body, and the reply to the final dot
#: (RFC 5321, 4.5.3.2, where the last is 10 minutes).
CONNECT_WITHIN, REPLY_WITHIN, BODY_WITHIN, DOT_REPLY_WITHIN = 30.0, 60.0, 180.0, 570.0
#: Longest reply line and most lines that are believed to be a reply (RFC 5321, 4.5.3.1.5: 512).
REPLY_LINE, REPLY_LINES = 2048, 100

#: What a connection can do to us once it is open; which of it happened does not matter.
LOST = (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError)

T = TypeVar("T")

_REPLY = re.compile(rb"([2-5]\d\d)([ -])(.*)\r?\n")
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")
#: Enhanced codes that say that the address itself is dead (RFC 3463; 5.2.1: disabled).
_DEAD = re.compile(r"5\.1\.\d+|5\.2\.1")


class Phase(StrEnum):
    """Where a transaction ended."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class Outcome(StrEnum):
    """What became of a letter, by reply code and phase; never by class of exception."""

    ACCEPTED = "accepted"  #: 2yz to the dot: the relay has taken charge
    DEFERRED = "deferred"  #: 4yz, or the connection lost before the dot: again later
    DEAD_ADDRESS = "dead_address"  #: 5.1.x or 5.2.1 to RCPT: suppress the address
    REFUSED = "refused"  #: 5yz for this letter: never again, the address is not to blame
    POLICY = "policy"  #: 5.7.x: we are not welcome; several hold the run
    MISCONFIGURED = "misconfigured"  #: 5yz to MAIL: our sender, whatever the letter
    UNKNOWN = "unknown"  #: silence or nonsense after the dot: nobody knows


@dataclass(frozen=True, slots=True)
class Receipt:
    """How one transaction ended."""

    outcome: Outcome
    phase: Phase
    #: The relay's own words, e.g. "550 5.1.1 no such user"; or ours where it said nothing.
    reply: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the relay reads (RFC 5321), and the message it carries."""

    sender: str
    recipient: str
    #: CRLF line ends, not dot-stuffed, ending in CRLF.
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Relay:
    """A server that letters can be handed to."""

    host: str
    port: int
    #: starttls, implicit, or none (loopback only, held by base.settings).
    tls: str
    user: str = ""
    password: str = ""
    ca_file: Path | None = None
    #: Our name in EHLO; empty for this machine's.
    helo: str = ""
    dot_reply_within: float = DOT_REPLY_WITHIN

    async def connect(self) -> Connection:
        """Open a connection, encrypted and verified unless `tls` is none.

        Raises:
            RelayUnreachable: nobody answers, or 4yz: try again later.
            RelayMisconfigured: certificate, STARTTLS, AUTH or 5yz: a person must look.
        """
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            local_hostname=self.helo or socket.gethostname(),
            use_tls=self.tls == "implicit",
            start_tls=self.tls == "starttls",
            tls_context=_verified(self.ca_file) if self.tls != "none" else None,
            timeout=CONNECT_WITHIN,
        )
        try:
            await _greet(client)
            if self.user:
                await client.login(self.user, self.password)
            # Asked again: what is offered inside TLS and after AUTH is what counts.
            await client.ehlo()
            return _take_over(client, self.dot_reply_within)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise _connection_fault(error) from error


class Connection:
    """One open connection to the relay, between transactions or within one."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        pipelining: bool,
        size_limit: int,
        dot_reply_within: float,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._pipelining = pipelining
        self._size_limit = size_limit
        self._dot_reply_within = dot_reply_within
        self._phase = Phase.CONNECT
        self.is_usable = True

    async def offer(self, envelope: Envelope) -> Receipt | None:
        """Everything but the final dot; None means that the relay waits for it.

        A Receipt means that this letter was certainly not accepted.
        """
        if 0 < self._size_limit < len(envelope.content):
            return Receipt(Outcome.REFUSED, Phase.MAIL, f"larger than {self._size_limit} octets")
        commands = {
            Phase.MAIL: f"MAIL FROM:<{envelope.sender}>\r\n".encode("ascii"),
            Phase.RCPT: f"RCPT TO:<{envelope.recipient}>\r\n".encode("ascii"),
            Phase.DATA: b"DATA\r\n",
        }
        try:
            refusal = await (self._all_at_once if self._pipelining else self._in_turn)(commands)
            if refusal is not None:
                return refusal
            self._phase = Phase.BODY
            self._writer.write(_stuffed(envelope.content))
            await _within(BODY_WITHIN, self._writer.drain())
        except LOST as error:
            return self._lost(Outcome.DEFERRED, self._phase, error)
        return None

    async def finish(self) -> Receipt:
        """The final dot and its reply. What cannot be understood from here on is UNKNOWN."""
        try:
            self._writer.write(b".\r\n")
            code, reply = await _within(self._dot_reply_within, self._reply())
        except LOST as error:
            return self._lost(Outcome.UNKNOWN, Phase.DOT, error)
        if code == 250:
            return Receipt(Outcome.ACCEPTED, Phase.DOT, reply)
        if code < 400:
            self.close()
            return Receipt(Outcome.UNKNOWN, Phase.DOT, reply)
        return self._refusal(Phase.DOT, code, reply)

    def abandon(self) -> None:
        """Close without the dot: the relay delivers nothing (RFC 5321, 4.1.1.4)."""
        self.close()

    async def quit(self) -> None:
        """Say goodbye; an answer is welcome but not waited for."""
        if self.is_usable:
            self._writer.write(b"QUIT\r\n")
        self.close()

    def close(self) -> None:
        """Close the connection at once; a second call changes nothing."""
        self.is_usable = False
        self._writer.close()

    async def _in_turn(self, commands: dict[Phase, bytes]) -> Receipt | None:
        for phase, command in commands.items():
            self._phase = phase
            self._writer.write(command)
            code, reply = await _within(REPLY_WITHIN, self._reply())
            if not _is_good(phase, code):
                refusal = self._refusal(phase, code, reply)
                await self._reset()
                return refusal
        return None

    async def _all_at_once(self, commands: dict[Phase, bytes]) -> Receipt | None:
        """RFC 2920: one write, the replies in order; a 354 after a refusal gets a lone dot."""
        self._writer.write(b"".join(commands.values()))
        refused: tuple[Phase, int, str] | None = None
        for phase in commands:
            if refused is None:
                self._phase = phase
            try:
                code, reply = await _within(REPLY_WITHIN, self._reply())
                if phase is Phase.DATA and refused is not None and code == 354:
                    # Nobody is addressed: the relay refuses the empty message, as it likes.
                    self._writer.write(b".\r\n")
                    await _within(REPLY_WITHIN, self._reply())
            except LOST:
                if refused is None:
                    raise
                # It said no and hung up: the no is what counts.
                self.close()
                break
            if refused is None and not _is_good(phase, code):
                refused = (phase, code, reply)
        if refused is None:
            return None
        refusal = self._refusal(*refused)
        await self._reset()
        return refusal

    async def _reset(self) -> None:
        if self.is_usable:
            self._writer.write(b"RSET\r\n")
            try:
                code, _ = await _within(REPLY_WITHIN, self._reply())
            except LOST:
                code = 0
            if code != 250:
                self.close()

    async def _reply(self) -> tuple[int, str]:
        """One reply, its lines joined.

        Raises ValueError for what is no reply, EOFError at the end of the stream.
        """
        words: list[str] = []
        for _ in range(REPLY_LINES):
            line = await self._reader.readuntil(b"\n")
            match = _REPLY.fullmatch(line)
            if match is None or len(line) > REPLY_LINE:
                raise ValueError(f"no SMTP reply: {line[:80]!r}")
            words.append(match[3].decode("utf-8", "replace").strip())
            if match[2] == b" ":
                return int(match[1]), f"{match[1].decode()} {' '.join(words)}"[:1000]
        raise ValueError("a reply without end")

    def _refusal(self, phase: Phase, code: int, reply: str) -> Receipt:
        if code == 421:
            self.close()
        return Receipt(classify(phase, code, reply), phase, reply)

    def _lost(self, outcome: Outcome, phase: Phase, error: Exception) -> Receipt:
        self.close()
        return Receipt(outcome, phase, f"connection lost: {error!r}"[:1000])


def classify(phase: Phase, code: int, reply: str) -> Outcome:
    """What a refusal means, by its code, its enhanced code (RFC 3463) and its phase."""
    enhanced = _ENHANCED.match(reply[4:])
    status = enhanced[1] if enhanced else ""
    if code < 500:
        return Outcome.DEFERRED
    if status.startswith("5.7."):
        return Outcome.POLICY
    if phase is Phase.MAIL:
        return Outcome.MISCONFIGURED
    if phase is Phase.RCPT and _DEAD.fullmatch(status):
        return Outcome.DEAD_ADDRESS
    if phase is Phase.RCPT and status == "5.2.2":
        return Outcome.DEFERRED
    return Outcome.REFUSED


def _is_good(phase: Phase, code: int) -> bool:
    return code == 354 if phase is Phase.DATA else 200 <= code < 300


def _stuffed(content: bytes) -> bytes:
    """Dot-stuffed (RFC 5321, 4.5.2), ending in CRLF, without the final dot."""
    body = content if content.endswith(b"\r\n") else content + b"\r\n"
    stuffed = body.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


async def _within(seconds: float, work: Awaitable[T]) -> T:
    async with asyncio.timeout(seconds):
        return await work


def _verified(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _greet(client: aiosmtplib.SMTP) -> None:
    """Banner, EHLO and STARTTLS; a relay that will not encrypt is not spoken to in clear."""
    try:
        await client.connect()
    except aiosmtplib.SMTPResponseException as error:
        greeting = (aiosmtplib.SMTPConnectResponseError, aiosmtplib.SMTPHeloError)
        if isinstance(error, greeting) or error.code < 0:
            raise
        raise RelayMisconfigured(f"STARTTLS refused: {error.code} {error.message}") from error


def _take_over(client: aiosmtplib.SMTP, dot_reply_within: float) -> Connection:
    """Put our own reader on the transport that aiosmtplib opened; it is not used again."""
    transport = client.transport
    if not isinstance(transport, asyncio.WriteTransport):
        raise RelayUnreachable("the connection closed at once")
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=REPLY_LINE, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    size = client.esmtp_extensions.get("size", "")
    return Connection(
        reader,
        asyncio.StreamWriter(transport, protocol, reader, loop),
        pipelining=client.supports_extension("pipelining"),
        size_limit=int(size) if size.isdigit() else 0,
        dot_reply_within=dot_reply_within,
    )


def _connection_fault(error: Exception) -> RelayMisconfigured | RelayUnreachable:
    """Who must act: nobody (later), or a person."""
    text = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return RelayMisconfigured(f"the relay cannot be trusted: {text}")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        later = error.code < 500
        reply = f"{error.code} {error.message}"
        return RelayUnreachable(reply) if later else RelayMisconfigured(reply)
    if isinstance(error, aiosmtplib.SMTPNotSupported) or "STARTTLS" in text.upper():
        return RelayMisconfigured(text)
    return RelayUnreachable(text)
