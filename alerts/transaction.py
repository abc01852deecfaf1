"""One open connection, and the transactions on it, phase by phase.

The bytes are ours from EHLO on, because a library's exceptions cannot tell a failure before the
final dot (certain: try again) from silence after it (doubt).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace
from typing import SupportsIndex, TypeVar

from alerts.replies import Outcome, Phase, Receipt, classify
from alerts.signing import Signer

#: Seconds for a command's reply, the body, and all of them together, however slowly it drips.
REPLY_WITHIN, BODY_WITHIN, OFFER_WITHIN = 60.0, 180.0, 240.0
#: Seconds that closing may take: TLS says goodbye too, and the relay may be gone.
CLOSED_WITHIN = 2.0
#: From then on the relay gets one command at a time, whatever it offers.
MOST_BATCHES_LOST = 3
#: Longest reply line and most lines that are believed to be a reply (RFC 5321, 4.5.3.1.5: 512).
REPLY_LINE, REPLY_LINES = 2048, 100

#: What a connection can do to us once it is open; which of it happened does not matter.
LOST = (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError)

T = TypeVar("T")

_REPLY = re.compile(rb"([2-5]\d\d)([ -])(.*)\r?\n")
_PLAIN = re.compile(r"[!-*,-<>-~]")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the relay reads (RFC 5321), and the message it carries."""

    sender: str
    recipient: str
    #: CRLF line ends, not dot-stuffed, ending in CRLF.
    content: bytes
    #: What a relay with DSN quotes in its reports (RFC 3461, 4.4); empty for none.
    envid: str = ""


@dataclass(slots=True)
class Habits:
    """What a relay was seen to do, against what it says; kept over its connections."""

    #: Batches of commands that it lost its way in, in a row.
    batches_lost: int = 0

    @property
    def pipelines(self) -> bool:
        """Whether batches are still worth trying; a drop or two is not yet a habit."""
        return self.batches_lost < MOST_BATCHES_LOST


@dataclass(frozen=True, kw_only=True, slots=True)
class Offers:
    """What a relay says in EHLO that it can do, as far as we use it."""

    pipelining: bool = False
    dsn: bool = False
    #: Octets; 0 where it does not say.
    size: int = 0


class Reader(asyncio.StreamReader):
    """A stream that knows whether it has something unread: a reply that nobody asked for."""

    unread = 0
    ended = False

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        octets = bytes(data)
        self.unread += len(octets)
        super().feed_data(octets)

    def feed_eof(self) -> None:
        self.ended = True
        super().feed_eof()

    async def line(self) -> bytes:
        """One line with its end; see `readuntil` for what it raises."""
        line = await self.readuntil(b"\n")
        self.unread -= len(line)
        return line


class Connection:
    """One open connection to the relay, between transactions or within one."""

    def __init__(
        self,
        reader: Reader,
        writer: asyncio.StreamWriter,
        *,
        offers: Offers,
        habits: Habits,
        signer: Signer | None = None,
        dot_reply_within: float,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._offers = offers
        self._habits = habits
        self._signer = signer
        self._dot_reply_within = dot_reply_within
        self._phase = Phase.CONNECT
        self._carried = 0
        self._closed = False

    @property
    def is_usable(self) -> bool:
        """False once it is closed, hung up by the relay, or out of step with it."""
        return not (self._closed or self._reader.ended or self._reader.unread)

    async def offer(self, envelope: Envelope) -> Receipt | None:
        """Everything but the final dot; None means that the relay waits for it.

        A Receipt means that this letter was certainly not accepted.
        """
        if self._signer is not None:
            envelope = replace(envelope, content=self._signer.signed(envelope.content))
        if 0 < self._offers.size < len(envelope.content):
            words = f"larger than {self._offers.size} octets"
            return Receipt(Outcome.REFUSED, Phase.MAIL, words)
        self._phase = Phase.MAIL
        try:
            if not self.is_usable:
                raise EOFError("closed, or an unasked reply, between transactions")
            refusal = await _within(OFFER_WITHIN, self._offer(envelope))
        except LOST as error:
            return self._lost(Outcome.DEFERRED, self._phase, error)
        self._carried += 1
        return refusal

    async def finish(self) -> Receipt:
        """The final dot and its reply. What cannot be understood from here on is UNKNOWN."""
        if not self.is_usable:
            # It spoke before the dot: the next line is no answer to it. The dot is not sent.
            return self._lost(Outcome.DEFERRED, Phase.BODY, EOFError("a reply before the dot"))
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

    async def noop(self) -> bool:
        """Whether the relay answers as it should, between letters; none is begun."""
        try:
            self._writer.write(b"NOOP\r\n")
            code, _ = await _within(REPLY_WITHIN, self._reply())
        except LOST:
            self.close()
            return False
        return code == 250

    async def quit(self) -> None:
        """Say goodbye, and wait a moment until the connection is closed; no answer is needed."""
        if self.is_usable:
            self._writer.write(b"QUIT\r\n")
        self.close()
        try:
            await _within(CLOSED_WITHIN, self._writer.wait_closed())
        except LOST:
            self._writer.transport.abort()

    def close(self) -> None:
        """Close the connection at once; a second call changes nothing."""
        self._closed = True
        self._writer.close()

    async def _offer(self, envelope: Envelope) -> Receipt | None:
        batch = self._offers.pipelining and self._habits.pipelines
        commands = _commands(envelope, dsn=self._offers.dsn)
        refusal = await (self._all_at_once if batch else self._in_turn)(commands)
        if refusal is None:
            self._phase = Phase.BODY
            self._writer.write(_stuffed(envelope.content))
            await _within(BODY_WITHIN, self._writer.drain())
        return refusal

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
                    self._habits.batches_lost += 1
                    raise
                # It said no and hung up: the no is what counts.
                self.close()
                break
            if refused is None and not _is_good(phase, code):
                refused = (phase, code, reply)
        if refused is not None:
            return await self._batch_refused(*refused)
        self._habits.batches_lost = 0
        return None

    async def _batch_refused(self, phase: Phase, code: int, reply: str) -> Receipt:
        if 500 <= code <= 504 and phase is not Phase.MAIL and "5.1." not in reply:
            # «Improper use of pipelining»: the relay boasted, the letter is not to blame.
            self._habits.batches_lost = MOST_BATCHES_LOST
            self.close()
            return Receipt(Outcome.DEFERRED, phase, reply)
        refusal = self._refusal(phase, code, reply)
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
        code = b""
        for _ in range(REPLY_LINES):
            line = await self._reader.line()
            match = _REPLY.fullmatch(line)
            if match is None or len(line) > REPLY_LINE or code not in {b"", match[1]}:
                raise ValueError(f"no SMTP reply: {line[:80]!r}")
            code = match[1]
            words.append(match[3].decode("utf-8", "replace").strip())
            if match[2] == b" ":
                return int(code), f"{code.decode()} {' '.join(words)}"[:1000]
        raise ValueError("a reply without end")

    def _refusal(self, phase: Phase, code: int, reply: str) -> Receipt:
        outcome = classify(phase, code, reply)
        if code == 421 or code < 400:
            # It closes, or it answers something else than what was asked.
            self.close()
            if outcome is Outcome.BUSY and (self._carried or code < 400):
                # Enough on this connection; the next one may be welcome.
                outcome = Outcome.DEFERRED
        return Receipt(outcome, phase, reply)

    def _lost(self, outcome: Outcome, phase: Phase, error: Exception) -> Receipt:
        self.close()
        return Receipt(outcome, phase, f"connection lost: {error!r}"[:1000])


def _commands(envelope: Envelope, *, dsn: bool) -> dict[Phase, bytes]:
    """MAIL, RCPT and DATA; with DSN, asking for reports of failures that quote no body."""
    mail, rcpt = f"MAIL FROM:<{envelope.sender}>", f"RCPT TO:<{envelope.recipient}>"
    if dsn and envelope.envid:
        mail += f" RET=HDRS ENVID={_xtext(envelope.envid)}"
        rcpt += f" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{_xtext(envelope.recipient)}"
    return {
        Phase.MAIL: f"{mail}\r\n".encode("ascii"),
        Phase.RCPT: f"{rcpt}\r\n".encode("ascii"),
        Phase.DATA: b"DATA\r\n",
    }


def _xtext(value: str) -> str:
    """RFC 3461, section 4: + and = in hexadecimal, as all that is not printable."""
    return "".join(c if _PLAIN.fullmatch(c) else f"+{ord(c):02X}" for c in value)


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
