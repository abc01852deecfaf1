"""Visits to sources, written down: a document taken in, known already, or refused."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from base.database import Database
from sources import ckan, places
from sources.catalogue import Source
from sources.errors import SourceError
from sources.intake import Counts, counted, take_in
from sources.release import Fault, PassedOver, Release
from sources.tables import Reading

Results = list[Release | Fault | PassedOver]

#: Faults of single releases kept with a reading: enough to see what is wrong.
_FAULTS_KEPT = 1000


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


def last_read(session: Session, document: Document, at: datetime) -> Reading | None:
    """The last reading of that address that was not refused, at `at` or before."""
    return session.scalar(
        select(Reading)
        .where(Reading.source == document.source.key, Reading.address == document.address)
        .where(Reading.fault == "", Reading.at <= at)
        .order_by(Reading.id.desc())
        .limit(1)
    )


def known(session: Session, document: Document, at: datetime) -> Reading | None:
    """A reading of that very content, from any address, at `at` or before.

    One read after `at` does not count: calls that were closed then may be open at `at`.
    """
    return session.scalar(
        select(Reading)
        .where(Reading.source == document.source.key, Reading.sha256 == document.sha256)
        .where(Reading.fault == "", Reading.at <= at)
        .order_by(Reading.id.desc())
        .limit(1)
    )


def unchanged(document: Document, results: Results, at: datetime) -> Outcome:
    """The outcome for a document that had been read: what it holds, and nothing new."""
    counts = counted(results, at)
    return Outcome(name=document.name, counts=counts, faults=_faults(results), unchanged=True)


def refuse(database: Database, document: Document, error: SourceError, at: datetime) -> Outcome:
    """Write down a visit that came to nothing, and change nothing else.

    The same damaged document, met again, is not written down again.
    """
    with database.write() as session:
        last = session.scalar(
            select(Reading)
            .where(Reading.source == document.source.key, Reading.address == document.address)
            .order_by(Reading.id.desc())
            .limit(1)
        )
        again = document.sha256 and last and last.sha256 == document.sha256 and last.fault
        if not again:
            session.add(_reading(document, at, fault=str(error.reason)))
    return Outcome(name=document.name, fault=str(error.reason))


def store(
    database: Database,
    document: Document,
    results: Results,
    at: datetime,
) -> Outcome:
    """Take a document in, in one transaction; one that is known by now writes nothing."""
    reading = _reading(document, at)
    faults = _faults(results)
    reading.faults = [
        {"position": fault.position, "ocid": fault.ocid, "reason": fault.reason}
        for fault in faults[:_FAULTS_KEPT]
    ]
    with database.write() as session:
        _alone(session)
        same = known(session, document, at)
        if same:
            _remember(session, document, same)
            return unchanged(document, results, at)
        session.add(reading)
        session.flush()
        counts = take_in(session, reading, results, directory=places.load(), at=at)
        if counts.new:
            counts += _caught_up(session, reading, document, at)
        reading.counts = asdict(counts)
    return Outcome(name=document.name, counts=counts, faults=faults)


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
        session.add(again)


def _caught_up(session: Session, reading: Reading, document: Document, at: datetime) -> Counts:
    """What later weeks, read before this one, say of its calls: they may be cancelled since."""
    days = ckan.period(document.name)
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
        period = ckan.period(other.address)
        if period and period[1] > days[1] and other.document:
            results = document.source.reader(zlib.decompress(other.document))
            later = take_in(session, other, results, directory=places.load(), at=at)
            counts += Counts(new=later.new, amended=later.amended, cancelled=later.cancelled)
    return counts
