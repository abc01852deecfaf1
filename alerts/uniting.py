"""Two contacts of an enterprise become one: what either was told is not told to it again.

Letters stay with the contact they were written for: they are the proof of what reached which
address, and say by which membership. The ledger's rows and the answers follow the contact that
is kept, so that it hears of changes to what the other one was told.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts.answer_tables import Answer, Reaction
from alerts.leaving import leave, withdraw_waiting
from alerts.reactions import OPPOSITE
from alerts.tables import Told, ToldState, Why
from subscriptions import mailboxes
from subscriptions.editing import Hand
from subscriptions.mailboxes import Outcome
from subscriptions.tables import Contact, Via

#: Of two rows about the same, the one that keeps more from being repeated.
_STRENGTH = (
    ToldState.RELEASED,
    ToldState.UNCERTAIN,
    ToldState.RESERVED,
    ToldState.CONFIRMED,
)


def merge(session: Session, kept: Contact, merged: Contact, *, hand: Hand) -> Outcome:
    """End `merged` as a double of `kept`, in the caller's transaction.

    Raises:
        ChangeRefused: as subscriptions.mailboxes.outcome.
    """
    found = mailboxes.merge(session, kept, merged, hand=hand)
    withdraw_waiting(session, merged.id, Why.SUBSCRIPTION, at=hand.at)
    if found is Outcome.LEFT:
        leave(session, kept.id, via=Via.STAFF, at=hand.at)
    _unite_told(session, kept.id, merged.id)
    _unite_answers(session, kept.id, merged.id)
    return found


def _unite_told(session: Session, kept_id: int, merged_id: int) -> None:
    """Give the kept contact each row it lacks; of two about the same, it has the stronger."""
    rows = session.scalars(select(Told).where(Told.contact_id.in_([kept_id, merged_id])))
    by_key: dict[tuple[int, str, str], dict[int, Told]] = {}
    for row in rows:
        by_key.setdefault((row.cluster_id, row.kind, row.occasion), {})[row.contact_id] = row
    moved = []
    for both in by_key.values():
        other, own = both.get(merged_id), both.get(kept_id)
        if other is not None and own is None:
            moved.append(other.id)
        elif other is not None and own is not None and _strength(other) > _strength(own):
            _take(own, other)
    session.flush()
    session.execute(
        update(Told)
        .where(Told.id.in_(moved), Told.contact_id == merged_id)
        .values(contact_id=kept_id)
        .execution_options(synchronize_session=False)
    )


def _strength(row: Told) -> int:
    return _STRENGTH.index(ToldState(row.state))


def _take(own: Told, other: Told) -> None:
    own.state, own.letter_id, own.revision_id = other.state, other.letter_id, other.revision_id
    own.at, own.relisted, own.reasons = other.at, other.relisted, other.reasons


def _unite_answers(session: Session, kept_id: int, merged_id: int) -> None:
    """The other's answers, where the kept one gave neither the same nor the opposite."""
    rows = list(
        session.scalars(select(Reaction).where(Reaction.contact_id.in_([kept_id, merged_id])))
    )
    given = {(r.cluster_id, r.answer) for r in rows if r.contact_id == kept_id}
    for row in rows:
        contrary = OPPOSITE.get(Answer(row.answer))
        taken = {(row.cluster_id, row.answer), (row.cluster_id, contrary)}
        if row.contact_id == merged_id and not taken & given:
            row.contact_id = kept_id
    session.flush()
