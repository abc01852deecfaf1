"""The letters on their way: claimed, let go, settled, expired, taken back after a crash.

Every move is an UPDATE with its conditions and a count of rows. Each function works within the
caller's transaction and says what it did.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from alerts import ledger
from alerts.delivery import Outcome, Receipt
from alerts.entitlement import letters_refused
from alerts.tables import Attempt, Letter, LetterState, Omission, Why
from subscriptions import suppressions

#: How long a claim holds without a sign of life.
LEASE = timedelta(seconds=60)
#: Minutes to the next attempt, by number of attempts made; the last one repeats.
BACK_OFF = (1, 5, 15, 60, 120, 240)
#: What waits for its turn.
WAITING = (LetterState.WRITTEN, LetterState.DEFERRED)
#: Guards that only say "not now": the letter stays as it is.
NOT_NOW = (Why.HELD,)

AFTER = {
    Outcome.ACCEPTED: LetterState.ACCEPTED,
    Outcome.DEFERRED: LetterState.DEFERRED,
    Outcome.DEAD_ADDRESS: LetterState.REFUSED,
    Outcome.REFUSED: LetterState.REFUSED,
    Outcome.POLICY: LetterState.REFUSED,
    Outcome.MISCONFIGURED: LetterState.DEFERRED,
    Outcome.UNKNOWN: LetterState.UNKNOWN,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A letter that one dispatcher has, until its lease runs out."""

    id: int
    key: str
    message_id: str
    address: str
    content: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Lot:
    """What one claim gave."""

    claimed: list[Claimed]
    #: How many letters were waiting for it; 0 when there is nothing left to do.
    looked_at: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """A letter whose dot may have been sent, and nobody waits for the answer any more."""

    id: int
    key: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed letter."""

    letter: Claimed
    receipt: Receipt


def claim(
    session: Session,
    *,
    claim: str,
    most: int,
    allowed: frozenset[str],
    at: datetime,
    lease: timedelta = LEASE,
) -> Lot:
    """Take up to `most` letters whose turn has come and whose contact is entitled.

    Those that may never leave are withdrawn on the way, each with its omission.
    """
    turn = (
        select(Letter.id)
        .where(Letter.state.in_(WAITING), Letter.next_attempt_at <= at)
        .order_by(Letter.next_attempt_at, Letter.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    ids = list(session.scalars(turn))
    refused = letters_refused(session, ids, allowed=allowed, at=at)
    withdraw(session, {i: why for i, why in refused.items() if why not in NOT_NOW}, at=at)
    taken = session.execute(
        update(Letter)
        .where(Letter.id.in_([i for i in ids if i not in refused]))
        .where(Letter.state.in_(WAITING), Letter.next_attempt_at <= at)
        .values(
            state=LetterState.CLAIMED,
            claim=claim,
            lease_until=at + lease,
            attempts=Letter.attempts + 1,
        )
        .returning(
            Letter.id,
            Letter.key,
            Letter.message_id,
            Letter.address,
            Letter.content,
            Letter.attempts,
        )
        .execution_options(synchronize_session=False)
    )
    return Lot([Claimed(**row._asdict()) for row in taken], len(ids))


def settle(session: Session, done: Iterable[Settled], *, claim: str, at: datetime) -> list[int]:
    """Record what the relay answered; return the letters that were no longer ours to settle.

    A result under another claim, from a dispatcher that was given up, changes nothing.
    """
    strangers: list[int] = []
    for one in done:
        state = AFTER[one.receipt.outcome]
        changed = session.execute(
            update(Letter)
            .where(Letter.id == one.letter.id, Letter.claim == claim)
            .where(Letter.state.in_([LetterState.CLAIMED, LetterState.IN_DOUBT]))
            .values(state=state, reply=one.receipt.reply, **_times(state, one.letter, at))
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount != 1:  # type: ignore[attr-defined]
            strangers.append(one.letter.id)
            continue
        session.execute(insert(Attempt).values(_attempt(one, at)))
        _tell_ledger(session, state, one.letter.id)
        if one.receipt.outcome is Outcome.DEAD_ADDRESS:
            reason = f"bounce {one.receipt.reply[4:9]}"
            suppressions.suppress(session, one.letter.address, reason=reason, at=at)
    return strangers


def withdraw(session: Session, refused: dict[int, Why], *, at: datetime, claim: str = "") -> None:
    """Those letters will not leave: say why, and give their notices back.

    Only letters that wait, or that `claim` has.
    """
    for letter_id, why in refused.items():
        ours = (Letter.state == LetterState.CLAIMED) & (Letter.claim == claim)
        changed = session.execute(
            update(Letter)
            .where(Letter.id == letter_id, or_(Letter.state.in_(WAITING), ours))
            .values(state=LetterState.WITHDRAWN, why=why, settled_at=at)
            .returning(Letter.contact_id, Letter.edition_id)
            .execution_options(synchronize_session=False)
        ).first()
        if changed is not None:
            ledger.release(session, [letter_id])
            session.execute(
                insert(Omission).values(
                    at=at, letter_id=letter_id, why=why, detail="", **changed._asdict()
                )
            )


def give_back(session: Session, letter_ids: Iterable[int], *, claim: str, at: datetime) -> None:
    """Undo a claim: the letters wait again, the attempt is not counted."""
    session.execute(
        update(Letter)
        .where(Letter.id.in_(list(letter_ids)), Letter.claim == claim)
        .where(Letter.state == LetterState.CLAIMED)
        .values(
            state=LetterState.WRITTEN,
            claim="",
            lease_until=None,
            next_attempt_at=at,
            attempts=Letter.attempts - 1,
        )
        .execution_options(synchronize_session=False)
    )


def take_back(session: Session, *, at: datetime) -> int:
    """CLAIMED letters whose lease ran out wait again: their dot was certainly not sent."""
    back = session.execute(
        update(Letter)
        .where(Letter.state == LetterState.CLAIMED, Letter.lease_until <= at)
        .values(state=LetterState.WRITTEN, claim="", lease_until=None, next_attempt_at=at)
        .returning(Letter.id)
        .execution_options(synchronize_session=False)
    )
    return len(back.all())


def in_doubt(session: Session, *, at: datetime) -> list[Doubt]:
    """IN_DOUBT letters whose dispatcher is certainly gone."""
    rows = session.execute(
        select(Letter.id, Letter.key, Letter.message_id)
        .where(Letter.state == LetterState.IN_DOUBT, Letter.lease_until <= at)
        .order_by(Letter.id)
    )
    return [Doubt(**row._asdict()) for row in rows]


def resolve(
    session: Session, letter_id: int, state: LetterState, *, reply: str, at: datetime
) -> bool:
    """Settle an IN_DOUBT or UNKNOWN letter from outside evidence or by a person's decision.

    ACCEPTED, UNKNOWN, WITHDRAWN, or WRITTEN to send the same bytes again. False when the
    letter is in another state by now.
    """
    values: dict[str, Any] = {"state": state, "reply": reply, "claim": "", "lease_until": None}
    if state is LetterState.WRITTEN:
        values["next_attempt_at"] = at
    else:
        values["settled_at"] = at
    changed = session.execute(
        update(Letter)
        .where(Letter.id == letter_id)
        .where(Letter.state.in_([LetterState.IN_DOUBT, LetterState.UNKNOWN]))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        return False
    _tell_ledger(session, state, letter_id)
    return True


def back_off(attempts: int, spread: float) -> timedelta:
    """The wait after that many attempts; `spread` from 0 to 1 adds up to a quarter."""
    minutes = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    return timedelta(minutes=minutes * (1 + spread / 4))


def _times(state: LetterState, letter: Claimed, at: datetime) -> dict[str, Any]:
    if state is LetterState.DEFERRED:
        wait = back_off(letter.attempts, random.random())  # noqa: S311, no secret
        return {"next_attempt_at": at + wait, "claim": "", "lease_until": None}
    return {"settled_at": at, "lease_until": None}


def _tell_ledger(session: Session, state: LetterState, letter_id: int) -> None:
    match state:
        case LetterState.ACCEPTED:
            ledger.confirm(session, [letter_id])
        case LetterState.REFUSED | LetterState.WITHDRAWN:
            ledger.release(session, [letter_id])
        case LetterState.UNKNOWN:
            ledger.doubt(session, [letter_id])
        case _:
            pass


def _attempt(one: Settled, at: datetime) -> dict[str, Any]:
    return {
        "letter_id": one.letter.id,
        "at": at,
        "phase": one.receipt.phase,
        "outcome": one.receipt.outcome,
        "reply": one.receipt.reply,
    }
