"""The brake: while one hold is not lifted, no letter leaves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts.tables import Hold


def is_held(session: Session) -> bool:
    """Whether anything forbids sending altogether."""
    return session.scalar(select(Hold.id).where(Hold.lifted_at.is_(None)).limit(1)) is not None


def standing(session: Session) -> list[Hold]:
    """The holds that are not lifted, oldest first."""
    return list(session.scalars(select(Hold).where(Hold.lifted_at.is_(None)).order_by(Hold.id)))


def hold(session: Session, *, cause: str, detail: str, by: str, at: datetime) -> bool:
    """Hold everything; False when a hold of that cause stands already."""
    if any(one.cause == cause for one in standing(session)):
        return False
    session.add(Hold(set_at=at, cause=cause, detail=detail, set_by=by))
    session.flush()
    return True


def lift(session: Session, *, by: str, at: datetime) -> int:
    """Lift every hold; how many there were."""
    lifted = session.execute(
        update(Hold).where(Hold.lifted_at.is_(None)).values(lifted_at=at, lifted_by=by)
    )
    return int(lifted.rowcount)  # type: ignore[attr-defined]
