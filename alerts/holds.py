"""The brake: while one hold is not lifted, no letter leaves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts.hold_tables import Hold
from base import concerns, locks

#: The cause of the hold that keeps a database's first letters until staff have seen them.
FIRST_RUN = "first run"


def is_held(session: Session) -> bool:
    """Whether anything forbids sending altogether."""
    return session.scalar(select(Hold.id).where(Hold.lifted_at.is_(None)).limit(1)) is not None


def standing(session: Session) -> list[Hold]:
    """The holds that are not lifted, oldest first."""
    return list(session.scalars(select(Hold).where(Hold.lifted_at.is_(None)).order_by(Hold.id)))


def ever(session: Session, cause: str) -> bool:
    """Whether a hold of that cause was ever set, lifted or not."""
    return session.scalar(select(Hold.id).where(Hold.cause == cause).limit(1)) is not None


def hold(session: Session, *, cause: str, detail: str, by: str, at: datetime) -> bool:
    """Hold everything; False when a hold of that cause stands already.

    A letter that is passing its last guard at this moment is waited for; none leaves once
    the caller's transaction is committed.
    """
    locks.adding(session, locks.Absence.PROHIBITION)
    if any(one.cause == cause for one in standing(session)):
        return False
    session.add(Hold(set_at=at, cause=cause, detail=detail, set_by=by))
    session.flush()
    return True


def lift(session: Session, *, by: str, at: datetime, cause: str | None = None) -> int:
    """Lift every hold, or those of one cause; how many there were."""
    which = update(Hold).where(Hold.lifted_at.is_(None))
    if cause is not None:
        which = which.where(Hold.cause == cause)
    lifted = session.execute(which.values(lifted_at=at, lifted_by=by))
    return int(lifted.rowcount)  # type: ignore[attr-defined]


def settle_concerns(session: Session, *, at: datetime) -> None:
    """A person saw why all was held, and lifted it."""
    for one in concerns.standing(session):
        if one.key.startswith("hold:"):
            concerns.settle(session, one.key, at=at)


def release_first_run(session: Session, *, by: str, at: datetime) -> None:
    """The first letters need not wait for staff: lift that hold, or let it never be set.

    Other holds stay. A second call changes nothing.
    """
    if not lift(session, by=by, at=at, cause=FIRST_RUN) and not ever(session, FIRST_RUN):
        session.add(Hold(set_at=at, cause=FIRST_RUN, set_by=by, lifted_at=at, lifted_by=by))
        session.flush()
