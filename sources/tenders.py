"""What is known of tenders now: the open ones at their latest revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from sources.release import Status
from sources.tables import Revision, Tender


def open_at(session: Session, at: datetime) -> list[tuple[Tender, Revision]]:
    """Each tender that is active and not closed at `at`, with its latest revision.

    One without a closing moment counts as open. Ordered by tender, oldest first.
    """
    found = session.execute(
        _latest()
        .where(Tender.status == Status.ACTIVE)
        .where(or_(Tender.closes_at.is_(None), Tender.closes_at > at))
        .order_by(Tender.id)
    )
    return [(tender, revision) for tender, revision in found]


def by_revision(session: Session, revision_ids: Iterable[int]) -> dict[int, Revision]:
    """The revisions of those ids."""
    found = session.scalars(select(Revision).where(Revision.id.in_(list(revision_ids))))
    return {revision.id: revision for revision in found}


def by_number(session: Session, number: str) -> list[tuple[Tender, Revision]]:
    """The tenders the public knows by that number, each at its latest revision."""
    found = session.execute(_latest().where(Tender.number == number).order_by(Tender.id))
    return [(tender, revision) for tender, revision in found]


def seen_since(session: Session, since: datetime) -> Iterator[tuple[Tender, Revision]]:
    """Each tender first seen at `since` or later, at its latest revision, oldest first."""
    found = session.execute(
        _latest().where(Tender.first_seen_at >= since).order_by(Tender.id),
        execution_options={"yield_per": 500},
    )
    return ((tender, revision) for tender, revision in found)


def _latest() -> Select[Tender, Revision]:
    return select(Tender, Revision).join(
        Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest)
    )
