"""Documents that were kept, read once more with this version's readers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from base.database import Database
from sources import catalogue, readers
from sources.errors import SourceMalformed
from sources.intake import Counts
from sources.reasons import Reason
from sources.release import Release
from sources.shape import Hold, carried, closings
from sources.tables import Reading, Revision, Tender
from sources.visits import Document, Results, fill


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """One kept document, read again."""

    reading_id: int
    source: str
    name: str
    #: What it brought this time, of releases that were not stored.
    counts: Counts
    #: Why it is still refused, "" where it was read.
    fault: str = ""


def replay(database: Database, source: str = "", *, at: datetime) -> Iterator[Replayed]:
    """Read every kept document again, in the order of the readings, each in a transaction.

    With the same readers, nothing changes. Releases that a corrected reader can now read come in
    as of `at`; so does a document that was refused and can be read now, but not one that is held.
    """
    with database.read() as session:
        asked = select(Reading.id).where(Reading.document.is_not(None)).order_by(Reading.id)
        ids = session.scalars(asked.where(Reading.source == source) if source else asked).all()
    for reading_id in ids:
        with database.write() as session:
            replayed = _again(session, reading_id, at)
        if replayed is not None:
            yield replayed


def accept(database: Database, source: str, *, at: datetime) -> Replayed | None:
    """Take in the last document of a source that is held, as staff say that it is right.

    The next ones are compared with it. None where no document of that source is held.
    """
    with database.write() as session:
        reading = session.scalar(
            select(Reading)
            .where(Reading.source == source, Reading.held != "")
            .order_by(Reading.id.desc())
            .limit(1)
        )
        if reading is None or reading.document is None:
            return None
        session.execute(
            update(Reading)
            .where(Reading.source == source, Reading.held != "", Reading.id < reading.id)
            .values(held="")
            .execution_options(synchronize_session=False)
        )
        reading.held, reading.fault = "", ""
        return _again(session, reading.id, at)


def _again(session: Session, reading_id: int, at: datetime) -> Replayed | None:
    reading = session.get(Reading, reading_id)
    if reading is None or reading.document is None:
        return None
    document = _document(reading)
    if document is None:
        return None
    try:
        results: Results = list(readers.read(document.source, document.content))
    except SourceMalformed as error:
        return _replayed(reading, document, Counts(), fault=str(error.reason))
    if reading.held == Hold.CHANGED:
        return _replayed(reading, document, Counts(), fault=str(Reason.CHANGED_SHAPE))
    before = reading.counts
    reading.fault, reading.carried, reading.closings = "", carried(results), closings(results)
    unknown = _unknown(session, reading.source, results)
    counts = fill(session, reading, document, unknown, at, replayed=True)
    if before and not counts.changed:
        reading.counts = before
    return _replayed(reading, document, counts)


def _unknown(session: Session, source: str, results: Results) -> Results:
    """Without the releases that are stored.

    A reader that now cleans a title otherwise must not make it look as if the source had said two
    things, nor an old feed as if it had gone back to what it said.
    """
    stored = session.execute(
        select(Tender.ocid, Revision.release_id)
        .join(Revision, Revision.tender_id == Tender.id)
        .where(Tender.source == source)
    )
    known = {(ocid, release_id) for ocid, release_id in stored}
    return [
        one
        for one in results
        if not isinstance(one, Release) or (one.ocid, one.release_id) not in known
    ]


def _document(reading: Reading) -> Document | None:
    try:
        source = catalogue.found(reading.source)
    except KeyError:
        return None
    content = zlib.decompress(reading.document or b"")
    return Document(source=source, address=reading.address, content=content, sha256=reading.sha256)


def _replayed(reading: Reading, document: Document, counts: Counts, fault: str = "") -> Replayed:
    return Replayed(
        reading_id=reading.id,
        source=reading.source,
        name=document.name,
        counts=counts,
        fault=fault,
    )
