"""The clusters: tenders of several sources that are one call, joined as they are read.

Reversible: `separate` takes a tender out for good. See sources.same_call for what is one call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, or_, select, text, update
from sqlalchemy.orm import Session

from sources import titles
from sources.same_call import Basis, Seen, same_call
from sources.tables import APART, Revision, Tender

#: Closed calls that a late source may still bring.
_PAST = timedelta(days=7)
#: Tenders asked for at once: SQLite takes at most 32,766 variables a statement.
_LOT = 1000


@dataclass(frozen=True, slots=True)
class _Row:
    tender_id: int
    cluster_id: int
    seen: Seen


@dataclass(slots=True)
class _Shelf:
    """Tenders by what one looks them up by."""

    rows: dict[tuple[str, object], list[_Row]] = field(default_factory=lambda: defaultdict(list))

    def put(self, row: _Row) -> None:
        for key in _keys(row.seen):
            self.rows[key].append(row)

    def near(self, seen: Seen) -> Iterator[_Row]:
        """Each tender that shares a key, once."""
        found = {row.tender_id: row for key in _keys(seen) for row in self.rows.get(key, ())}
        yield from found.values()


def _keys(seen: Seen) -> Iterator[tuple[str, object]]:
    yield "ocid", seen.ocid.lower()
    yield from (("number", number) for number in seen.mentioned)
    yield from (("item", item) for item in seen.items)
    if key := titles.buyer_key(seen.buyer):
        yield "buyer", key


def join(session: Session, source: str, tender_ids: Iterable[int], *, at: datetime) -> int:
    """Put those tenders of one source into the clusters of the same calls; how many moved.

    The older cluster keeps its id. A tender that fits two calls fits none, and by title alone a
    cluster takes one tender a source. A second call moves nothing. Reserved invitations stay
    alone: a public notice would hide one from members, or one show in what anybody reads.
    """
    ids = sorted(set(tender_ids))
    others = _rows(session, _known().where(Tender.source != source, _recent(at)))
    if not ids or not others:
        return 0
    shelf = _Shelf()
    for row in others:
        shelf.put(row)
    wanted: list[tuple[_Row, int, Basis]] = []
    for start in range(0, len(ids), _LOT):
        rows = _rows(session, _known().where(Tender.id.in_(ids[start : start + _LOT])))
        wanted += [(row, *found) for row in rows if (found := _found(row, shelf))]
    taken = [target for _, target, basis in wanted if basis is Basis.TITLE]
    full = _holding(session, source, taken)
    moved = 0
    for row, target, basis in wanted:
        if basis is not Basis.TITLE or (taken.count(target) == 1 and target not in full):
            moved += _merge(session, row, target, basis)
    return moved


def _found(row: _Row, shelf: _Shelf) -> tuple[int, Basis] | None:
    """The one cluster of the same call, other than its own."""
    bases: dict[int, Basis] = {}
    for other in shelf.near(row.seen):
        basis = same_call(row.seen, other.seen)
        if basis is not None and bases.get(other.cluster_id, Basis.TITLE) is Basis.TITLE:
            bases[other.cluster_id] = basis
    said = {cluster for cluster, basis in bases.items() if basis is not Basis.TITLE}
    clusters = said or set(bases)
    if len(clusters) != 1:
        return None
    target = clusters.pop()
    return None if target == row.cluster_id else (target, bases[target])


def _holding(session: Session, source: str, clusters: Iterable[int]) -> set[int]:
    """Which of those clusters have a tender of that source."""
    wanted = list(clusters)
    found: set[int] = set()
    for start in range(0, len(wanted), _LOT):
        lot = wanted[start : start + _LOT]
        rows = select(Tender.cluster_id).where(Tender.source == source, Tender.cluster_id.in_(lot))
        found.update(cluster for cluster in session.scalars(rows) if cluster is not None)
    return found


def _merge(session: Session, row: _Row, target: int, basis: Basis) -> int:
    kept, lost = sorted((row.cluster_id, target))
    session.execute(update(Tender).where(Tender.id == row.tender_id).values(cluster_basis=basis))
    moved = session.execute(
        update(Tender)
        .where(Tender.cluster_id == lost)
        .values(cluster_id=kept)
        .execution_options(synchronize_session=False)
    )
    return int(moved.rowcount > 0)  # type: ignore[attr-defined]


def separate(session: Session, tender_id: int) -> bool:
    """Take a tender out of its cluster for good; False where it is alone already.

    What was told under the cluster stays told: see alerts.ledger.
    """
    tender = session.get(Tender, tender_id)
    if tender is None:
        return False
    mates = session.scalars(
        select(Tender)
        .where(Tender.cluster_id == tender.cluster_id, Tender.id != tender.id)
        .order_by(Tender.id)
    ).all()
    tender.cluster_id, tender.cluster_basis = tender.id, Basis.APART
    for mate in mates:
        mate.cluster_id = mates[0].id
    session.flush()
    return bool(mates)


def names(session: Session, wanted: Iterable[int]) -> Select[int] | None:
    """All that those clusters, or what joined them since, were ever called; None: anything.

    A cluster is called by the id of one of its tenders, which stays with the others whatever joins
    them. Of what staff took apart nobody knows what it was called before.
    """
    apart = select(Tender.id).where(text(f"tender.{APART}")).limit(1)
    if session.scalar(apart) is not None:
        return None
    ids = list(wanted)
    return select(Tender.id).where(or_(Tender.id.in_(ids), Tender.cluster_id.in_(ids)))


def _known() -> Select[Tender, Revision]:
    return (
        select(Tender, Revision)
        .join(Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest))
        .where(Tender.cluster_basis != Basis.APART, Tender.visibility == "public")
        .order_by(Tender.id)
    )


def _recent(at: datetime) -> ColumnElement[bool]:
    return or_(Tender.closes_at.is_(None), Tender.closes_at > at - _PAST)


def _rows(session: Session, statement: Select[Tender, Revision]) -> list[_Row]:
    return [
        _Row(tender.id, tender.cluster_id or tender.id, seen(tender, revision))
        for tender, revision in session.execute(statement)
    ]


def seen(tender: Tender, revision: Revision) -> Seen:
    """A tender's row with its revision, as they are compared."""
    return Seen(
        source=tender.source,
        ocid=tender.ocid,
        number=tender.number,
        reference=revision.reference,
        title=revision.title,
        buyer=revision.buyer,
        closes_at=revision.closes_at,
        text=" ".join((revision.uri, *revision.documents, revision.description)),
    )
