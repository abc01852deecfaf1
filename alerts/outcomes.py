"""What the relay answered, recorded: the letter, its attempt, what was told, a dead address."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from alerts import ledger, lost
from alerts.delivery import Outcome, Receipt
from alerts.hold_tables import Hold
from alerts.outbox import Claimed
from alerts.replies import enhanced
from alerts.tables import Attempt, Letter, LetterState

#: Minutes to the next attempt, by number of attempts made; the last one repeats.
BACK_OFF = (1, 5, 15, 60, 120, 240)
#: What is refused to our sender, or by a relay that is busy, is tried again so soon after,
#: whatever the attempts: staff mends it, or it passes, and the letters are not to blame.
MENDED_WITHIN = timedelta(minutes=5)
#: For so long a policy refusal counts among those that hold the run.
REMEMBERED = timedelta(hours=24)
#: What the dispatcher of a claim may still settle.
OURS = (LetterState.CLAIMED, LetterState.IN_DOUBT, LetterState.UNKNOWN)

AFTER = {
    Outcome.ACCEPTED: LetterState.ACCEPTED,
    Outcome.DEFERRED: LetterState.DEFERRED,
    Outcome.BUSY: LetterState.DEFERRED,
    Outcome.DEAD_ADDRESS: LetterState.REFUSED,
    Outcome.REFUSED: LetterState.REFUSED,
    Outcome.POLICY: LetterState.REFUSED,
    Outcome.MISCONFIGURED: LetterState.DEFERRED,
    Outcome.UNKNOWN: LetterState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed letter."""

    letter: Claimed
    receipt: Receipt


def settle(session: Session, done: Iterable[Settled], *, claim: str, at: datetime) -> list[int]:
    """Record what the relay answered; return the letters that were no longer ours to settle.

    A result under another claim, from a dispatcher that was given up, changes nothing. One
    that comes late, for a letter that is UNKNOWN meanwhile and undecided, ends the doubt.
    """
    strangers: list[int] = []
    for one in done:
        state = AFTER[one.receipt.outcome]
        changed = session.execute(
            update(Letter)
            .where(Letter.id == one.letter.id, Letter.claim == claim)
            .where(Letter.state.in_(OURS))
            .values(state=state, reply=one.receipt.reply, **_times(one, at))
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount != 1:  # type: ignore[attr-defined]
            strangers.append(one.letter.id)
            continue
        session.execute(insert(Attempt).values(_attempt(one, at)))
        ledger.follow(session, one.letter.id, state)
        if one.receipt.outcome is Outcome.DEAD_ADDRESS:
            status = enhanced(one.receipt.reply)
            lost.lose(session, one.letter.address, reason=status, at=at)
    return strangers


def back_off(attempts: int, spread: float) -> timedelta:
    """The wait after that many attempts; `spread` from 0 to 1 adds up to a quarter."""
    minutes = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    return timedelta(minutes=minutes * (1 + spread / 4))


def unwelcome(session: Session, *, at: datetime) -> int:
    """Policy refusals (5.7.x) of the last day, since staff last lifted a hold on their account.

    Of all dispatchers and all runs: three in a run of minutes are as bad as three in one.
    """
    lifted = select(func.max(Hold.lifted_at)).where(Hold.cause == "policy").scalar_subquery()
    counted = session.scalar(
        select(func.count())
        .select_from(Attempt)
        .where(Attempt.outcome == Outcome.POLICY, Attempt.at > at - REMEMBERED)
        .where(Attempt.at > func.coalesce(lifted, at - REMEMBERED))
    )
    return counted or 0


def _times(one: Settled, at: datetime) -> dict[str, Any]:
    if one.receipt.outcome is Outcome.UNKNOWN:
        # Its lease stays: once it is over the log of the relay can be asked.
        return {"settled_at": at}
    if AFTER[one.receipt.outcome] is not LetterState.DEFERRED:
        return {"settled_at": at, "lease_until": None}
    values: dict[str, Any] = {"claim": "", "lease_until": None, "in_doubt_at": None}
    if one.receipt.outcome in {Outcome.MISCONFIGURED, Outcome.BUSY}:
        return values | {"next_attempt_at": at + MENDED_WITHIN, "attempts": Letter.attempts - 1}
    wait = back_off(one.letter.attempts, random.random())  # noqa: S311, no secret
    return values | {"next_attempt_at": at + wait}


def _attempt(one: Settled, at: datetime) -> dict[str, Any]:
    return {
        "letter_id": one.letter.id,
        "at": at,
        "phase": one.receipt.phase,
        "outcome": one.receipt.outcome,
        "reply": one.receipt.reply,
    }
