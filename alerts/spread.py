"""The calls of a time, by sector, MRC and municipality, and how many members were told of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.calls import facts_of
from alerts.classification import THRESHOLD, Lexicon, classify
from alerts.tables import Kind, Letter, LetterState, Told
from sources.tables import Revision, Tender
from subscriptions.tables import Contact

#: Clusters asked for in one statement.
_LOT = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenCall:
    """One call, with what it was classified as and how many enterprises were told of it."""

    number: str
    title: str
    buyer: str
    municipality: str
    mrc: str
    region: str
    first_seen_at: datetime
    closes_at: datetime | None
    #: Slugs of the catalogue, best first.
    sectors: Sequence[str]
    #: Enterprises to which a letter that was accepted told it.
    members: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """The calls of a time."""

    calls: Sequence[SeenCall]

    @property
    def by_sector(self) -> Mapping[str, int]:
        """Calls of each sector, the most first; one call may be of several."""
        return _most(slug for call in self.calls for slug in call.sectors)

    @property
    def by_mrc(self) -> Mapping[str, int]:
        """Calls of each MRC, the most first; "" where none is known."""
        return _most(call.mrc for call in self.calls)

    @property
    def by_municipality(self) -> Mapping[str, int]:
        """Calls of each municipality, the most first; "" where none is known."""
        return _most(call.municipality for call in self.calls)

    @property
    def untold(self) -> int:
        """Calls of which nobody was told."""
        return sum(not call.members for call in self.calls)

    @property
    def unclassified(self) -> int:
        """Calls of no sector."""
        return sum(not call.sectors for call in self.calls)


def spread(
    session: Session, lexicon: Lexicon, start: datetime, end: datetime, *, region: str = ""
) -> Spread:
    """The calls first seen in [start, end), of that region or of all; each cluster once."""
    asked = (
        select(Tender, Revision)
        .join(Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest))
        .where(Tender.first_seen_at >= start, Tender.first_seen_at < end)
        .order_by(Tender.id)
    )
    if region:
        asked = asked.where(Revision.region == region)
    found: dict[int, tuple[Tender, Revision]] = {}
    for tender, revision in session.execute(asked):
        found.setdefault(tender.cluster_id or tender.id, (tender, revision))
    told = members_told(session, found)
    return Spread(
        calls=[
            _call(tender, revision, lexicon, told[cluster])
            for cluster, (tender, revision) in found.items()
        ]
    )


def members_told(session: Session, clusters: Iterable[int]) -> Counter[int]:
    """For each of those clusters, the enterprises to which an accepted letter told it as new."""
    found: Counter[int] = Counter()
    for lot in _lots(list(clusters)):
        rows = session.execute(
            select(Told.cluster_id, func.count(Contact.member_id.distinct()))
            .join(Letter, Letter.id == Told.letter_id)
            .join(Contact, Contact.id == Told.contact_id)
            .where(Told.cluster_id.in_(lot), Told.kind == Kind.NEW)
            .where(Letter.state == LetterState.ACCEPTED)
            .group_by(Told.cluster_id)
        )
        found.update(dict(rows.all()))
    return found


def _call(tender: Tender, revision: Revision, lexicon: Lexicon, members: int) -> SeenCall:
    classified = classify(facts_of([revision]), lexicon, least=THRESHOLD)
    return SeenCall(
        number=tender.number,
        title=revision.title,
        buyer=revision.buyer,
        municipality=revision.municipality,
        mrc=revision.mrc,
        region=revision.region,
        first_seen_at=tender.first_seen_at,
        closes_at=tender.closes_at,
        sectors=[one.sector for one in classified],
        members=members,
    )


def _most(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda one: (-one[1], one[0])))


def _lots(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _LOT] for start in range(0, len(ids), _LOT))
