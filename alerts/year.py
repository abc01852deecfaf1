"""A year of notices in memory, classified once: for the preview, and for looking up in French.

Kept by a process that serves pages. `refresh` reads only the revisions that came since; which
notices are open, and who may see them, is always asked of the database.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from alerts.calls import FIRST
from alerts.classification import NEARLY, THRESHOLD, Classified, Facts, Lexicon, classify
from alerts.matching import place_of
from alerts.words import passage
from sources.places import Place
from sources.release import Status
from sources.tables import Revision, Tender

SPAN = timedelta(days=365)
#: Revisions before the last one known that are asked for again: on PostgreSQL a transaction
#: may commit a lower number later.
_OVERLAP = 500
#: Revisions read and classified in one go.
_BATCH = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One call as its latest revision says, ready to be matched and looked up.

    SEAO's while that is active, as in letters (alerts.calls); else the source's that spoke last.
    """

    cluster_id: int
    source: str
    revision_id: int
    number: str
    published_at: datetime
    reserved: bool
    facts: Facts
    #: From classification.NEARLY on: those under THRESHOLD make near misses only.
    classified: tuple[Classified, ...]
    place: Place
    closes_at: datetime | None
    #: As its latest revision says; whether it is still so is asked of the tender's row.
    active: bool
    #: Of the title, buyer, place, labels and description, folded and cut to their stems.
    stems: frozenset[str]

    def is_of(self, sector: str) -> bool:
        """Whether it is told to who declared that sector."""
        return any(one.sector == sector and one.score >= THRESHOLD for one in self.classified)


class Year:
    """The calls of the last `SPAN`; one a process, shared by its threads."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.calls: dict[int, Kept] = {}
        self.by_sector: dict[str, set[int]] = defaultdict(set)
        self.by_stem: dict[str, set[int]] = defaultdict(set)
        #: The calls published after this moment are the year's; older ones are kept while open.
        self.since = datetime.min.replace(tzinfo=UTC)
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
            self.since = at - SPAN
            for old in list(self.calls.values()):
                if not _is_kept(old.published_at, old.closes_at, at, active=old.active):
                    self._drop(old)

    def _take_in(self, session: Session, revision_ids: list[int], at: datetime) -> None:
        rows = session.execute(
            select(
                *(getattr(Revision, name) for name in _COLUMNS),
                Tender.cluster_id,
                Tender.id.label("tender_id"),
                Tender.number,
                Tender.source,
                Tender.visibility,
                Tender.first_seen_at,
            )
            .join(Tender, Tender.id == Revision.tender_id)
            .where(Revision.id.in_(revision_ids))
            .order_by(Revision.id)
        )
        for row in rows:
            self._revisions.add(row.id)
            self._keep(row, row.published_at or row.first_seen_at, at)

    def _keep(self, row: Row[*tuple[Any, ...]], published_at: datetime, at: datetime) -> None:
        before = self.calls.get(row.cluster_id or row.tender_id)
        if before is not None:
            if before.source == FIRST != row.source and before.active:
                return
            self._drop(before)
        active = row.status == Status.ACTIVE
        if not _is_kept(published_at, row.closes_at, at, active=active):
            return
        facts, place = _facts(row), place_of(row)
        words = (facts.title, facts.buyer, *facts.labels, facts.description)
        kept = Kept(
            cluster_id=row.cluster_id or row.tender_id,
            source=row.source,
            revision_id=row.id,
            number=row.number,
            published_at=published_at,
            reserved=row.visibility != "public",
            facts=facts,
            classified=classify(facts, self.lexicon, least=NEARLY),
            place=place,
            closes_at=row.closes_at,
            active=active,
            stems=stems(*words, place.municipality, place.mrc),
        )
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
    "mrc", "region", "place_basis", "closes_at", "status",
    "delivery_regions",
)  # fmt: skip


def _is_kept(
    published_at: datetime, closes_at: datetime | None, at: datetime, *, active: bool
) -> bool:
    """Of the year, or still open."""
    return published_at > at - SPAN or (active and (closes_at is None or closes_at > at))


def _facts(row: Row[*tuple[Any, ...]]) -> Facts:
    return Facts(
        title=row.title,
        category=row.category,
        codes=tuple(item["code"] for item in row.items),
        labels=tuple(item["label"] for item in row.items),
        description=row.description,
        buyer=row.buyer,
    )


def stems(*texts: str) -> frozenset[str]:
    """The words of those texts as they are compared: «Déneigements» is «deneigement»."""
    return frozenset(word.stem for text in texts if text for word in passage(text).words)
