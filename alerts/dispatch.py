"""Hand over the letters that wait: claim, offer, ask, dot, settle.

SMTP never runs inside an open transaction. Several dispatchers may run at once, on one machine
or several: a letter belongs to whoever claimed it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import AsyncIterator
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from alerts.connections import Connections
from alerts.custody import CLAIM_LOST, Asked, Custody
from alerts.delivery import Connection, Envelope, Outcome, Receipt
from alerts.errors import RelayMisconfigured, RelayUnreachable
from alerts.handing import Course, Fault, Handing, Now, Tally
from alerts.lots import STORE, Lots
from alerts.outbox import Claimed
from alerts.outcomes import Settled
from alerts.recovery import hold_if_restored
from alerts.tables import LetterState, Why
from alerts.together import Together
from base.database import Database

logger = logging.getLogger(__name__)

#: No connection is to be had.
RELAY = (RelayUnreachable, RelayMisconfigured)


async def hand_over(
    database: Database,
    handing: Handing,
    *,
    now: Now,
    stop: threading.Event | None = None,
    lots: int = sys.maxsize,
) -> Tally:
    """Hand over every letter whose turn has come, or so many lots; safe beside other dispatchers.

    Stops early, without an exception, when the relay cannot be used or the database cannot be
    written, when everything is held (`Tally.fault`), or when `stop` is set: then letters in
    hand are finished first. A database that its journal does not know is held first: no path to
    the relay goes around that.
    """
    course = Course(stop or threading.Event())
    run = _Run(Custody(database, handing, now), course, lots)
    try:
        await asyncio.to_thread(hold_if_restored, database, handing.journal, at=now())
        async with run.alive():
            await run.hand_over()
        await asyncio.to_thread(run.custody.report, course.tally)
    except STORE as error:
        course.stopped(Fault.DATABASE, f"database: {error}")
    finally:
        await run.connections.quit()
    return course.tally


class _Run:
    """One run of one dispatcher: its connections, its shared transaction, its tally."""

    def __init__(self, custody: Custody, course: Course, lots: int) -> None:
        self.custody = custody
        self.handing = custody.handing
        self.course = course
        self.lots = Lots(custody, course, lots)
        self.connections = Connections(self.handing.relay, self.handing.letters_a_connection)
        self._commit: Together[Asked, str] = Together(custody.commit)
        #: Acceptances that are being recorded, while their workers go on.
        self._records: set[asyncio.Task[None]] = set()
        self._pace = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Renew the leases of what is in hand until the end of the block."""
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.handing.lease.total_seconds() / 3)
            try:
                await asyncio.to_thread(self.custody.renew)
            except SQLAlchemyError:
                # Should another take the letters over, the gate tells us.
                logger.exception("leases not renewed")

    async def hand_over(self) -> None:
        """Lot after lot, until no letter waits, all is held, or enough were claimed."""
        while not self.course.is_over and await self.lots.claim():
            # All are waited for, whatever befalls one: a letter at its dot must be finished.
            workers = [self._worker() for _ in range(self.handing.connections)]
            ends = await asyncio.gather(*workers, return_exceptions=True)
            await asyncio.gather(*self._records)
            for end in ends:
                if end is not None:
                    raise end
            await self.lots.give_back()

    async def _worker(self) -> None:
        """Letters one after the other, on one connection at a time, until none is left."""
        letter = await self.lots.next()
        while letter is not None:
            try:
                await self._pause()
                if self.course.is_over:
                    break
                letter = await self._one(letter)
            except RELAY as fault:
                self._unconnected(fault)
                break
        if letter is not None:
            # Not begun. With one connection less the others go on; else it is given back.
            self.lots.put_back(letter)

    def _unconnected(self, error: RelayUnreachable | RelayMisconfigured) -> None:
        """No new connection: it may only be one too many, if others are at work."""
        if self.connections.in_use == 0:
            refused = isinstance(error, RelayMisconfigured)
            self.course.stopped(
                Fault.REFUSED if refused else Fault.UNREACHABLE, f"{type(error).__name__}: {error}"
            )

    async def _one(self, letter: Claimed) -> Claimed | None:
        """One letter, from MAIL to the row that says what became of it; and which comes next.

        Raises RelayUnreachable or RelayMisconfigured where it was not begun.
        """
        try:
            connection, receipt = await self._offer(letter)
        except RELAY:
            raise
        except Exception as error:
            logger.exception("letter set aside", extra={"letter": letter.id})
            await asyncio.to_thread(self.custody.set_aside, letter.id, error)
            self.course.tally.quarantined += 1
            return await self.lots.next()
        following: Claimed | None = None
        try:
            if receipt is None and await self._may_finish(connection, letter):
                if self.connections.has_room(connection):
                    following = self.lots.follower()
                receipt = await connection.finish(then=self._announcement(following))
        finally:
            await self.connections.put(connection)
        if receipt is not None:
            await self._recorded(Settled(letter, receipt))
        return following or await self.lots.next()

    def _announcement(self, letter: Claimed | None) -> Envelope | None:
        try:
            return None if letter is None else self._envelope(letter)
        except Exception:  # noqa: BLE001, its own turn comes, and sets it aside
            return None

    async def _offer(self, letter: Claimed) -> tuple[Connection, Receipt | None]:
        """Everything but the dot, on a connection that is the caller's to put back."""
        envelope = self._envelope(letter)
        while True:
            connection = await self.connections.take(envelope)
            try:
                receipt = await connection.offer(envelope)
            except BaseException:
                connection.abandon()
                await self.connections.put(connection)
                raise
            if not self.connections.was_stale(connection, receipt):
                return connection, receipt
            await self.connections.put(connection)

    def _envelope(self, letter: Claimed) -> Envelope:
        if letter.content is None:
            raise ValueError(f"letter {letter.id} has no octets any more")
        verp = self.handing.verp
        if verp is None:
            return Envelope(self.handing.sender, letter.address, letter.content)
        sender = verp.sender(letter.id, letter.message_id)
        envid = verp.tag(letter.id, letter.message_id)
        return Envelope(sender, letter.address, letter.content, envid)

    async def _may_finish(self, connection: Connection, letter: Claimed) -> bool:
        """May the dot be sent? If not, or if that cannot be made durable, it is not."""
        asked, answer = monotonic(), CLAIM_LOST
        try:
            answer = await self._commit.ask(letter)
            if not answer and monotonic() - asked > self.handing.reply_within.total_seconds():
                # Asleep for so long, we may be taken for dead, and the letter be another's.
                answer = CLAIM_LOST
                await asyncio.to_thread(
                    self.custody.give_back, [letter.id], state=LetterState.IN_DOUBT
                )
        except STORE as error:
            answer = Fault.DATABASE
            self.course.stopped(Fault.DATABASE, f"database: {error}")
        finally:
            if answer:
                connection.abandon()
                self.course.tally.withheld[answer] += 1
        if answer == Why.HELD:
            self.course.stopped(Fault.HELD, "held")
        return not answer

    async def _recorded(self, one: Settled) -> None:
        """Have it recorded: what was accepted, with the commit that the next letter waits for."""
        accepted = one.receipt.outcome is Outcome.ACCEPTED
        answer = self._commit.ask(one, hurry=not accepted)
        if not accepted:
            await self._record(one, answer)
            return
        record = asyncio.create_task(self._record(one, answer))
        self._records.add(record)
        record.add_done_callback(self._records.discard)

    async def _record(self, one: Settled, answer: asyncio.Future[str]) -> None:
        outcome, reply = one.receipt.outcome, one.receipt.reply
        try:
            if await answer:
                self.course.stopped(Fault.POLICY, "policy")
        except STORE as error:
            # The row stays IN_DOUBT (or CLAIMED); recovery asks the journal.
            self.course.stopped(Fault.DATABASE, f"database: {error}")
        self.course.tally.outcomes[outcome] += 1
        if outcome is not Outcome.ACCEPTED:
            logger.warning("letter %s", outcome.value, extra={"letter": one.letter.id})
        if outcome is Outcome.MISCONFIGURED:
            self.course.stopped(Fault.REFUSED, reply)
        if outcome is Outcome.BUSY:
            self.course.stopped(Fault.UNREACHABLE, reply)

    async def _pause(self) -> None:
        """Keep the pace over all connections."""
        if self.handing.pace > 0 and not self.course.is_over:
            async with self._pace:
                await asyncio.sleep(1 / self.handing.pace)
