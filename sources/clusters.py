"""When two notices are one call, seen in two sources: docs/decisions/0007.

Within one source two ocids are two calls, whatever their titles: that is its publisher's word.
Between sources the SEAO number decides where it is given; else the buyer, the closing moment and
the title. What stays doubtful stays apart: a call that is shown twice costs a minute, a call that
is hidden behind another costs a contract.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session

from sources import titles
from sources.tables import Revision, Tender

#: SEAO's ocids; the number follows.
_SEAO = "ocds-ec9k95-"
#: Of seven digits until 2024, then of eight beginning with 20.
_NUMBER = re.compile(r"(?<![\w-])(?:20\d{6}|1\d{6})(?![\w-])")
_ITEM = re.compile(r"ItemId=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_DATE = re.compile(r"20[12]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
#: How far from the word SEAO its number stands.
_NEAR = 80
#: Closing moments of one call, as two sources give them: where its number is said, where the
#: titles say the same word for word, where they differ by a typing error or are short.
_FAR, _CLOSE, _SAME = timedelta(days=45), timedelta(days=7), timedelta(days=1)
#: Titles of fewer words need the same closing moment.
_SHORT = 3
#: Closed calls that a late source may still bring.
_PAST = timedelta(days=7)
#: Tenders asked for at once: SQLite takes at most 32,766 variables a statement.
_LOT = 1000


class Basis(StrEnum):
    """Why a tender is in its cluster."""

    OCID = "ocid"  #: another source publishes the same ocid
    NUMBER = "number"  #: the SEAO number, or the address of its page
    TITLE = "title"  #: buyer, closing moment and title
    APART = "apart"  #: staff separated it: never joined again


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A call as one source shows it, reduced to what tells it from another."""

    source: str
    ocid: str
    #: The number the public knows it by.
    number: str
    #: The buyer's file number, or "".
    reference: str
    title: str
    buyer: str
    closes_at: datetime | None
    #: What else is published of it: description, links.
    text: str = ""

    @property
    def official(self) -> str:
        """The SEAO number where SEAO is the source, else ""."""
        return self.number if self.ocid.lower().startswith(_SEAO) else ""

    @property
    def mentioned(self) -> frozenset[str]:
        """The numbers that stand near the word SEAO."""
        if self.official:
            return frozenset({self.official})
        whole = f"{self.title} {self.text}"
        places = [m.start() for m in re.finditer("seao", whole, re.IGNORECASE)]
        return frozenset(
            found[0]
            for found in (_NUMBER.finditer(whole) if places else ())
            if any(abs(found.start() - place) <= _NEAR for place in places)
        )

    @property
    def items(self) -> frozenset[str]:
        """The ids in addresses of SEAO's pages."""
        return frozenset(found.lower() for found in _ITEM.findall(self.text))


def same_call(one: Seen, other: Seen) -> Basis | None:
    """Why two notices are one call; None where they are not, or where it stays doubtful."""
    if one.source == other.source:
        return None
    if one.ocid.lower() == other.ocid.lower() and one.ocid.lower().startswith("ocds-"):
        return Basis.OCID
    said = _by_number(one, other)
    if said is not None:
        apart = _apart(one, other)
        return Basis.NUMBER if said and (apart is None or apart <= _FAR) else None
    return Basis.TITLE if _by_title(one, other) else None


def _by_number(one: Seen, other: Seen) -> bool | None:
    """What SEAO's number or page says; None where it says nothing."""
    if one.official and other.official:
        return one.official == other.official
    ours, theirs = one.mentioned, other.mentioned
    if one.items and other.items:
        shared, several = one.items & other.items, max(len(one.items), len(other.items)) > 1
        return _by_title(one, other) if shared and several else bool(shared)
    if ours & theirs:
        several = max(len(ours), len(theirs)) > 1
        return _by_title(one, other) if several else True
    # A day written in eight digits looks like a number.
    certain = [{n for n in numbers if not _DATE.fullmatch(n)} for numbers in (ours, theirs)]
    given = [n or {s.official} - {""} for n, s in zip(certain, (one, other), strict=True)]
    return False if all(given) else None


def _by_title(one: Seen, other: Seen) -> bool:
    """Whether buyer, closing moment and title are the same; each must be known."""
    apart = _apart(one, other)
    if apart is None or apart > _CLOSE or not titles.same_buyer(one.buyer, other.buyer):
        return False
    numbers = tuple(filter(None, (one.reference, other.reference, one.number, other.number)))
    named = titles.buyer_words(one.buyer, other.buyer)
    found = titles.alike(
        titles.title(one.title, without=numbers),
        titles.title(other.title, without=numbers),
        named=named,
    )
    if found is None or _references_differ(one.reference, other.reference):
        return False
    if found.shared < _SHORT:
        return found.mistyped == 0 and apart == timedelta(0)
    return apart <= (_SAME if found.mistyped else _CLOSE) and found.mistyped <= found.shared // 3


def _references_differ(one: str, other: str) -> bool:
    """Whether both give a file number, and not the same."""
    ours, theirs = ("".join(c for c in r.casefold() if c.isalnum()) for r in (one, other))
    return min(len(ours), len(theirs)) >= 5 and ours != theirs


def _apart(one: Seen, other: Seen) -> timedelta | None:
    if one.closes_at is None or other.closes_at is None:
        return None
    return abs(one.closes_at - other.closes_at)


@dataclass(frozen=True, slots=True)
class _Row:
    tender_id: int
    cluster_id: int
    seen: Seen


@dataclass(slots=True)
class _Shelf:
    """Tenders by what one looks them up by, and which sources a cluster holds."""

    rows: dict[tuple[str, object], list[_Row]] = field(default_factory=lambda: defaultdict(list))
    sources: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def put(self, row: _Row) -> None:
        self.sources[row.cluster_id].add(row.seen.source)
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
    cluster takes one tender a source. A second call moves nothing.
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
    moved = 0
    for row, target, basis in wanted:
        if basis is not Basis.TITLE or taken.count(target) == 1:
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
    clusters = said or {c for c in bases if row.seen.source not in shelf.sources[c]}
    if len(clusters) != 1:
        return None
    target = clusters.pop()
    return None if target == row.cluster_id else (target, bases[target])


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


def _known() -> Select[Tender, Revision]:
    return (
        select(Tender, Revision)
        .join(Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest))
        .where(Tender.cluster_basis != Basis.APART)
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
