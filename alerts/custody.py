"""The letters that one dispatcher has: its transactions, each committed before SMTP goes on.

Nothing here speaks to the relay. Every function is called in a thread, may be called again
after it failed, and raises what the database or the journal raised.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from alerts import holds, outbox, outcomes, quarantine
from alerts.delivery import Outcome
from alerts.entitlement import hold_still, let_pass, letters_refused
from alerts.handing import Fault, Handing, Now, Tally
from alerts.journal import count_begun
from alerts.outbox import Claimed
from alerts.outcomes import Settled
from alerts.postponed import discard, replay
from alerts.tables import LetterState, Why
from base.concerns import raise_concern
from base.concerns import settle as settle_concern
from base.database import BUSY, Database

#: Why a letter is withheld whose claim another dispatcher took over.
CLAIM_LOST = "claim lost"
#: A relay that takes nothing for so long is a person's business.
AWAY = timedelta(hours=1)
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")
#: PostgreSQL: serialization_failure, deadlock_detected, lock_not_available.
_AGAIN = ("40001", "40P01", "55P03")

T = TypeVar("T")


class Custody:
    """What one dispatcher writes about the letters it claimed."""

    def __init__(self, database: Database, handing: Handing, now: Now) -> None:
        self.database = database
        self.handing = handing
        self.now = now
        # Says whose evidence counts should the letter end in doubt (alerts.recovery).
        self.token = f"{handing.journal.mark}{uuid.uuid4().hex}"

    def claim(self) -> outbox.Lot | None:
        """The next letters whose turn has come; None when everything is held."""
        with self.database.write() as session:
            if holds.is_held(session):
                return None
            replayed = replay(session, self.handing.postponed, now=self.now())
            lot = outbox.claim(
                session,
                claim=self.token,
                most=self._lot(),
                allowed=self.handing.allowed,
                at=self.now(),
                lease=self.handing.lease,
            )
        discard(replayed)
        return lot

    def renew(self) -> None:
        """A sign of life for all that this dispatcher has."""
        with self.database.write() as session:
            outbox.renew(session, claim=self.token, until=self.now() + self.handing.lease)

    def let_pass(self, letters: list[Claimed]) -> list[str]:
        """The one statement for those who wait at the dot, and the journal before it is sent.

        For each letter "", where its dot may be sent, or why it must not: a Why or CLAIM_LOST.
        """
        return _patiently(lambda: self._let_pass(letters))

    def _let_pass(self, letters: list[Claimed]) -> list[str]:
        ids = [letter.id for letter in letters]
        with self.database.write() as session:
            hold_still(session, ids)
            # Only now: what was waited for took time, in which a membership may have ended.
            at = self.now()
            # After that moment: what is kept after the folder was read was asked after `at`.
            replayed = replay(session, self.handing.postponed, now=at)
            passed = let_pass(
                session,
                ids,
                claim=self.token,
                allowed=self.handing.allowed,
                at=at,
                reply_within=self.handing.reply_within,
            )
            refused = self._refuse(session, [i for i in ids if i not in passed], at)
            number = count_begun(session, self.handing.journal, len(passed))
        discard(replayed)
        self._begin([letter for letter in letters if letter.id in passed], number, at)
        return ["" if i in passed else refused.get(i, CLAIM_LOST) for i in ids]

    def _refuse(self, session: Session, ids: list[int], at: datetime) -> dict[int, Why]:
        """Withdraw those for the guard that says no; what is only "not now" waits again."""
        if not ids:
            return {}
        refused = letters_refused(session, ids, allowed=self.handing.allowed, at=at)
        final = {i: why for i, why in refused.items() if why not in outbox.NOT_NOW}
        outbox.withdraw(session, final, at=at, claim=self.token)
        outbox.give_back(session, refused.keys() - final.keys(), claim=self.token)
        return refused

    def _begin(self, passed: list[Claimed], number: int, at: datetime) -> None:
        """The journal's line for each; without it no dot, and then they certainly did not go."""
        try:
            self.handing.journal.begun(number, [letter.key for letter in passed], at)
        except OSError:
            self.give_back([letter.id for letter in passed], state=LetterState.IN_DOUBT)
            raise

    def settle(self, done: list[Settled]) -> list[str]:
        """What the relay answered, made durable; for each "", "policy" where all is held now."""
        accepted = [one.letter.key for one in done if one.receipt.outcome is Outcome.ACCEPTED]
        fault: OSError | None = None
        try:
            self.handing.journal.accepted(accepted, self.now())
        except OSError as error:
            # The database is what counts; the journal would only have helped after a crash.
            fault = error
        held = _patiently(lambda: self._settle(done))
        if fault is not None:
            raise fault
        return ["policy" if held else ""] * len(done)

    def _settle(self, done: list[Settled]) -> bool:
        at = self.now()
        with self.database.write() as session:
            outcomes.settle(session, done, claim=self.token, at=at)
            if not any(one.receipt.outcome is Outcome.POLICY for one in done):
                return False
            refusals = outcomes.unwelcome(session, at=at)
            if refusals < self.handing.most_policy_refusals:
                return False
            holds.hold(session, cause="policy", by="service", detail="", at=at)
            detail = {"refusals": refusals}
            raise_concern(session, key="hold:policy", cause="hold policy", detail=detail, at=at)
            return True

    def give_back(self, letter_ids: list[int], state: LetterState = LetterState.CLAIMED) -> None:
        """Those were not begun: they wait again, as if never claimed."""
        with self.database.write() as session:
            outbox.give_back(session, letter_ids, claim=self.token, state=state)

    def report(self, tally: Tally) -> None:
        """Tell staff of a relay that refuses us or stays away; take it back once it accepts."""
        at = self.now()
        with self.database.write() as session:
            if tally.fault is Fault.REFUSED:
                detail = {"words": _ADDRESS.sub("…", tally.stopped)[:200]}
                raise_concern(session, key="relay", cause="relay refuses", detail=detail, at=at)
            elif tally.fault is Fault.UNREACHABLE and outbox.waits_since(session, at - AWAY):
                raise_concern(session, key="relay", cause="relay away", detail={}, at=at)
            elif tally.accepted:
                settle_concern(session, "relay", at=at)

    def set_aside(self, letter_id: int, error: Exception) -> None:
        """That letter, and no other, makes our own code fail."""
        with self.database.write() as session:
            quarantine.unsendable(session, letter_id, claim=self.token, error=error, at=self.now())

    def _lot(self) -> int:
        """No more than the pace lets leave within a lease."""
        if self.handing.pace <= 0:
            return self.handing.lot
        within = int(self.handing.pace * self.handing.lease / timedelta(seconds=1))
        return max(self.handing.connections, min(self.handing.lot, within))


def _patiently(work: Callable[[], T]) -> T:
    """Do the transaction again where it only lost a race for locks, as long as SQLite waits."""
    until = monotonic() + BUSY
    while True:
        try:
            return work()
        except DBAPIError as error:
            again = getattr(error.orig, "sqlstate", None) in _AGAIN
            if not again or monotonic() > until:
                raise
