"""Calls that are gone from a list of all that is open: withdrawn once two readings agree."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from sources.release import Fault, PassedOver, Release, Status
from sources.stored import Stated, material_hash
from sources.tables import Reading, Revision, Tender

#: Where more than this share is missing at once, the list is broken and not the calls.
_MOST_MISSING = 0.5
#: So few can all have been withdrawn.
_FEW = 3


def conclude(
    session: Session,
    reading: Reading,
    results: Iterable[Release | Fault | PassedOver],
    *,
    at: datetime,
) -> int | None:
    """How many calls are withdrawn by this reading of a list of all that is open; None: it is held.

    A call that is missing for the first time is only marked; one that was missing from an earlier
    reading too gets a revision with the status "withdrawn". One whose release could not be read is
    there; where one has no ocid, nothing is concluded. Nor is it from a list from which half is
    missing at once: that is held.
    """
    listed = {result.ocid for result in results}
    if "" in listed:
        return 0
    opened = list(
        session.execute(
            select(Tender.id, Tender.ocid, Tender.missed_at)
            .where(Tender.source == reading.source, Tender.status == Status.ACTIVE)
            .where(or_(Tender.closes_at.is_(None), Tender.closes_at > at))
        )
    )
    back = [one.id for one in opened if one.ocid in listed and one.missed_at is not None]
    _mark(session, back, None)
    missing = [one for one in opened if one.ocid not in listed]
    if len(missing) > max(_FEW, _MOST_MISSING * len(opened)):
        return None
    _mark(session, [one.id for one in missing if one.missed_at is None], at)
    gone = [one.id for one in missing if one.missed_at is not None and one.missed_at < at]
    _withdraw(session, reading, gone, at)
    return len(gone)


def _mark(session: Session, tender_ids: list[int], at: datetime | None) -> None:
    if tender_ids:
        session.execute(update(Tender), [{"id": one, "missed_at": at} for one in tender_ids])


def _withdraw(session: Session, reading: Reading, tender_ids: list[int], at: datetime) -> None:
    """The latest revision once more, but withdrawn."""
    if not tender_ids:
        return
    latest = session.scalars(
        select(Revision)
        .join(Tender, (Tender.id == Revision.tender_id) & (Tender.latest == Revision.number))
        .where(Tender.id.in_(tender_ids))
    )
    rows = [_withdrawn(one, reading, at) for one in latest]
    session.execute(insert(Revision), rows)
    session.execute(
        update(Tender),
        [
            {"id": row["tender_id"], "latest": row["number"], "status": row["status"]}
            for row in rows
        ],
    )


def _withdrawn(latest: Revision, reading: Reading, at: datetime) -> dict[str, Any]:
    row = {
        column.key: getattr(latest, column.key)
        for column in Revision.__mapper__.column_attrs
        if column.key != "id"
    }
    stated = Stated(
        title=latest.title,
        buyer=latest.buyer,
        status=Status.WITHDRAWN.value,
        closes_at=latest.closes_at,
        municipality=latest.municipality,
        mrc=latest.mrc,
        region=latest.region,
        documents=tuple(latest.documents),
    )
    return row | {
        "number": latest.number + 1,
        "reading_id": reading.id,
        "seen_at": at,
        "status": stated.status,
        "material_hash": material_hash(stated),
        "conflicting": False,
    }
