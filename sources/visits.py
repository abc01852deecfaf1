"""Visits to sources, written down: a document taken in, known already, or refused."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from base.database import Database
from sources import absences, places, readers, weeks
from sources.catalogue import Access, Source
from sources.errors import SourceError
from sources.intake import Counts, take_in
from sources.reasons import Reason
from sources.release import Fault, PassedOver, Release
from sources.shape import Hold, carried, closings, hold
from sources.tables import Reading

Results = list[Release | Fault | PassedOver]

#: Faults of single releases kept with a reading: enough to see what is wrong.
_FAULTS_KEPT = 1000
#: Earlier documents that one is compared with.
_COMPARED = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What a visit brought; `content` is empty where it brought nothing."""

    source: Source
    #: The address, or the file's name.
    address: str
    content: bytes = b""
    sha256: str = ""
    etag: str = ""
    last_modified: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether staff gave it as a file: it may be an excerpt."""
        return "://" not in self.address

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.address.rpartition("/")[2] or self.address


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one document."""

    #: The file's name.
    name: str
    counts: Counts = field(default_factory=Counts)
    #: The releases that could not be read.
    faults: tuple[Fault, ...] = ()
    #: True where this very document had been read; `counts` then say what it holds, and are 0
    #: where the source answered that it has nothing newer.
    unchanged: bool = False
    #: Why the whole document was refused, "" where it was read; see sources.reasons.
    fault: str = ""
    #: A sources.shape.Hold where it is not what its source usually brings, else "".
    held: str = ""


def last_read(session: Session, document: Document, at: datetime) -> Reading | None:
    """The last reading of that address that was not refused, or is held, at `at` or before."""
    return session.scalar(
        select(Reading)
        .where(Reading.source == document.source.key, Reading.address == document.address)
        .where(or_(Reading.fault == "", Reading.held != ""), Reading.at <= at)
        .order_by(Reading.id.desc())
        .limit(1)
    )


def known(session: Session, document: Document, at: datetime) -> Reading | None:
    """A reading of that very content, from any address, at `at` or before.

    One read after `at` does not count: calls that were closed then may be open at `at`. Where the
    releases are not ordered, only the last reading of that address does: a feed may go back to
    what it said.
    """
    asked = (
        select(Reading)
        .where(Reading.source == document.source.key, Reading.fault == "", Reading.at <= at)
        .order_by(Reading.id.desc())
        .limit(1)
    )
    same = session.scalar(asked.where(Reading.sha256 == document.sha256))
    if same is None or not same.carried.get("unordered"):
        return same
    last = session.scalar(asked.where(Reading.address == document.address))
    return last if last and last.sha256 == document.sha256 else None


def unchanged(session: Session, document: Document, at: datetime) -> Outcome | None:
    """The outcome for a document that had been read: what it holds at `at`, and nothing new.

    None where it was not.
    """
    same = known(session, document, at)
    if same is None:
        return None
    _remember(session, document, same)
    now, releases = at.timestamp(), same.carried.get("releases", 0)
    opened = sum(not closing or closing > now for closing in same.closings)
    faults = same.carried.get("faults", 0)
    passed_over = releases - opened - faults
    counts = Counts(releases=releases, open=opened, faults=faults, passed_over=passed_over)
    kept = tuple(
        Fault(document.source.key, one["position"], one["ocid"], one["reason"])
        for one in same.faults
    )
    return Outcome(name=document.name, counts=counts, faults=kept, unchanged=True)


def refuse(database: Database, document: Document, error: SourceError, at: datetime) -> Outcome:
    """Write down a visit that came to nothing, and change nothing else.

    The same damaged document, met again, is not written down again.
    """
    with database.write() as session:
        if not _refused_before(session, document):
            session.add(_reading(document, at, fault=str(error.reason)))
    return Outcome(name=document.name, fault=str(error.reason))


def _refused_before(session: Session, document: Document) -> bool:
    last = session.scalar(
        select(Reading)
        .where(Reading.source == document.source.key, Reading.address == document.address)
        .order_by(Reading.id.desc())
        .limit(1)
    )
    return bool(document.sha256 and last and last.sha256 == document.sha256 and last.fault)


def store(
    database: Database,
    document: Document,
    results: Results,
    at: datetime,
) -> Outcome:
    """Take a document in, in one transaction; one that is known by now writes nothing.

    One that is not of the shape of those before it is kept and not taken in; of one that is half
    as large, only what it says counts, not what is missing from it: see sources.shape.
    """
    with database.write() as session:
        return store_in(session, new_reading(document, at, results), document, results, at)


def new_reading(document: Document, at: datetime, results: Results) -> Reading:
    """The row of a document that could be read, not stored yet."""
    reading = _reading(document, at)
    reading.carried, reading.closings = carried(results), closings(results)
    return reading


def store_in(
    session: Session, reading: Reading, document: Document, results: Results, at: datetime
) -> Outcome:
    """As `store`, in the caller's transaction."""
    _alone(session)
    same = unchanged(session, document, at)
    if same:
        return same
    held = compared(session, document, reading.carried, at)
    reading.held = held or ""
    if held is Hold.CHANGED:
        reading.fault = str(Reason.CHANGED_SHAPE)
        if not _refused_before(session, document):
            session.add(reading)
        return Outcome(name=document.name, fault=reading.fault, held=reading.held)
    session.add(reading)
    session.flush()
    counts = fill(session, reading, document, results, at)
    return Outcome(name=document.name, counts=counts, faults=_faults(results), held=reading.held)


def fill(
    session: Session,
    reading: Reading,
    document: Document,
    results: Results,
    at: datetime,
    *,
    replayed: bool = False,
) -> Counts:
    """Take in what a document says, and write in its reading what it brought.

    One that is `replayed` says nothing of what is missing from it: much has come since.
    """
    reading.faults = [
        {"position": fault.position, "ocid": fault.ocid, "reason": fault.reason}
        for fault in _faults(results)[:_FAULTS_KEPT]
    ]
    counts = take_in(session, reading, results, directory=places.load(), at=at)
    if counts.new:
        counts += _caught_up(session, reading, document, at)
    lists_all = document.source.complete_at(document.address)
    if lists_all and not reading.held and not replayed:
        withdrawn = absences.conclude(session, reading, results, at=at)
        reading.held = Hold.SHRUNKEN if withdrawn is None else ""
        counts += Counts(withdrawn=withdrawn or 0)
    reading.counts = asdict(counts)
    return counts


def compared(
    session: Session, document: Document, now: dict[str, int], at: datetime
) -> Hold | None:
    """Whether a document is held, by those of its source that came before it."""
    source = document.source
    asked = (
        select(Reading.carried, Reading.held)
        .where(Reading.source == source.key, Reading.fault == "")
        .where(Reading.at <= at, Reading.sha256 != "")
        .order_by(Reading.id.desc())
        .limit(_COMPARED)
    )
    if source.access is not Access.CKAN:
        asked = asked.where(Reading.address == document.address)
    if not document.by_hand:
        asked = asked.where(Reading.address.contains("://"))
    before = [(one, held) for one, held in session.execute(asked) if one]
    return hold(
        now,
        before[0][0] if before else None,
        [one["releases"] for one, held in before if not held],
        expected=0 if document.by_hand else source.expected_at(document.address),
    )


def _faults(results: Results) -> tuple[Fault, ...]:
    return tuple(result for result in results if isinstance(result, Fault))


def _reading(document: Document, at: datetime, fault: str = "") -> Reading:
    return Reading(
        source=document.source.key,
        at=at,
        address=document.address[:2048],
        etag=document.etag,
        last_modified=document.last_modified,
        sha256=document.sha256,
        document=zlib.compress(document.content, 1) if document.content else None,
        fault=fault,
    )


def _alone(session: Session) -> None:
    """Let no other reading be written until the end of this transaction."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE reading IN SHARE ROW EXCLUSIVE MODE"))


def _remember(session: Session, document: Document, same: Reading) -> None:
    """Keep the new validators of a known content, so that it is not asked for every hour."""
    asked = (document.address, document.etag, document.last_modified)
    if any(asked[1:]) and asked != (same.address, same.etag, same.last_modified):
        again = _reading(replace(document, content=b""), same.at)
        again.counts, again.faults = same.counts, same.faults
        again.carried, again.closings = same.carried, same.closings
        session.add(again)


def _caught_up(session: Session, reading: Reading, document: Document, at: datetime) -> Counts:
    """What later weeks, read before this one, say of its calls: they may be cancelled since."""
    days = weeks.period(document.name)
    if days is None:
        return Counts()
    others = session.scalars(
        select(Reading)
        .where(Reading.source == reading.source, Reading.id != reading.id)
        .where(Reading.fault == "", Reading.document.is_not(None))
        .order_by(Reading.id)
    )
    counts = Counts()
    for other in others:
        period = weeks.period(other.address)
        if period and period[1] > days[1] and other.document:
            results = readers.read(document.source, zlib.decompress(other.document))
            later = take_in(session, other, results, directory=places.load(), at=at)
            counts += replace(later, releases=0, open=0, passed_over=0, faults=0)
    return counts
