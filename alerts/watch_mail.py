"""What the watch writes to staff."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from alerts import staff_mail
from alerts.staff_mail import Door
from alerts.watch import Finding
from base import concerns
from base.concerns import Concern

#: First word of the keys of the messages.
KIND = "watch"


def tell(
    session: Session,
    door: Door,
    found: Sequence[Finding],
    sentence: Callable[[str, Mapping[str, Any]], str],
    *,
    at: datetime,
) -> bool:
    """Write one message of all that is found, where some of it was never told; False: nothing.

    Each concern is told once, and once more where it was settled and came again.
    """
    keys = {one.key for one in found}
    standing = [one for one in concerns.standing(session) if one.key in keys]
    marks = {_mark(one): one for one in standing}
    new = marks.keys() - staff_mail.told(session, KIND)
    if not new:
        return False
    return staff_mail.write(
        session,
        door,
        "watch",
        {"lines": [sentence(one.cause, one.detail) for one in standing]},
        key=f"{KIND}:{max(new)}",
        at=at,
        covers=list(marks),
    )


def _mark(one: Concern) -> str:
    return f"{one.id}:{one.raised_at.isoformat()}"
