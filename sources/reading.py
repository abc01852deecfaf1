"""The story of a reading: a file, a folder or a CKAN dataset in, tenders and revisions stored."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from base.clock import quebec_day
from base.database import Database
from sources import catalogue, ckan, fetch
from sources.catalogue import Source
from sources.errors import SourceError, SourceMalformed
from sources.fetch import LIMITS, Limits, Unchanged
from sources.package import LARGEST
from sources.reasons import Reason, parted
from sources.visits import Document, Outcome, Results, known, last_read, refuse, store, unchanged

__all__ = ["TRIES", "WEEKS", "Outcome", "documents", "read_ckan", "read_path"]

#: How far back the dataset is read, in weeks: it holds years, and few calls are open so long.
WEEKS = 9
#: Downloads from CKAN are now and then cut short; the next one is whole.
TRIES = 3
_DAMAGED = frozenset({Reason.NOT_JSON, Reason.WRONG_SIZE, Reason.EMPTY})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asking:
    """How the network is asked."""

    source: Source
    contact: str
    limits: Limits
    loopback: bool
    #: Seconds before a document that came damaged is asked for again.
    wait: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """A document and what it holds (None where it is unchanged), or why there is none."""

    document: Document
    results: Results | None = None
    error: SourceError | None = None

    @property
    def damaged(self) -> bool:
        """Whether asking once more may help."""
        return self.error is not None and parted(self.error.reason)[0] in _DAMAGED


def documents(path: Path) -> list[Path]:
    """The file itself, or the folder's JSON files in the order of the days in their names.

    Raises OSError where there is nothing at `path` or the folder cannot be listed.
    """
    if not path.is_dir():
        path.stat()
        return [path]
    found = [one for one in path.iterdir() if one.suffix.casefold() == ".json"]
    return sorted(found, key=lambda one: (ckan.period(one.name) or (date.min,) * 2, one.name))


def read_path(
    database: Database, path: Path, *, source: str = "seao", at: datetime
) -> list[Outcome]:
    """Read a file, or each JSON file of a folder, each in its own transaction.

    A document that was read before `at` is not read again and writes nothing. One that is refused
    leaves a `reading` row with its fault and changes nothing else. Raises OSError as `documents`.
    """
    origin = catalogue.load()[source]
    return [_read_file(database, origin, one, at) for one in documents(path)]


def read_ckan(
    database: Database,
    package_url: str,
    *,
    at: datetime,
    contact: str = "",
    source: str = "seao",
    weeks: int = WEEKS,
    limits: Limits = LIMITS,
    loopback: bool = False,
    wait: float = 2,
) -> list[Outcome]:
    """Read the weekly files of a CKAN dataset that end within `weeks` before `at`, oldest first.

    Asks only for what is newer than what was read; a second call on an unchanged dataset writes
    nothing. What is unreachable or refused is an outcome with its `fault` and a `reading` row, and
    does not keep the other files from being read. No transaction is open while the network is
    waited for. `loopback` is for tests: see sources.fetch.get.
    """
    origin = catalogue.load()[source]
    asking = _Asking(source=origin, contact=contact, limits=limits, loopback=loopback, wait=wait)
    listing = Document(source=origin, address=package_url)
    try:
        came = _download(asking, listing)
        listed = ckan.weekly(source, came.content if came else b"")
    except SourceError as error:
        return [refuse(database, listing, error, at)]
    since = quebec_day(at) - timedelta(weeks=weeks)
    return [_visit(database, asking, one.url, at) for one in listed if one.last >= since]


def _read_file(database: Database, source: Source, path: Path, at: datetime) -> Outcome:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        return Outcome(name=path.name, fault=Reason.UNREADABLE.of(error.strerror))
    if len(content) > LARGEST:
        large = SourceMalformed(source.key, Reason.TOO_LARGE.of(f"> {LARGEST}"))
        return refuse(database, Document(source=source, address=path.name), large, at)
    digest = hashlib.sha256(content).hexdigest()
    document = Document(source=source, address=path.name, content=content, sha256=digest)
    answer = _parsed(document)
    if answer.error:
        return refuse(database, document, answer.error, at)
    with database.read() as session:
        same = known(session, document, at)
    results = answer.results or []
    return unchanged(document, results, at) if same else store(database, document, results, at)


def _visit(database: Database, asking: _Asking, url: str, at: datetime) -> Outcome:
    """Ask for one weekly file, and take it in where it is new."""
    wanted = Document(source=asking.source, address=url)
    with database.read() as session:
        before = last_read(session, wanted, at)
    if before:
        wanted = replace(wanted, etag=before.etag, last_modified=before.last_modified)
    answer = _ask(asking, wanted)
    for _ in range(TRIES - 1):
        if answer.damaged:
            time.sleep(asking.wait)
            answer = _ask(asking, wanted)
    if answer.error:
        return refuse(database, answer.document, answer.error, at)
    if answer.results is not None:
        return store(database, answer.document, answer.results, at)
    return Outcome(name=wanted.name, unchanged=True)


def _ask(asking: _Asking, wanted: Document) -> _Answer:
    try:
        document = _download(asking, wanted)
    except SourceError as error:
        return _Answer(document=replace(wanted, etag="", last_modified=""), error=error)
    return _parsed(document) if document else _Answer(document=wanted)


def _download(asking: _Asking, wanted: Document) -> Document | None:
    """The document at that address; None where it is unchanged."""
    answer = fetch.get(
        asking.source.key,
        wanted.address,
        etag=wanted.etag,
        last_modified=wanted.last_modified,
        contact=asking.contact,
        limits=asking.limits,
        loopback=asking.loopback,
    )
    if isinstance(answer, Unchanged):
        return None
    with answer.file:
        return replace(
            wanted,
            content=answer.file.read(),
            sha256=answer.sha256,
            etag=answer.etag,
            last_modified=answer.last_modified,
        )


def _parsed(document: Document) -> _Answer:
    try:
        return _Answer(document=document, results=list(document.source.reader(document.content)))
    except SourceMalformed as error:
        return _Answer(document=document, error=error)
