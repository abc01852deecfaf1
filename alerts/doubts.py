"""The letters in doubt: found once nobody waits for their answer any more, and settled.

A person decides, or evidence from outside does (alerts.recovery); each within the caller's
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from alerts import ledger, outbox
from alerts.tables import Letter, LetterState, Why


@dataclass(frozen=True, slots=True)
class Doubt:
    """A letter whose dot may have been sent, and nobody waits for the answer any more."""

    id: int
    key: str
    message_id: str
    #: When it was about to be sent.
    in_doubt_at: datetime
    #: By which claim; its beginning says by which machine (alerts.journal).
    claim: str = ""


def in_doubt(session: Session, *, at: datetime, unknown: bool = False) -> list[Doubt]:
    """IN_DOUBT letters whose dispatcher is certainly gone.

    With `unknown` also the letters whose dispatcher got no answer; each until it is resolved, if
    only as UNKNOWN again.
    """
    states = [LetterState.IN_DOUBT, *([LetterState.UNKNOWN] if unknown else [])]
    rows = session.execute(
        select(Letter.id, Letter.key, Letter.message_id, Letter.in_doubt_at, Letter.claim)
        .where(Letter.state.in_(states), Letter.lease_until <= at)
        .order_by(Letter.id)
    )
    return [Doubt(**row._asdict()) for row in rows]


def resolve(
    session: Session,
    letter_id: int,
    state: LetterState,
    *,
    reply: str,
    at: datetime,
    doubt: Doubt | None = None,
) -> bool:
    """Settle an UNKNOWN letter by a person's decision, or any `doubt` from outside evidence.

    ACCEPTED, UNKNOWN, WITHDRAWN, or WRITTEN to send the same bytes again. False when the
    letter is in another state by now, or in doubt anew.
    """
    if doubt is None:
        unsettled: ColumnElement[bool] = Letter.state == LetterState.UNKNOWN
    else:
        states = [LetterState.IN_DOUBT, LetterState.UNKNOWN]
        unsettled = and_(Letter.state.in_(states), Letter.in_doubt_at == doubt.in_doubt_at)
    values: dict[str, Any] = {"state": state, "reply": reply, "lease_until": None}
    if state is not LetterState.UNKNOWN:
        # An UNKNOWN letter keeps its claim: its dispatcher may be slow, and know.
        values["claim"] = ""
    if state is LetterState.WRITTEN:
        values["next_attempt_at"] = at
    else:
        values["settled_at"] = at
    if state is LetterState.WITHDRAWN:
        values["why"] = Why.DROPPED
    changed = session.execute(
        update(Letter)
        .where(Letter.id == letter_id, unsettled)
        .values(**values)
        .returning(Letter.contact_id, Letter.edition_id)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        return False
    if state is LetterState.WITHDRAWN:
        outbox.omit(session, letter_id, Why.DROPPED, changed._asdict(), at)
    ledger.follow(session, letter_id, state)
    return True
