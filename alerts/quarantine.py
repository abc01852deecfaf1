"""Letters that a defect keeps from being composed or handed over: set aside, and said once.

The others of the same run go on. One that could not be composed is composed anew a minute
later, and once more; from then on it waits until staff have mended the cause and say so.
Nothing is reserved for it in the ledger: what it would have told is offered in the next edition.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, exists, func, select, update
from sqlalchemy.orm import Session

from alerts import ledger
from alerts.tables import Edition, Letter, LetterState, Omission, Why
from base import concerns
from base.database import insert
from subscriptions.tables import Contact

#: How often a letter is composed before only staff can have it tried again, and how soon after.
TRIES, AGAIN_AFTER = 3, timedelta(minutes=1)
#: What is to be composed again under its key: the other is no defect, see alerts.stale.
AGAIN = (LetterState.QUARANTINED, LetterState.STALE)
#: Characters of an error's text that are kept for whoever mends it.
_WORDS = 500


def uncomposed(
    session: Session,
    edition: Edition,
    contact: Contact,
    *,
    key: str,
    message_id: str,
    error: Exception,
    expires_at: datetime,
    at: datetime,
) -> None:
    """That contact's letter of that edition failed once more; its row says so, with the words."""
    values: dict[str, Any] = {
        "address": contact.address[:254],
        "reply": f"{type(error).__name__}: {error}"[:_WORDS],
        "next_attempt_at": at + AGAIN_AFTER,
    }
    again = session.scalar(
        update(Letter)
        .where(Letter.key == key, Letter.state.in_(AGAIN))
        .values(
            attempts=Letter.attempts + 1,
            state=LetterState.QUARANTINED,
            why=Why.UNWRITABLE,
            **values,
        )
        .returning(Letter.id)
        .execution_options(synchronize_session=False)
    )
    if again is None:
        session.execute(
            insert(session, Letter)
            .values(
                key=key,
                edition_id=edition.id,
                contact_id=contact.id,
                message_id=message_id,
                sha256="",
                size=0,
                notices=0,
                state=LetterState.QUARANTINED,
                why=Why.UNWRITABLE,
                attempts=1,
                written_at=at,
                expires_at=expires_at,
                **values,
            )
            .on_conflict_do_nothing()
        )
    _say(session, edition.id, edition.label, at)


def unsendable(
    session: Session, letter_id: int, *, claim: str, error: Exception, at: datetime
) -> None:
    """Handing that claimed letter over failed in our own code, before the dot: not again."""
    changed = session.execute(
        update(Letter)
        .where(Letter.id == letter_id, Letter.claim == claim, Letter.state == LetterState.CLAIMED)
        .values(
            state=LetterState.QUARANTINED,
            why=Why.UNWRITABLE,
            reply=f"{type(error).__name__}: {error}"[:_WORDS],
            settled_at=at,
            attempts=TRIES,
        )
        .returning(Letter.contact_id, Letter.edition_id)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        return
    ledger.release(session, [letter_id])
    session.add(Omission(at=at, letter_id=letter_id, why=Why.UNWRITABLE, **changed._asdict()))
    label = session.scalar(select(Edition.label).where(Edition.id == changed.edition_id)) or ""
    _say(session, changed.edition_id, label, at)


def due(session: Session, *, at: datetime) -> dict[int, list[int]]:
    """The contacts whose letter is to be composed anew, by edition."""
    rows = session.execute(
        select(Letter.edition_id, Letter.contact_id)
        .where(Letter.state.in_(AGAIN))
        .where(Letter.attempts < TRIES, Letter.next_attempt_at <= at, Letter.expires_at > at)
        .order_by(Letter.id)
    )
    found: dict[int, list[int]] = {}
    for edition_id, contact_id in rows:
        if edition_id is not None:
            found.setdefault(edition_id, []).append(contact_id)
    return found


def try_again(session: Session, letter_id: int, *, at: datetime, until: datetime) -> bool:
    """Staff mended the cause: compose that letter anew at the next tick, worth it `until` then.

    False when it is not in quarantine.
    """
    again = session.scalar(
        update(Letter)
        .where(Letter.id == letter_id, Letter.state == LetterState.QUARANTINED)
        .where(Letter.edition_id.is_not(None))
        .values(attempts=0, next_attempt_at=at, expires_at=until)
        .returning(Letter.id)
        .execution_options(synchronize_session=False)
    )
    return again is not None


def release(
    session: Session, edition: Edition, contact_ids: Iterable[int], *, at: datetime
) -> None:
    """Those contacts were dealt with: what is still to be composed of theirs will not be.

    A stale letter of which nothing is left says why there is no other in its place.
    """
    instead = (
        select(Omission.why)
        .where(Omission.edition_id == Letter.edition_id, Omission.contact_id == Letter.contact_id)
        .where(Omission.letter_id.is_(None))
        .correlate(Letter)
        .scalar_subquery()
    )
    why = case(
        (Letter.state == LetterState.STALE, func.coalesce(instead, Why.NOTHING)), else_=Letter.why
    )
    session.execute(
        update(Letter)
        .where(Letter.edition_id == edition.id, Letter.contact_id.in_(list(contact_ids)))
        .where(Letter.state.in_(AGAIN))
        .values(state=LetterState.WITHDRAWN, why=why, settled_at=at)
        .execution_options(synchronize_session=False)
    )


def settle_concern(session: Session, edition: Edition, *, at: datetime) -> None:
    """Nothing of that edition is in quarantine any more: staff need not look."""
    left = exists().where(Letter.edition_id == edition.id, Letter.state == LetterState.QUARANTINED)
    if not session.scalar(select(left)):
        concerns.settle(session, _key(edition.id), at=at)


def _say(session: Session, edition_id: int | None, label: str, at: datetime) -> None:
    """Once an edition, however many letters: a broken template must not flood staff."""
    concerns.raise_concern(
        session, key=_key(edition_id), cause="quarantined", detail={"edition": label}, at=at
    )


def _key(edition_id: int | None) -> str:
    return f"edition:{edition_id or '-'}:quarantined"
