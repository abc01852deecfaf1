"""Releases into tenders and revisions: new, amended, cancelled, or nothing to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from sources import stored
from sources.amendments import Field, amendments
from sources.places import Directory, Place, place
from sources.release import Fault, PassedOver, Release, Status
from sources.stored import Known, Stated, material_hash
from sources.tables import Reading

#: A call first seen so long after its publication is history, and goes to staff …
OLD = timedelta(days=30)
#: … unless there is still so much time to answer it.
STILL_OPEN = timedelta(days=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What a reading brought. A release is counted in `open` and in what became of it."""

    releases: int = 0
    #: Calls that are open at the moment of the reading, known before or not.
    open: int = 0
    new: int = 0
    #: New ones that are seen too late to be news: for staff.
    backlog: int = 0
    #: Revisions of a known tender in which something material changed.
    amended: int = 0
    #: Known tenders that were cancelled.
    cancelled: int = 0
    #: Known tenders that are gone from two lists of all that is open.
    withdrawn: int = 0
    #: Known tenders of which the source said something else before, under the same release_id.
    conflicting: int = 0
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
        revised = self.amended + self.cancelled + self.withdrawn + self.conflicting
        return self.new + self.backlog + revised


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
    nothing; without a `release_id`, what is read later is later. Where two say different things
    under one `release_id`, both are kept, the one read last being the latest, and marked as
    conflicting. A call that closed before `at` or was cancelled is stored only where it is known.
    `reading` must have its id.
    """
    tally: Counter[str] = Counter()
    releases = sorted(_releases(results, tally), key=lambda release: release.release_id)
    # Of what is not ordered, a document says one thing of each call: what stands last in it.
    last = {release.ocid: release for release in releases}
    known = stored.known(session, reading.source, {release.ocid for release in releases})
    for release in releases:
        if not release.release_id and last[release.ocid] is not release:
            tally["passed_over"] += 1
            continue
        for kind in _taken(release, known, directory=directory, at=at):
            tally[kind] += 1
    stored.write(session, reading, known, at)
    return Counts(**tally)


def is_open(release: Release, at: datetime) -> bool:
    """Active, and not closed at `at`; one without a closing moment is open."""
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


def _taken(
    release: Release, known: dict[str, Known], *, directory: Directory, at: datetime
) -> Iterator[str]:
    """The counts that a release belongs to; its revision is added to `known`."""
    opened = is_open(release, at)
    before = known.get(release.ocid)
    if (before is None and not opened) or (before and release.release_id < before.release_id):
        yield "passed_over"
        return
    if opened:
        yield "open"
    where = _placed(release, directory)
    stated = Stated.of(release, where)
    revision = _revision(release, where, material_hash(stated))
    kind: str | None
    if before is None:
        before = known[release.ocid] = Known(first=release, backlog=_is_history(release, at))
        kind = "backlog" if before.backlog else "new"
    else:
        kind = _kind(before, release, stated, revision["material_hash"])
    if kind is not None:
        before.add(revision | {"conflicting": kind == "conflicting"}, stated)
    if kind or not opened:
        yield kind or "passed_over"


def _kind(before: Known, release: Release, stated: Stated, digest: str) -> str | None:
    """What a release of a known tender is; "" where nothing material changed, None: no revision."""
    same = release.release_id == before.release_id
    if same and release.release_id and before.status != Status.WITHDRAWN:
        return "conflicting" if _contradicts(before, stated, digest) else None
    revised = _revised(before, stated)
    return (revised or None) if same else revised


def _revised(before: Known, stated: Stated) -> str:
    if stated.status == Status.CANCELLED and before.status != Status.CANCELLED:
        return "cancelled"
    found = amendments(before.stated, stated) if before.stated else ()
    return "amended" if any(not one.typography for one in found) else ""


def _contradicts(before: Known, stated: Stated, digest: str) -> bool:
    """Whether the source now says under the same release_id what it did not say before.

    The place does not count: it is ours, and moves with the directory.
    """
    if digest in before.hashes or before.stated is None:
        return False
    return any(one.field is not Field.PLACE for one in amendments(before.stated, stated))


def _is_history(release: Release, at: datetime) -> bool:
    """Published long ago, and not open long enough to be worth a letter."""
    old = release.published_at is not None and at - release.published_at > OLD
    return old and not (release.closes_at and release.closes_at - at >= STILL_OPEN)


def _placed(release: Release, directory: Directory) -> Place:
    return place(
        directory,
        buyer=release.buyer,
        municipal=release.municipal,
        locality=release.locality,
        postal_code=release.postal_code,
    )


def _revision(release: Release, where: Place, digest: str) -> dict[str, Any]:
    return {
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
        "delivery_regions": list(release.delivery_regions),
        "closing_evidence": release.closing_evidence,
        "level": release.level.value if release.level else "",
    }
