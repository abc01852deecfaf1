"""One open connection, and the transactions on it, phase by phase.

The bytes are ours from EHLO on, because a library's exceptions cannot tell a failure before the
final dot (certain: try again) from silence after it (doubt).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import TypeVar

from alerts.envelope import Envelope, commands, stuffed
from alerts.replies import Outcome, Phase, Receipt, classify
from alerts.signing import Signer
from alerts.wire import Reply, Wire

#: Seconds for a command's reply, the body, and all of them together, however slowly it drips.
REPLY_WITHIN, BODY_WITHIN, OFFER_WITHIN = 60.0, 180.0, 240.0
#: Seconds that closing may take: TLS says goodbye too, and the relay may be gone.
CLOSED_WITHIN = 2.0
#: From then on the relay gets one command at a time, whatever it offers.
MOST_BATCHES_LOST = 3

#: What a connection can do to us once it is open; which of it happened does not matter.
LOST = (OSError, EOFError, TimeoutError, ValueError)

T = TypeVar("T")


@dataclass(slots=True)
class Habits:
    """What a relay was seen to do, against what it says; kept over its connections."""

    #: Batches of commands that it lost its way in, in a row.
    batches_lost: int = 0
    #: Envelopes that came with a dot and got no answer, in a row.
    unanswered: int = 0

    @property
    def pipelines(self) -> bool:
        """Whether batches are still worth trying; a drop or two is not yet a habit."""
        return self.batches_lost < MOST_BATCHES_LOST

    @property
    def hears_ahead(self) -> bool:
        """Whether envelopes are still worth sending with the dot of the letter before."""
        return self.pipelines and self.unanswered < MOST_BATCHES_LOST


@dataclass(frozen=True, kw_only=True, slots=True)
class Offers:
    """What a relay says in EHLO that it can do, as far as we use it."""

    pipelining: bool = False
    dsn: bool = False
    #: Octets; 0 where it does not say.
    size: int = 0


class Connection:
    """One open connection to the relay, between transactions or within one."""

    def __init__(
        self,
        wire: Wire,
        *,
        offers: Offers,
        habits: Habits,
        signer: Signer | None = None,
        dot_reply_within: float,
    ) -> None:
        self._wire = wire
        self._offers = offers
        self._habits = habits
        self._signer = signer
        self._dot_reply_within = dot_reply_within
        self._phase = Phase.CONNECT
        self._carried = 0
        self._closed = False
        #: The envelope that was sent with the last dot: the next to be offered here.
        self.announced: Envelope | None = None

    @property
    def is_usable(self) -> bool:
        """False once it is closed, hung up by the relay, or out of step with it.

        Also while an envelope is announced: then it is that one's alone.
        """
        idle = self.announced is None and not self._wire.unread
        return idle and not (self._closed or self._wire.ended)

    async def offer(self, envelope: Envelope) -> Receipt | None:
        """Everything but the final dot; None means that the relay waits for it.

        A Receipt means that this letter was certainly not accepted.
        """
        begun, self.announced = self.announced, None
        ready = self.is_usable if begun is None else begun == envelope and not self._closed
        if self._signer is not None:
            envelope = replace(envelope, content=self._signer.signed(envelope.content))
        if 0 < self._offers.size < len(envelope.content):
            if begun is not None:
                # Its signature made it so; the relay waits for what it will not get.
                self.close()
            words = f"larger than {self._offers.size} octets"
            return Receipt(Outcome.REFUSED, Phase.MAIL, words)
        self._phase = Phase.MAIL
        try:
            if not ready:
                raise EOFError("closed, or an unasked reply, between transactions")
            refusal = await _within(OFFER_WITHIN, self._offer(envelope, begun=begun is not None))
        except LOST as error:
            return self._lost(Outcome.DEFERRED, self._phase, error)
        self._carried += 1
        return refusal

    async def finish(self, then: Envelope | None = None) -> Receipt:
        """The final dot and its reply. What cannot be understood from here on is UNKNOWN.

        With the dot goes the envelope of the letter that is offered here next, where the relay
        takes batches (RFC 2920, 3.1): its replies come behind the dot's, and only its own
        dot, for which the guards are asked anew, can make the relay take it.
        """
        if not self.is_usable:
            # It spoke before the dot: the next line is no answer to it. The dot is not sent.
            return self._lost(Outcome.DEFERRED, Phase.BODY, EOFError("a reply before the dot"))
        try:
            self._wire.write(b".\r\n" + self._announcement(then))
            code, reply = await _within(self._dot_reply_within, self._wire.reply())
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
            self._wire.write(b"NOOP\r\n")
            code, _ = await self._reply()
        except LOST:
            self.close()
            return False
        return code == 250

    async def quit(self) -> None:
        """Say goodbye, and wait a moment until the connection is closed; no answer is needed."""
        if self.is_usable:
            self._wire.write(b"QUIT\r\n")
        self.close()
        try:
            await _within(CLOSED_WITHIN, self._wire.wait_closed())
        except LOST:
            self._wire.transport.abort()

    def close(self) -> None:
        """Close the connection at once; a second call changes nothing."""
        self._closed = True
        self._wire.transport.close()

    def _announcement(self, then: Envelope | None) -> bytes:
        fits = then is not None and not 0 < self._offers.size < len(then.content)
        ahead = self._offers.pipelining and self._habits.hears_ahead
        self.announced = then if fits and ahead else None
        if self.announced is None:
            return b""
        return b"".join(commands(self.announced, dsn=self._offers.dsn).values())

    async def _offer(self, envelope: Envelope, *, begun: bool) -> Receipt | None:
        lines = commands(envelope, dsn=self._offers.dsn)
        if begun or (self._offers.pipelining and self._habits.pipelines):
            refusal = await self._all_at_once(lines, begun=begun)
        else:
            refusal = await self._in_turn(lines)
        if refusal is None:
            self._phase = Phase.BODY
            await self._send(stuffed(envelope.content))
        return refusal

    async def _send(self, body: bytes) -> None:
        self._wire.write(body)
        if self._wire.is_full:
            await _within(BODY_WITHIN, self._wire.drain())

    async def _reply(self) -> Reply:
        """The reply to a command, in time; one that is there already costs no timer."""
        heard = self._wire.heard()
        return await _within(REPLY_WITHIN, self._wire.reply()) if heard is None else heard

    async def _in_turn(self, lines: dict[Phase, bytes]) -> Receipt | None:
        for phase, command in lines.items():
            self._phase = phase
            self._wire.write(command)
            code, reply = await self._reply()
            if not _is_good(phase, code):
                refusal = self._refusal(phase, code, reply)
                await self._reset()
                return refusal
        return None

    async def _all_at_once(self, lines: dict[Phase, bytes], *, begun: bool) -> Receipt | None:
        """RFC 2920: one write, the replies in order; a 354 after a refusal gets a lone dot."""
        if not begun:
            self._wire.write(b"".join(lines.values()))
        refused: tuple[Phase, int, str] | None = None
        for phase in lines:
            if refused is None:
                self._phase = phase
            try:
                code, reply = await self._reply()
                if phase is Phase.DATA and refused is not None and code == 354:
                    # Nobody is addressed: the relay refuses the empty message, as it likes.
                    self._wire.write(b".\r\n")
                    await self._reply()
            except LOST as error:
                if refused is None:
                    self._habits.batches_lost += not begun
                    # That it hangs up behind a dot is no sign that it loses what comes with it.
                    self._habits.unanswered += begun and isinstance(error, TimeoutError)
                    raise
                # It said no and hung up: the no is what counts.
                self.close()
                break
            if refused is None and not _is_good(phase, code):
                refused = (phase, code, reply)
        if refused is not None:
            return await self._batch_refused(*refused)
        self._habits.batches_lost = 0
        self._habits.unanswered *= not begun
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
            self._wire.write(b"RSET\r\n")
            try:
                code, _ = await self._reply()
            except LOST:
                code = 0
            if code != 250:
                self.close()

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


def _is_good(phase: Phase, code: int) -> bool:
    return code == 354 if phase is Phase.DATA else 200 <= code < 300


async def _within(seconds: float, work: Awaitable[T]) -> T:
    async with asyncio.timeout(seconds):
        return await work
