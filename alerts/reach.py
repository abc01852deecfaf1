"""What a municipality may know: how many enterprises its calls reached, and never which.

A number under FEWEST could be recognised in a small region: it is not given, only that it is
small. What a municipality is shown is made from these values alone, which name nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.spread import members_told
from alerts.tables import Kind, Letter, LetterState, Told
from sources.tables import Revision, Tender
from subscriptions.tables import Contact

#: The smallest number of enterprises that is told.
FEWEST = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """One call of the municipality."""

    number: str
    title: str
    buyer: str
    first_seen_at: datetime
    closes_at: datetime | None
    #: Enterprises that were told of it; None where they are some, but fewer than FEWEST.
    members: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The calls of one municipality in a time."""

    municipality: str
    calls: Sequence[Reached]
    #: Enterprises told of at least one; None as above.
    members: int | None
    #: The median hours from the first sight of a call to its first accepted letter.
    hours: float | None

    @property
    def unanswered(self) -> int:
        """Calls for which no active member declared a sector, so that nobody was told."""
        return sum(one.members == 0 for one in self.calls)


def reach(session: Session, municipality: str, start: datetime, end: datetime) -> Reach:
    """The calls of that municipality first seen in [start, end), each cluster once."""
    rows = session.execute(
        select(Tender, Revision)
        .join(Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest))
        .where(Tender.first_seen_at >= start, Tender.first_seen_at < end)
        .where(Revision.municipality == municipality)
        .order_by(Tender.first_seen_at, Tender.id)
    )
    found: dict[int, tuple[Tender, Revision]] = {}
    for tender, revision in rows:
        found.setdefault(tender.cluster_id or tender.id, (tender, revision))
    told = members_told(session, found)
    first = _first_told(session, list(found))
    hours = [
        (first[cluster] - tender.first_seen_at).total_seconds() / 3600
        for cluster, (tender, _) in found.items()
        if cluster in first
    ]
    return Reach(
        municipality=municipality,
        calls=[_call(*one, told[cluster]) for cluster, one in found.items()],
        members=_hidden(_members(session, list(found))),
        hours=median(hours) if hours else None,
    )


def _hidden(members: int) -> int | None:
    return members if members == 0 or members >= FEWEST else None


def _call(tender: Tender, revision: Revision, members: int) -> Reached:
    return Reached(
        number=tender.number,
        title=revision.title,
        buyer=revision.buyer,
        first_seen_at=tender.first_seen_at,
        closes_at=tender.closes_at,
        members=_hidden(members),
    )


def _members(session: Session, clusters: Sequence[int]) -> int:
    counted = session.scalar(
        select(func.count(Contact.member_id.distinct()))
        .join(Told, Told.contact_id == Contact.id)
        .join(Letter, Letter.id == Told.letter_id)
        .where(Told.cluster_id.in_(clusters), Told.kind == Kind.NEW)
        .where(Letter.state == LetterState.ACCEPTED)
    )
    return counted or 0


def _first_told(session: Session, clusters: Sequence[int]) -> dict[int, datetime]:
    rows = session.execute(
        select(Told.cluster_id, func.min(Letter.settled_at))
        .join(Letter, Letter.id == Told.letter_id)
        .where(Told.cluster_id.in_(clusters), Told.kind == Kind.NEW)
        .where(Letter.state == LetterState.ACCEPTED)
        .group_by(Told.cluster_id)
    )
    return {cluster: at for cluster, at in rows if at is not None}
