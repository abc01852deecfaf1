"""The letters on their way: claimed, given back, withdrawn, taken back after a crash.

Every move is an UPDATE with its conditions and a count of rows. Each function works within the
caller's transaction and says what it did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    Update,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from alerts import ledger, stale
from alerts.entitlement import letters_refused
from alerts.guards import INSTANT, LETTER, instant
from alerts.message_tables import Message
from alerts.tables import (
    ON_ITS_WAY,
    Edition,
    EditionState,
    Letter,
    LetterState,
    Omission,
    Why,
)
from base.database import Base, UtcDateTime

#: How long a claim holds without a sign of life; its dispatcher gives one three times as often.
LEASE = timedelta(seconds=30)
#: What waits for its turn.
WAITING = (LetterState.WRITTEN, LetterState.DEFERRED)
#: What waits, if only to be composed anew.
UNCLAIMED = (*WAITING, LetterState.STALE)
#: Guards that only say "not now": the letter stays as it is.
NOT_NOW = (Why.HELD,)
_MOST = bindparam("most", type_=Integer)
_MESSAGE = Base.metadata.tables[Message.__tablename__]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A letter that one dispatcher has, until its lease runs out."""

    id: int
    key: str
    message_id: str
    address: str
    attempts: int
    #: None where it was let go, and staff had it sent again since: it cannot leave.
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Lot:
    """What one claim gave."""

    claimed: list[Claimed]
    #: How many letters were waiting for it; 0 when there is nothing left to do.
    looked_at: int


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

    Those that may never leave are withdrawn on the way, each with its omission. Letters of an
    edition wait until it is written whole, and the brake has measured it; what became false
    waits until it is composed anew (alerts.stale).
    """
    known: dict[str, Any] = {_MOST.key: most, **instant(at)}
    ids = list(session.scalars(_next(), known))
    refused = letters_refused(session, ids, allowed=allowed, at=at)
    withdraw(session, {i: why for i, why in refused.items() if why not in NOT_NOW}, at=at)
    free = [i for i in ids if i not in refused]
    known |= {"ids": free, "by": claim, "until": at + lease}
    taken = {row.id: row for row in session.execute(_taking(), known)}
    octets = dict(session.execute(_octets(), {"ids": list(taken)}).all())
    claimed = [
        Claimed(**row._asdict(), content=octets.get(number)) for number, row in taken.items()
    ]
    return Lot(claimed, len(ids))


@cache
def _next() -> Select[int]:
    return (
        _turn()
        .order_by(Letter.next_attempt_at, Letter.id)
        .limit(_MOST)
        .with_for_update(skip_locked=True)
    )


@cache
def _taking() -> Update:
    given = (LETTER.c[field.name] for field in fields(Claimed) if field.name != "content")
    return (
        update(LETTER)
        .where(LETTER.c.id.in_(bindparam("ids", expanding=True)))
        .where(LETTER.c.state.in_(WAITING), LETTER.c.next_attempt_at <= INSTANT)
        .values(
            state=LetterState.CLAIMED,
            claim=bindparam("by"),
            lease_until=bindparam("until", type_=UtcDateTime()),
            attempts=LETTER.c.attempts + 1,
        )
        .returning(*given)
    )


@cache
def _octets() -> Select[int, bytes]:
    return select(_MESSAGE.c.id, _MESSAGE.c.content).where(
        _MESSAGE.c.id.in_(bindparam("ids", expanding=True))
    )


def count(session: Session, *, at: datetime, most: int) -> int:
    """How many letters `claim` would look at now, counted up to `most`."""
    turn = _turn().limit(most).subquery()
    return session.scalar(select(func.count()).select_from(turn), instant(at)) or 0


def _turn() -> Select[int]:
    """The letters whose turn has come, of editions that are written whole, and still true."""
    whole = exists().where(Edition.id == Letter.edition_id, Edition.state == EditionState.WRITTEN)
    return (
        select(Letter.id)
        .where(text(f"letter.{ON_ITS_WAY}"))
        .where(Letter.state.in_(WAITING), Letter.next_attempt_at <= INSTANT)
        .where(or_(Letter.edition_id.is_(None), whole), ~stale.is_false(INSTANT))
    )


def withdraw(session: Session, refused: dict[int, Why], *, at: datetime, claim: str = "") -> None:
    """Those letters will not leave: say why, and give their notices back.

    Only letters that wait, or that `claim` has.
    """
    for letter_id, why in refused.items():
        ours = (Letter.state == LetterState.CLAIMED) & (Letter.claim == claim)
        changed = session.execute(
            update(Letter)
            .where(Letter.id == letter_id, or_(Letter.state.in_(UNCLAIMED), ours))
            .values(state=LetterState.WITHDRAWN, why=why, settled_at=at)
            .returning(Letter.contact_id, Letter.edition_id)
            .execution_options(synchronize_session=False)
        ).first()
        if changed is not None:
            ledger.release(session, [letter_id])
            omit(session, letter_id, why, changed._asdict(), at)


def give_back(
    session: Session,
    letter_ids: Iterable[int],
    *,
    claim: str,
    state: LetterState = LetterState.CLAIMED,
) -> None:
    """Undo a claim: the letters wait again as before, the attempt is not counted.

    IN_DOUBT for `state` only where the final dot was certainly not sent.
    """
    session.execute(
        update(Letter)
        .where(Letter.id.in_(list(letter_ids)), Letter.claim == claim, Letter.state == state)
        .values(attempts=Letter.attempts - 1, in_doubt_at=None, **_waiting_again())
        .execution_options(synchronize_session=False)
    )


def renew(session: Session, *, claim: str, until: datetime) -> int:
    """A sign of life: that claim's letters are its own until then; how many it has."""
    renewed = session.execute(
        update(Letter)
        .where(Letter.claim == claim)
        .where(Letter.state.in_([LetterState.CLAIMED, LetterState.IN_DOUBT]))
        .where(Letter.lease_until < until)
        .values(lease_until=until)
        .execution_options(synchronize_session=False)
    )
    return int(renewed.rowcount)  # type: ignore[attr-defined]


def expire(session: Session, *, at: datetime) -> int:
    """Withdraw what waits and is no longer worth sending, whether its turn has come or not.

    So that what it would have told is offered in the next edition, also while all is held.
    """
    over = select(Letter.id).where(Letter.state.in_(UNCLAIMED), Letter.expires_at <= at)
    ids = list(session.scalars(over))
    withdraw(session, dict.fromkeys(ids, Why.EXPIRED), at=at)
    return len(ids)


def waits_since(session: Session, moment: datetime) -> bool:
    """Whether a letter has had its turn since then, and still waits."""
    waiting = select(Letter.id).where(Letter.state.in_(WAITING), Letter.next_attempt_at <= moment)
    return session.scalar(waiting.limit(1)) is not None


def take_back(session: Session, *, at: datetime) -> int:
    """CLAIMED letters whose lease ran out wait again: their dot was certainly not sent."""
    back = session.execute(
        update(Letter)
        .where(Letter.state == LetterState.CLAIMED, Letter.lease_until <= at)
        .values(**_waiting_again())
        .returning(Letter.id)
        .execution_options(synchronize_session=False)
    )
    return len(back.all())


def omit(session: Session, letter_id: int, why: Why, of: dict[str, Any], at: datetime) -> None:
    """Say why that letter of `of`, contact and edition, will not leave."""
    session.execute(insert(Omission).values(at=at, letter_id=letter_id, why=why, detail="", **of))


def _waiting_again() -> dict[str, Any]:
    """As it was before the claim: DEFERRED where an earlier attempt failed, else WRITTEN."""
    deferred, written = LetterState.DEFERRED.value, LetterState.WRITTEN.value
    before = case((Letter.attempts > 1, deferred), else_=written)
    return {"state": before, "claim": "", "lease_until": None}
