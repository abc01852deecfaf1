"""Near misses: notices that nearly were for a contact, kept a while for who asks why."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from sqlalchemy.orm import Session

from alerts.matching import Lacked, NearMiss
from alerts.tables import NearMissed
from base.database import insert

#: A contact's near misses that an edition keeps of each Lacked, best score first.
MOST = 3


@dataclass(frozen=True, slots=True)
class Missed:
    """A revision that nearly was for a contact."""

    contact_id: int
    revision_id: int
    miss: NearMiss


def best(missed: Iterable[Missed]) -> list[Missed]:
    """The best of each Lacked; those without a score are none."""
    by_kind: dict[Lacked, list[Missed]] = defaultdict(list)
    for one in missed:
        if one.miss.score > 0:
            by_kind[one.miss.lacked].append(one)
    return [
        one
        for found in by_kind.values()
        for one in heapq.nlargest(MOST, found, key=lambda m: (m.miss.score, -m.revision_id))
    ]


def keep(session: Session, missed: Iterable[Missed], *, at: datetime) -> None:
    """Store them; one that is known is written again only where something else lacks now."""
    rows = [
        {
            "contact_id": one.contact_id,
            "revision_id": one.revision_id,
            "at": at,
            "score": one.miss.score,
            "lacked": one.miss.lacked,
            "detail": one.miss.detail,
        }
        for one in missed
    ]
    if not rows:
        return
    statement = insert(session, NearMissed)
    changed = statement.excluded
    # Straight to the table: a first look at everything keeps thousands.
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=[NearMissed.contact_id, NearMissed.revision_id],
            set_={name: changed[name] for name in ("at", "score", "lacked", "detail")},
            where=or_(NearMissed.lacked != changed.lacked, NearMissed.detail != changed.detail),
        ),
        rows,
    )
