"""Hand over the letters that wait: claim, offer, ask, dot, settle.

SMTP never runs inside an open transaction. Several dispatchers may run at once, on one machine
or several: a letter belongs to whoever claimed it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from alerts import holds, outbox
from alerts.delivery import Connection, Envelope, Outcome, Relay
from alerts.entitlement import REPLY_WITHIN, let_pass, letters_refused
from alerts.errors import RelayMisconfigured, RelayUnreachable
from alerts.journal import Journal, count_begun
from alerts.outbox import Claimed, Settled
from alerts.postponed import Postponed, discard, replay
from alerts.recovery import hold_if_restored
from alerts.tables import Why
from alerts.together import Together
from base.database import Database

logger = logging.getLogger(__name__)

#: The clock, for what lasts: each step must be judged at its own instant.
Now = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class Handing:
    """How letters are handed over."""

    relay: Relay
    #: The envelope's sender, where bounces return.
    sender: str
    #: MAIL_ALLOWED.
    allowed: frozenset[str]
    journal: Journal
    connections: int = 4
    #: Letters claimed at once.
    lot: int = 100
    #: Letters a connection carries before it is renewed.
    letters_a_connection: int = 100
    #: Letters a second, over all connections; 0 for no limit.
    pace: float = 0.0
    lease: timedelta = outbox.LEASE
    reply_within: timedelta = REPLY_WITHIN
    #: Policy refusals (5.7.x) in a run that hold everything.
    most_policy_refusals: int = 3
    #: Unsubscribes that the pages kept while the database was locked.
    postponed: Postponed | None = None


@dataclass(slots=True)
class Tally:
    """What became of the letters of one run."""

    outcomes: Counter[str] = field(default_factory=Counter)
    #: Letters withheld before the dot, by Why.
    withheld: Counter[str] = field(default_factory=Counter)
    #: Why the run ended early; "" where it did not.
    stopped: str = ""

    @property
    def accepted(self) -> int:
        """Letters that the relay took charge of."""
        return self.outcomes[Outcome.ACCEPTED]


async def hand_over(
    database: Database, handing: Handing, *, now: Now, stop: threading.Event | None = None
) -> Tally:
    """Hand over every letter whose turn has come; safe beside other dispatchers.

    Stops early, without an exception, when the relay cannot be used (`Tally.stopped`), when
    everything is held, or when `stop` is set: then letters in hand are finished first. A database
    that its journal does not know is held first: no path to the relay goes around that.
    """
    await asyncio.to_thread(hold_if_restored, database, handing.journal, at=now())
    run = _Run(database, handing, now, stop or threading.Event())
    while not run.is_over:
        lot = await asyncio.to_thread(run.claim)
        if not lot.looked_at:
            break
        await run.deliver(lot.claimed)
    await run.close()
    return run.tally


class _Run:
    """One run of one dispatcher: its connections, its two shared transactions, its tally."""

    def __init__(
        self, database: Database, handing: Handing, now: Now, stop: threading.Event
    ) -> None:
        self.database = database
        self.handing = handing
        self.now = now
        self.stop = stop
        self.tally = Tally()
        self.token = uuid.uuid4().hex
        self._gate: Together[Claimed, Why | None] = Together(self._let_pass)
        self._settle: Together[Settled, bool] = Together(self._settle_all)
        self._idle: list[tuple[Connection, int]] = []
        self._pace = asyncio.Lock()
        self._refusals = 0

    @property
    def is_over(self) -> bool:
        return self.stop.is_set() or bool(self.tally.stopped)

    def claim(self) -> outbox.Lot:
        with self.database.write() as session:
            if holds.is_held(session):
                self.tally.stopped = "held"
                return outbox.Lot([], 0)
            replayed = replay(session, self.handing.postponed, now=self.now())
            lot = outbox.claim(
                session,
                claim=self.token,
                most=self.handing.lot,
                allowed=self.handing.allowed,
                at=self.now(),
                lease=self.handing.lease,
            )
        discard(replayed)
        return lot

    async def deliver(self, claimed: list[Claimed]) -> None:
        """Hand over a lot on as many connections as allowed; give back what was not begun."""
        queue = list(reversed(claimed))
        workers = min(self.handing.connections, len(queue))
        await asyncio.gather(*(self._worker(queue) for _ in range(workers)))
        if queue:
            await asyncio.to_thread(self._give_back, [letter.id for letter in queue])

    async def close(self) -> None:
        for connection, _ in self._idle:
            await connection.quit()

    async def _worker(self, queue: list[Claimed]) -> None:
        while queue and not self.is_over:
            try:
                connection, carried = self._idle.pop() if self._idle else await self._connect()
            except (RelayUnreachable, RelayMisconfigured) as fault:
                self._stop(f"{type(fault).__name__}: {fault}")
                return
            if not queue:
                self._idle.append((connection, carried))
                return
            await self._pause()
            await self._one(connection, queue.pop())
            if connection.is_usable and carried + 1 < self.handing.letters_a_connection:
                self._idle.append((connection, carried + 1))
            else:
                await connection.quit()

    async def _connect(self) -> tuple[Connection, int]:
        return await self.handing.relay.connect(), 0

    async def _one(self, connection: Connection, letter: Claimed) -> None:
        """One letter, from MAIL to the row that says what became of it."""
        receipt = await connection.offer(
            Envelope(self.handing.sender, letter.address, letter.content)
        )
        if receipt is None:
            why = await self._ask(connection, letter)
            if why is not None:
                self.tally.withheld[why] += 1
                return
            receipt = await connection.finish()
        try:
            await self._settle.ask(Settled(letter, receipt))
        except SQLAlchemyError as error:
            # The row stays IN_DOUBT (or CLAIMED); recovery asks the journal.
            self._stop(f"database: {error}")
        self._count(letter, receipt.outcome, receipt.reply)

    async def _ask(self, connection: Connection, letter: Claimed) -> Why | None:
        """May the dot be sent? If not, or if that cannot be made durable, it is not."""
        why: Why | None = Why.HELD
        try:
            why = await self._gate.ask(letter)
        except (SQLAlchemyError, OSError) as error:
            self._stop(f"database: {error}")
        finally:
            if why is not None:
                connection.abandon()
        return why

    def _count(self, letter: Claimed, outcome: Outcome, reply: str) -> None:
        self.tally.outcomes[outcome] += 1
        if outcome is not Outcome.ACCEPTED:
            logger.warning("letter %s", outcome.value, extra={"letter": letter.id})
        if outcome is Outcome.MISCONFIGURED:
            self._stop(reply)

    def _stop(self, reason: str) -> None:
        if not self.tally.stopped:
            self.tally.stopped = reason
            logger.error("handing over stopped", extra={"reason": reason})

    async def _pause(self) -> None:
        """Keep the pace over all connections."""
        if self.handing.pace > 0:
            async with self._pace:
                await asyncio.sleep(1 / self.handing.pace)

    def _let_pass(self, letters: list[Claimed]) -> list[Why | None]:
        """The one statement for those who wait at the dot, and the journal before it is sent."""
        at = self.now()
        ids = [letter.id for letter in letters]
        with self.database.write() as session:
            replayed = replay(session, self.handing.postponed, now=at)
            passed = let_pass(
                session,
                ids,
                claim=self.token,
                allowed=self.handing.allowed,
                at=at,
                reply_within=self.handing.reply_within,
            )
            left = [i for i in ids if i not in passed]
            refused = letters_refused(session, left, allowed=self.handing.allowed, at=at)
            final = {i: why for i, why in refused.items() if why not in outbox.NOT_NOW}
            outbox.withdraw(session, final, at=at, claim=self.token)
            outbox.give_back(session, refused.keys() - final.keys(), claim=self.token, at=at)
            number = count_begun(session, self.handing.journal, len(passed))
        discard(replayed)
        keys = [letter.key for letter in letters if letter.id in passed]
        self.handing.journal.begun(number, keys, at)
        if Why.HELD in refused.values():
            self._stop("held")
        # Neither passed nor refused: the claim was lost to another dispatcher.
        return [None if i in passed else refused.get(i, Why.HELD) for i in ids]

    def _settle_all(self, done: list[Settled]) -> list[bool]:
        at = self.now()
        accepted = [one for one in done if one.receipt.outcome is Outcome.ACCEPTED]
        self.handing.journal.accepted([one.letter.key for one in accepted], at)
        unwelcome = sum(one.receipt.outcome is Outcome.POLICY for one in done)
        with self.database.write() as session:
            strangers = outbox.settle(session, done, claim=self.token, at=at)
            if unwelcome and self._unwelcome(unwelcome):
                holds.hold(session, cause="policy", by="service", detail="", at=at)
        return [one.letter.id not in strangers for one in done]

    def _unwelcome(self, more: int) -> bool:
        """Count policy refusals; True once they are too many to be one reader's filter."""
        self._refusals += more
        too_many = self._refusals >= self.handing.most_policy_refusals
        if too_many:
            self._stop("policy")
        return too_many

    def _give_back(self, letter_ids: list[int]) -> None:
        with self.database.write() as session:
            outbox.give_back(session, letter_ids, claim=self.token, at=self.now())
