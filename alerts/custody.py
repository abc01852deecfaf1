"""The letters that one dispatcher has: its transactions, each committed before SMTP goes on.

Nothing here speaks to the relay. Every function is called in a thread, may be called again
after it failed, and raises what the database or the journal raised.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
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


Asked = Claimed | Settled


@dataclass(frozen=True, kw_only=True, slots=True)
class _Begun:
    """What the one statement gave, until it is committed."""

    at: datetime
    #: How many letters were ever begun.
    number: int
    passed: list[Claimed]
    #: By letter.
    answers: dict[int, str]
    replayed: list[Path]


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

    def commit(self, asked: list[Asked]) -> list[str]:
        """One transaction for all who wait: what the relay answered, and who may get the dot.

        For each answer of the relay "", or "policy" where all is held now. For each letter at
        the dot "", where the dot may be sent, or why it must not: a Why or CLAIM_LOST.
        """
        done = [one for one in asked if isinstance(one, Settled)]
        letters = [one for one in asked if isinstance(one, Claimed)]
        self._note_accepted(done)
        try:
            answers = self._commit(done, letters)
        except DBAPIError as error:
            if not _may_pass(error):
                raise
            # What is known must not wait for the lock that a letter at the dot waits for.
            answers = _patiently(lambda: self._commit(done, []))
            answers |= _patiently(lambda: self._commit([], letters))
        return [answers[_number(one)] for one in asked]

    def _commit(self, done: list[Settled], letters: list[Claimed]) -> dict[int, str]:
        begun: _Begun | None = None
        answers: dict[int, str] = {}
        with self.database.write() as session:
            if done:
                held = self._settle(session, done)
                answers = dict.fromkeys(map(_number, done), "policy" if held else "")
            if letters:
                begun = self._let_pass(session, letters)
        if begun is not None:
            discard(begun.replayed)
            self._begin(begun)
            answers |= begun.answers
        return answers

    def _let_pass(self, session: Session, letters: list[Claimed]) -> _Begun:
        """The one statement for those who wait at the dot."""
        ids = [letter.id for letter in letters]
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
        return _Begun(
            at=at,
            number=count_begun(session, self.handing.journal, len(passed)),
            passed=[letter for letter in letters if letter.id in passed],
            answers={i: "" if i in passed else refused.get(i, CLAIM_LOST) for i in ids},
            replayed=replayed,
        )

    def _refuse(self, session: Session, ids: list[int], at: datetime) -> dict[int, Why]:
        """Withdraw those for the guard that says no; what is only "not now" waits again."""
        if not ids:
            return {}
        refused = letters_refused(session, ids, allowed=self.handing.allowed, at=at)
        final = {i: why for i, why in refused.items() if why not in outbox.NOT_NOW}
        outbox.withdraw(session, final, at=at, claim=self.token)
        outbox.give_back(session, refused.keys() - final.keys(), claim=self.token)
        return refused

    def _begin(self, begun: _Begun) -> None:
        """The journal's line for each; without it no dot, and then they certainly did not go."""
        try:
            keys = [letter.key for letter in begun.passed]
            self.handing.journal.begun(begun.number, keys, begun.at)
        except OSError:
            self.give_back([one.id for one in begun.passed], state=LetterState.IN_DOUBT)
            raise

    def _note_accepted(self, done: list[Settled]) -> None:
        """The journal's line for each that the relay took; without it no further dot."""
        accepted = [one.letter.key for one in done if one.receipt.outcome is Outcome.ACCEPTED]
        try:
            self.handing.journal.accepted(accepted, self.now())
        except OSError:
            # The database is what counts; the journal would only have helped after a crash.
            _patiently(lambda: self._commit(done, []))
            raise

    def _settle(self, session: Session, done: list[Settled]) -> bool:
        """What the relay answered, recorded; whether everything is held on its account."""
        at = self.now()
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


def _number(one: Asked) -> int:
    return one.letter.id if isinstance(one, Settled) else one.id


def _patiently(work: Callable[[], T]) -> T:
    """Do the transaction again where it only lost a race for locks, as long as SQLite waits."""
    until = monotonic() + BUSY
    while True:
        try:
            return work()
        except DBAPIError as error:
            if not _may_pass(error) or monotonic() > until:
                raise


def _may_pass(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _AGAIN
