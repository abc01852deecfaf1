"""Releases into tenders and revisions: new, amended, cancelled, or nothing to do."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from base.text import fold
from sources import clusters
from sources.places import Directory, Place, place
from sources.release import Fault, PassedOver, Release, Status
from sources.tables import Reading, Revision, Tender

#: Ocids asked for at once: SQLite takes at most 32,766 variables a statement.
_LOT = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What a reading brought. A release is counted in `open` and in what became of it."""

    releases: int = 0
    #: Calls that are open at the moment of the reading, known before or not.
    open: int = 0
    new: int = 0
    #: Revisions of a known tender in which something material changed.
    amended: int = 0
    #: Known tenders that were cancelled.
    cancelled: int = 0
    #: Awards, contracts, calls already closed, cancellations of what nobody was told of, releases
    #: older than what is known.
    passed_over: int = 0
    faults: int = 0

    def __add__(self, other: Counts) -> Counts:
        added = Counter(asdict(self))
        added.update(asdict(other))
        return Counts(**added)

    @property
    def changed(self) -> int:
        """Tenders that were stored or revised in something material."""
        return self.new + self.amended + self.cancelled


@dataclass(kw_only=True, slots=True)
class _Known:
    """A tender's row as it stands while its releases are taken in, and its revisions to write."""

    tender_id: int | None = None
    latest: int = 0
    release_id: str = ""
    material_hash: str = ""
    status: str = ""
    closes_at: datetime | None = None
    #: The release by which a new tender came; None for one that has a row.
    first: Release | None = None
    revisions: list[dict[str, Any]] = field(default_factory=list)


def take_in(
    session: Session,
    reading: Reading,
    results: Iterable[Release | Fault | PassedOver],
    *,
    directory: Directory,
    at: datetime,
) -> Counts:
    """Store what a document brought, in the caller's transaction; a second call stores nothing.

    Releases of one ocid are taken in the order of their `release_id`, whatever their order in the
    document; one that is older than what is stored is passed over, one that is the same changes
    nothing. A call that closed before `at` or was cancelled is stored only where it is known.
    `reading` must have its id.
    """
    tally: Counter[str] = Counter()
    releases = sorted(_releases(results, tally), key=lambda release: release.release_id)
    known = _known(session, reading.source, {release.ocid for release in releases})
    for release in releases:
        for kind in _taken(release, known, directory=directory, at=at):
            tally[kind] += 1
    _write(session, reading, known, at)
    return Counts(**tally)


def counted(results: Iterable[Release | Fault | PassedOver], at: datetime) -> Counts:
    """What a document holds that is not taken in, because it was before."""
    tally: Counter[str] = Counter()
    for release in _releases(results, tally):
        tally["open" if _is_open(release, at) else "passed_over"] += 1
    return Counts(**tally)


def _is_open(release: Release, at: datetime) -> bool:
    closed = release.closes_at is not None and release.closes_at <= at
    return release.status is Status.ACTIVE and not closed


def _releases(
    results: Iterable[Release | Fault | PassedOver], tally: Counter[str]
) -> Iterator[Release]:
    for result in results:
        tally["releases"] += 1
        match result:
            case Release():
                yield result
            case PassedOver():
                tally["passed_over"] += 1
            case Fault():
                tally["faults"] += 1


def _known(session: Session, source: str, ocids: set[str]) -> dict[str, _Known]:
    wanted = sorted(ocids)
    known: dict[str, _Known] = {}
    for start in range(0, len(wanted), _LOT):
        rows = session.execute(
            select(
                Tender.ocid,
                Tender.id,
                Tender.latest,
                Revision.release_id,
                Revision.material_hash,
                Tender.status,
                Tender.closes_at,
            )
            .join(Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest))
            .where(Tender.source == source, Tender.ocid.in_(wanted[start : start + _LOT]))
        )
        known |= {
            row.ocid: _Known(
                tender_id=row.id,
                latest=row.latest,
                release_id=row.release_id,
                material_hash=row.material_hash,
                status=row.status,
                closes_at=row.closes_at,
            )
            for row in rows
        }
    return known


def _taken(
    release: Release, known: dict[str, _Known], *, directory: Directory, at: datetime
) -> Iterator[str]:
    """The counts that a release belongs to; its revision is added to `known`."""
    is_open = _is_open(release, at)
    stored = known.get(release.ocid)
    if (stored is None and not is_open) or (stored and release.release_id < stored.release_id):
        yield "passed_over"
        return
    if is_open:
        yield "open"
    if stored and release.release_id == stored.release_id:
        if not is_open:
            yield "passed_over"
        return
    where = _placed(release, directory)
    digest = material_hash(release, where)
    if stored is None:
        yield "new"
        stored = known[release.ocid] = _Known(first=release)
    elif release.status is Status.CANCELLED and stored.status != Status.CANCELLED:
        yield "cancelled"
    elif digest != stored.material_hash:
        yield "amended"
    elif not is_open:
        yield "passed_over"
    stored.latest += 1
    stored.release_id, stored.material_hash = release.release_id, digest
    stored.status, stored.closes_at = release.status.value, release.closes_at
    stored.revisions.append(_revision(release, where, number=stored.latest, digest=digest))


def _placed(release: Release, directory: Directory) -> Place:
    return place(
        directory,
        buyer=release.buyer,
        municipal=release.municipal,
        locality=release.locality,
        postal_code=release.postal_code,
    )


def material_hash(release: Release, where: Place) -> str:
    """SHA-256 over what matters to a bidder; equal for a mere change of case or punctuation.

    What the source does not carry is absent from it, not empty: see docs/glossary.md.
    """
    material = {
        "title": fold(release.title),
        "buyer": fold(release.buyer),
        "closes_at": release.closes_at.astimezone(UTC).isoformat() if release.closes_at else "",
        "status": release.status.value,
        "place": [where.municipality, where.mrc, where.region] if where.region else "",
        "documents": sorted(release.documents),
    }
    carried = {key: value for key, value in material.items() if value}
    return hashlib.sha256(json.dumps(carried, sort_keys=True).encode()).hexdigest()


def _revision(release: Release, where: Place, *, number: int, digest: str) -> dict[str, Any]:
    return {
        "number": number,
        "release_id": release.release_id,
        "published_at": release.published_at,
        "changed_at": release.changed_at,
        "material_hash": digest,
        "status": release.status.value,
        "title": release.title,
        "buyer": release.buyer,
        "buyer_id": release.buyer_id,
        "reference": release.reference,
        "municipality": where.municipality,
        "mrc": where.mrc,
        "region": where.region,
        "place_basis": where.basis,
        "category": release.category.value if release.category else "",
        "procurement_method_details": release.procurement_method_details,
        "closes_at": release.closes_at,
        "items": [{"code": item.code, "label": item.label} for item in release.items],
        "description": release.description,
        "documents": list(release.documents),
        "uri": release.uri,
    }


def _write(session: Session, reading: Reading, known: dict[str, _Known], at: datetime) -> None:
    """New tenders, then the revisions, then the known tenders' present state."""
    new = {ocid: one for ocid, one in known.items() if one.tender_id is None}
    for ocid, tender_id in _created(session, reading.source, new, at).items():
        new[ocid].tender_id = tender_id
    changed = [one for one in known.values() if one.revisions]
    revisions = [
        {"tender_id": one.tender_id, "reading_id": reading.id, "seen_at": at, **revision}
        for one in changed
        for revision in one.revisions
    ]
    if revisions:
        session.execute(insert(Revision), revisions)
    if changed:
        session.execute(update(Tender), [_state(one) for one in changed])
        joined = [one.tender_id for one in changed if one.tender_id is not None]
        clusters.join(session, reading.source, joined, at=at)


def _created(session: Session, source: str, new: dict[str, _Known], at: datetime) -> dict[str, int]:
    """The new tenders' ids by their ocids, in the order in which they were published."""
    rows = [
        {
            "source": source,
            "ocid": ocid,
            "number": one.first.number,
            "first_seen_at": at,
            "latest": one.latest,
            "status": one.status,
            "closes_at": one.closes_at,
        }
        for ocid, one in new.items()
        if one.first is not None
    ]
    if not rows:
        return {}
    made = session.execute(insert(Tender).returning(Tender.ocid, Tender.id), rows)
    return {row.ocid: row.id for row in made}


def _state(one: _Known) -> dict[str, Any]:
    """A tender alone is its own cluster; a known one stays in the cluster it is in."""
    state = {
        "id": one.tender_id,
        "latest": one.latest,
        "status": one.status,
        "closes_at": one.closes_at,
    }
    return state | {"cluster_id": one.tender_id} if one.first else state
