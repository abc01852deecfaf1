"""Tenders as they stand in the database while a document is taken in, read and written in bulk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.orm import Session

from base.text import fold
from sources import clusters
from sources.places import Place
from sources.release import Release
from sources.tables import Reading, Revision, Tender

#: The source of what municipalities hand to the co-op directly; its tenders are reserved.
RESERVED = "invitations"
#: Ocids asked for at once: SQLite takes at most 32,766 variables a statement.
_LOT = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Stated:
    """What a revision says of what matters to a bidder; see sources.amendments.Said."""

    title: str
    buyer: str
    status: str
    closes_at: datetime | None
    municipality: str
    mrc: str
    region: str
    documents: tuple[str, ...]

    @classmethod
    def of(cls, release: Release, where: Place) -> Self:
        """What a release says, its buyer being placed."""
        return cls(
            title=release.title,
            buyer=release.buyer,
            status=release.status.value,
            closes_at=release.closes_at,
            municipality=where.municipality,
            mrc=where.mrc,
            region=where.region,
            documents=release.documents,
        )

    def ended(self, status: str) -> Self:
        """The same, with another status."""
        return replace(self, status=status)


def material_hash(stated: Stated) -> str:
    """SHA-256 over what matters to a bidder; equal for a mere change of case or punctuation.

    What the source does not carry is absent from it, not empty: see docs/glossary.md.
    """
    place = [stated.municipality, stated.mrc, stated.region] if stated.region else ""
    material = {
        "title": fold(stated.title),
        "buyer": fold(stated.buyer),
        "closes_at": stated.closes_at.astimezone(UTC).isoformat() if stated.closes_at else "",
        "status": stated.status,
        "place": place,
        "documents": sorted(stated.documents),
    }
    carried = {key: value for key, value in material.items() if value}
    return hashlib.sha256(json.dumps(carried, sort_keys=True).encode()).hexdigest()


@dataclass(kw_only=True, slots=True)
class Known:
    """A tender's row as it stands while its releases are taken in, and its revisions to write."""

    tender_id: int | None = None
    latest: int = 0
    release_id: str = ""
    stated: Stated | None = None
    #: The material hashes of all revisions under `release_id`.
    hashes: set[str] = field(default_factory=set)
    status: str = ""
    closes_at: datetime | None = None
    missed: bool = False
    #: The release by which a new tender came; None for one that has a row.
    first: Release | None = None
    backlog: bool = False
    revisions: list[dict[str, Any]] = field(default_factory=list)

    def add(self, revision: Mapping[str, Any], stated: Stated) -> None:
        """One more revision, which becomes the latest.

        A closing moment that is not carried any more is the last one that was: what has none
        would stay open for ever.
        """
        if revision["release_id"] != self.release_id:
            self.hashes = set()
        self.hashes.add(revision["material_hash"])
        self.latest += 1
        self.release_id, self.stated = revision["release_id"], stated
        self.status, self.closes_at = stated.status, stated.closes_at or self.closes_at
        self.revisions.append({**revision, "number": self.latest})


def known(session: Session, source: str, ocids: Iterable[str]) -> dict[str, Known]:
    """The tenders of that source with those ocids, by ocid."""
    wanted = sorted(ocids)
    found: dict[str, Known] = {}
    for start in range(0, len(wanted), _LOT):
        lot = Tender.ocid.in_(wanted[start : start + _LOT])
        rows = session.execute(_latest().where(Tender.source == source, lot)).all()
        found |= {row.ocid: _of(row) for row in rows}
        _hashed(session, [row.id for row in rows if row.latest > 1], found)
    return found


def _latest() -> Select[*tuple[Any, ...]]:
    return select(
        Tender.ocid,
        Tender.id,
        Tender.latest,
        Tender.status,
        Tender.closes_at,
        Tender.missed_at,
        Revision.release_id,
        Revision.material_hash,
        Revision.title,
        Revision.buyer,
        Revision.closes_at.label("stated_closes_at"),
        Revision.municipality,
        Revision.mrc,
        Revision.region,
        Revision.documents,
    ).join(Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest))


def _of(row: Row[Any]) -> Known:
    stated = Stated(
        title=row.title,
        buyer=row.buyer,
        status=row.status,
        closes_at=row.stated_closes_at,
        municipality=row.municipality,
        mrc=row.mrc,
        region=row.region,
        documents=tuple(row.documents),
    )
    return Known(
        tender_id=row.id,
        latest=row.latest,
        release_id=row.release_id,
        stated=stated,
        hashes={row.material_hash},
        status=row.status,
        closes_at=row.closes_at,
        missed=row.missed_at is not None,
    )


def _hashed(session: Session, tender_ids: list[int], found: Mapping[str, Known]) -> None:
    """Add the hashes of the earlier revisions that came under the same release_id."""
    if not tender_ids:
        return
    by_id = {one.tender_id: one for one in found.values()}
    rows = session.execute(
        select(Revision.tender_id, Revision.release_id, Revision.material_hash).where(
            Revision.tender_id.in_(tender_ids)
        )
    )
    for tender_id, release_id, digest in rows:
        if by_id[tender_id].release_id == release_id:
            by_id[tender_id].hashes.add(digest)


def write(session: Session, reading: Reading, tenders: Mapping[str, Known], at: datetime) -> None:
    """New tenders, then the revisions, then the known tenders' present state."""
    new = {ocid: one for ocid, one in tenders.items() if one.tender_id is None}
    for ocid, tender_id in _created(session, reading.source, new, at).items():
        new[ocid].tender_id = tender_id
    changed = [one for one in tenders.values() if one.revisions]
    revisions = list(_revisions(reading, changed, at))
    if revisions:
        session.execute(insert(Revision), revisions)
        session.execute(update(Tender), [_state(one) for one in changed])
        joined = [one.tender_id for one in changed if one.tender_id is not None]
        clusters.join(session, reading.source, joined, at=at)


def _revisions(reading: Reading, changed: list[Known], at: datetime) -> Iterator[dict[str, Any]]:
    for one in changed:
        for revision in one.revisions:
            yield {"tender_id": one.tender_id, "reading_id": reading.id, "seen_at": at, **revision}


def _created(
    session: Session, source: str, new: Mapping[str, Known], at: datetime
) -> dict[str, int]:
    """The new tenders' ids by their ocids, in the order in which they were published."""
    rows = [
        {
            "source": source,
            "ocid": ocid,
            "number": one.first.number,
            "visibility": "reserved" if source == RESERVED else "public",
            "first_seen_at": at,
            "latest": one.latest,
            "status": one.status,
            "closes_at": one.closes_at,
            "backlog": one.backlog,
        }
        for ocid, one in new.items()
        if one.first is not None
    ]
    if not rows:
        return {}
    made = session.execute(insert(Tender).returning(Tender.ocid, Tender.id), rows)
    return {row.ocid: row.id for row in made}


def _state(one: Known) -> dict[str, Any]:
    """A tender alone is its own cluster; a known one stays in the cluster it is in."""
    state = {
        "id": one.tender_id,
        "latest": one.latest,
        "status": one.status,
        "closes_at": one.closes_at,
        "missed_at": None,
    }
    return state | {"cluster_id": one.tender_id} if one.first else state
