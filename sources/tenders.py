"""What is known of tenders now: the open ones at their latest revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from sources import authority
from sources.release import Status
from sources.tables import Revision, Tender

#: Revisions asked for at once: SQLite takes at most 32,766 variables a statement.
_LOT = 1000


def open_at(session: Session, at: datetime) -> list[tuple[Tender, Revision]]:
    """Each tender that is active and not closed at `at`, with its latest revision.

    One without a closing moment counts as open, one of the search that the weekly file says is
    off does not. What was seen too late to be news is not there: see `backlog_at`. Reserved
    invitations are, so this is for active members only. Ordered by tender, oldest first.
    """
    found = session.execute(_open(at).where(Tender.backlog.is_(False)))
    return [(tender, revision) for tender, revision in found]


def open_of(
    session: Session, clusters: Iterable[int], at: datetime
) -> list[tuple[Tender, Revision]]:
    """As `open_at`, those of these clusters, the backlog included."""
    cluster = func.coalesce(Tender.cluster_id, Tender.id)
    found = session.execute(_open(at).where(cluster.in_(list(clusters))))
    return [(tender, revision) for tender, revision in found]


def open_revisions(session: Session, at: datetime) -> list[tuple[int, int]]:
    """As `open_at`, each tender's cluster and its latest revision's id, without their texts."""
    found = session.execute(
        _open(at)
        .where(Tender.backlog.is_(False))
        .with_only_columns(func.coalesce(Tender.cluster_id, Tender.id), Revision.id)
    )
    return [(cluster_id, revision_id) for cluster_id, revision_id in found]


def of_revisions(session: Session, revision_ids: Iterable[int]) -> list[tuple[Tender, Revision]]:
    """Those revisions with their tenders, ordered by tender, oldest first."""
    wanted = list(revision_ids)
    found: list[tuple[Tender, Revision]] = []
    for start in range(0, len(wanted), _LOT):
        lot = Revision.id.in_(wanted[start : start + _LOT])
        rows = session.execute(
            select(Tender, Revision).join(Revision, Revision.tender_id == Tender.id).where(lot)
        )
        found += [(tender, revision) for tender, revision in rows]
    return sorted(found, key=lambda one: one[0].id)


def closed_between(
    session: Session, start: datetime, end: datetime
) -> list[tuple[Tender, Revision]]:
    """As `open_at`, what was open at `start`, or came since, and has closed by `end`."""
    found = session.execute(
        _latest()
        .where(Tender.status == Status.ACTIVE, Tender.backlog.is_(False))
        .where(Tender.closes_at > start, Tender.closes_at <= end)
        .order_by(Tender.id)
    )
    return [(tender, revision) for tender, revision in found]


def backlog_at(session: Session, at: datetime) -> list[tuple[Tender, Revision]]:
    """As `open_at`, those that were seen too late to be news: staff decide about them."""
    found = session.execute(_open(at).where(Tender.backlog.is_(True)))
    return [(tender, revision) for tender, revision in found]


def open_by_source(session: Session, at: datetime) -> dict[str, set[int]]:
    """The calls of `open_at` by the sources that have them, each by its cluster."""
    cluster = func.coalesce(Tender.cluster_id, Tender.id)
    asked = _open(at).where(Tender.backlog.is_(False)).order_by(None)
    found: dict[str, set[int]] = {}
    for source, one in session.execute(asked.with_only_columns(Tender.source, cluster)):
        found.setdefault(source, set()).add(one)
    return found


def count_seen(session: Session, since: datetime, until: datetime) -> int:
    """How many calls were first seen in [since, until), each once whatever its sources."""
    cluster = func.coalesce(Tender.cluster_id, Tender.id)
    seen = select(func.count(cluster.distinct())).where(
        Tender.first_seen_at >= since, Tender.first_seen_at < until
    )
    return session.scalar(seen) or 0


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


def named(session: Session, key: str) -> list[list[int]]:
    """The tenders of each call that the public number or the ocid `key` names, oldest first.

    All the tenders of a cluster are there, whichever of them is named.
    """
    wanted, cluster = key.strip(), func.coalesce(Tender.cluster_id, Tender.id)
    clusters = select(cluster).where(or_(Tender.number == wanted, Tender.ocid == wanted))
    found: dict[int, list[int]] = {}
    rows = select(cluster, Tender.id).where(cluster.in_(clusters)).order_by(cluster, Tender.id)
    for cluster_id, tender_id in session.execute(rows):
        found.setdefault(cluster_id, []).append(tender_id)
    return list(found.values())


def histories(session: Session, tender_ids: Iterable[int]) -> list[tuple[Tender, Revision]]:
    """Every revision of those tenders, oldest first."""
    found = session.execute(
        select(Tender, Revision)
        .join(Revision, Revision.tender_id == Tender.id)
        .where(Tender.id.in_(list(tender_ids)))
        .order_by(Revision.seen_at, Tender.id, Revision.number)
    )
    return [(tender, revision) for tender, revision in found]


def offer(session: Session, tender_id: int) -> bool:
    """Let letters tell of a call of the backlog after all; False where it is not in it."""
    offered = session.scalar(
        update(Tender)
        .where(Tender.id == tender_id, Tender.backlog.is_(True))
        .values(backlog=False)
        .returning(Tender.id)
        .execution_options(synchronize_session=False)
    )
    return offered is not None


def reserved_at(session: Session, at: datetime) -> list[tuple[Tender, Revision]]:
    """As `open_at`, the reserved invitations alone."""
    found = session.execute(_open(at).where(Tender.visibility == "reserved"))
    return [(tender, revision) for tender, revision in found]


def _open(at: datetime) -> Select[Tender, Revision]:
    return (
        _latest()
        .where(Tender.status == Status.ACTIVE)
        .where(or_(Tender.closes_at.is_(None), Tender.closes_at > at))
        .where(~authority.is_overruled())
        .order_by(Tender.id)
    )


def _latest() -> Select[Tender, Revision]:
    return select(Tender, Revision).join(
        Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest)
    )
