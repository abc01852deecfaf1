"""Addresses that must not be mailed, whoever's they are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from base import locks
from subscriptions import erased
from subscriptions.tables import Suppression


def suppress(session: Session, address: str, *, reason: str, at: datetime) -> bool:
    """Never mail this address again; False when it was suppressed already, or is erased ("").

    A letter that is passing its last guard at this moment is waited for.
    """
    if not address:
        return False
    locks.adding(session, locks.Absence.PROHIBITION)
    live = select(Suppression.id).where(
        Suppression.address == address, Suppression.lifted_at.is_(None)
    )
    if session.scalar(live.limit(1)) is not None:
        return False
    session.add(Suppression(address=address, reason=reason, set_at=at))
    session.flush()
    return True


def lift(session: Session, address: str, *, at: datetime) -> int:
    """Mail this address again; how many suppressions that ended. An unsubscribe stays."""
    hidden = list(erased.digests(session, [address]))
    lifted = session.execute(
        update(Suppression)
        .where(or_(Suppression.address == address, Suppression.digest.in_(hidden)))
        .where(Suppression.lifted_at.is_(None))
        .values(lifted_at=at)
    )
    return int(lifted.rowcount)  # type: ignore[attr-defined]
