"""A change of wishes that a reader made: saved, and noted so that a letter says it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions import events, wishes
from subscriptions.tables import Origin, What
from subscriptions.wishes import Wishes


def save(
    session: Session, contact_id: int, changed: Callable[[Wishes], Wishes], *, at: datetime
) -> bool:
    """Change the live subscription; False where there is none. The same wishes note nothing."""
    # Twice: a double click may end on PostgreSQL the row that was just read.
    for _ in range(2):
        session.expire_all()
        current = wishes.live(session, contact_id)
        if current is None:
            return False
        old = wishes.wishes_of(current)
        new = changed(old)
        made = wishes.change(session, contact_id, new, origin=Origin.MEMBER.value, at=at)
        if made is None:
            continue
        if made.id != current.id:
            events.record(session, contact_id, What.CHANGED, at=at, before_id=current.id)
        return True
    return False
