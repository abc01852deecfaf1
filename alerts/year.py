"""A year of notices in memory, classified once: for the preview, and for looking up in French.

Kept by a process that serves pages. `refresh` reads only the revisions that came since; which
notices are open, and who may see them, is always asked of the database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from alerts.classification import Classified, Facts, Lexicon, classify
from alerts.matching import place_of
from alerts.words import passage
from alerts.writing import facts_of
from sources.places import Place
from sources.tables import Revision, Tender

SPAN = timedelta(days=365)
#: Revisions before the last one known that are asked for again: on PostgreSQL a transaction
#: may commit a lower number later.
_OVERLAP = 500
#: Revisions read and classified in one go.
_BATCH = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One call as its latest revision says, ready to be matched and looked up."""

    cluster_id: int
    revision_id: int
    number: str
    published_at: datetime
    reserved: bool
    facts: Facts
    classified: tuple[Classified, ...]
    place: Place
    closes_at: datetime | None
    #: Of the title, buyer, place, labels and description, folded and cut to their stems.
    stems: frozenset[str]


class Year:
    """The calls of the last `SPAN`; one a process, shared by its threads."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.calls: dict[int, Kept] = {}
        self.by_sector: dict[str, set[int]] = defaultdict(set)
        self.by_stem: dict[str, set[int]] = defaultdict(set)
        self._revisions: set[int] = set()
        #: Held while the sets are read or changed.
        self.lock = Lock()

    def refresh(self, session: Session, at: datetime) -> None:
        """Take in the revisions that came since the last call; let the oldest calls go."""
        with self.lock:
            last = max(self._revisions, default=0) - _OVERLAP
            ids = session.scalars(
                select(Revision.id)
                .join(Tender, Tender.id == Revision.tender_id)
                .where(Revision.id > last, Revision.number == Tender.latest)
                .order_by(Revision.id)
            )
            new = [one for one in ids if one not in self._revisions]
            for start in range(0, len(new), _BATCH):
                self._take_in(session, new[start : start + _BATCH], at)
            for old in [k for k in self.calls.values() if k.published_at <= at - SPAN]:
                self._drop(old)

    def of_revisions(self, revision_ids: Iterable[int]) -> dict[int, Kept]:
        """What is kept of those revisions; one that is not the latest of its call is absent."""
        wanted = set(revision_ids)
        with self.lock:
            return {k.revision_id: k for k in self.calls.values() if k.revision_id in wanted}

    def _take_in(self, session: Session, revision_ids: list[int], at: datetime) -> None:
        rows = session.execute(
            select(
                *(getattr(Revision, name) for name in _COLUMNS),
                Tender.cluster_id,
                Tender.id.label("tender_id"),
                Tender.number,
                Tender.visibility,
                Tender.first_seen_at,
            )
            .join(Tender, Tender.id == Revision.tender_id)
            .where(Revision.id.in_(revision_ids))
            .order_by(Revision.id)
        )
        for row in rows:
            self._revisions.add(row.id)
            published = row.published_at or row.first_seen_at
            if published > at - SPAN:
                self._keep(row, published)

    def _keep(self, row: Row[*tuple[Any, ...]], published_at: datetime) -> None:
        facts, place = facts_of(row), place_of(row)
        kept = Kept(
            cluster_id=row.cluster_id or row.tender_id,
            revision_id=row.id,
            number=row.number,
            published_at=published_at,
            reserved=row.visibility != "public",
            facts=facts,
            classified=classify(facts, self.lexicon),
            place=place,
            closes_at=row.closes_at,
            stems=stems(
                facts.title,
                facts.buyer,
                *facts.labels,
                facts.description,
                place.municipality,
                place.mrc,
            ),
        )
        before = self.calls.get(kept.cluster_id)
        if before is not None:
            self._drop(before)
        self.calls[kept.cluster_id] = kept
        for one in kept.classified:
            self.by_sector[one.sector].add(kept.cluster_id)
        for stem in kept.stems:
            self.by_stem[stem].add(kept.cluster_id)

    def _drop(self, old: Kept) -> None:
        self.calls.pop(old.cluster_id, None)
        for one in old.classified:
            self.by_sector[one.sector].discard(old.cluster_id)
        for stem in old.stems:
            self.by_stem[stem].discard(old.cluster_id)


_COLUMNS = (
    "id", "published_at", "title", "buyer", "category", "items", "description", "municipality",
    "mrc", "region", "place_basis", "closes_at",
)  # fmt: skip


def stems(*texts: str) -> frozenset[str]:
    """The words of those texts as they are compared: «Déneigements» is «deneigement»."""
    return frozenset(word.stem for text in texts if text for word in passage(text).words)
