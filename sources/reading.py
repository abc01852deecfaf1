"""The story of a reading: a file, a folder or an address in, tenders and revisions stored."""

from __future__ import annotations

import hashlib
import time
import zlib
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from base.clock import quebec_day
from base.database import Database
from sources import catalogue, ckan, fetch, readers, seao_pages, weeks
from sources.catalogue import Access, Address, Source
from sources.errors import SourceError, SourceMalformed
from sources.fetch import LIMITS, Limits, Unchanged
from sources.package import LARGEST
from sources.reasons import Reason, parted
from sources.stored import RESERVED
from sources.visits import Document, Outcome, Results, last_read, refuse, store, unchanged

__all__ = ["TRIES", "WEEKS", "Network", "Outcome", "documents", "read_address", "read_path"]

#: How far back the dataset is read, in weeks: it holds years, and few calls are open so long.
WEEKS = 9
#: Downloads from CKAN are now and then cut short; the next one is whole.
TRIES = 3
_DAMAGED = frozenset({Reason.NOT_JSON, Reason.WRONG_SIZE, Reason.EMPTY})


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """How the network is asked."""

    #: Named to publishers, so that they can reach us.
    contact: str = ""
    limits: Limits = LIMITS
    #: For tests: see sources.fetch.get.
    loopback: bool = False
    #: Seconds before a document that came damaged is asked for again.
    wait: float = 2


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
    return sorted(found, key=lambda one: (weeks.period(one.name) or (date.min,) * 2, one.name))


def read_path(
    database: Database, path: Path, *, source: str = "seao", at: datetime
) -> list[Outcome]:
    """Read a file, or each JSON file of a folder, each in its own transaction.

    A document that was read before `at` is not read again and writes nothing. One that is refused
    leaves a `reading` row with its fault and changes nothing else. Raises OSError as `documents`.
    """
    origin = catalogue.found(source)
    return [_read_file(database, origin, one, at) for one in documents(path)]


def read_address(
    database: Database, source: Source, address: Address, network: Network, *, at: datetime
) -> list[Outcome]:
    """Read what an address has: a document, or the weekly files that it lists, oldest first.

    Asks only for what is newer than what was read; a second call on what is unchanged writes
    nothing. What is unreachable or refused is an outcome with its `fault` and a `reading` row, and
    does not keep other documents from being read. No transaction is open while the network is
    waited for. Not to be called from a running event loop.
    """
    wanted = Document(source=source, address=address.url)
    if source.access is Access.SEARCH:
        return [_searched(database, network, wanted, at)]
    if source.access is not Access.CKAN:
        return [_visit(database, network, wanted, at)]
    try:
        came = _download(network, wanted)
        listed = ckan.weekly(source.key, came.content if came else b"")
    except SourceError as error:
        return [refuse(database, wanted, error, at)]
    since = quebec_day(at) - timedelta(weeks=WEEKS)
    files = (replace(wanted, address=one.url) for one in listed if one.last >= since)
    return [_visit(database, network, one, at) for one in files]


def _read_file(database: Database, source: Source, path: Path, at: datetime) -> Outcome:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        return Outcome(name=path.name, fault=Reason.UNREADABLE.of(error.strerror))
    # The name of a file of invitations may tell what only members are told.
    name = source.key if source.key == RESERVED else path.name
    if len(content) > LARGEST:
        large = SourceMalformed(source.key, Reason.TOO_LARGE.of(f"> {LARGEST}"))
        return refuse(database, Document(source=source, address=name), large, at)
    digest = hashlib.sha256(content).hexdigest()
    document = Document(source=source, address=name, content=content, sha256=digest)
    with database.read() as session:
        same = unchanged(session, document, at)
    if same:
        return same
    answer = _parsed(document)
    if answer.error:
        return refuse(database, document, answer.error, at)
    return store(database, document, answer.results or [], at)


def _searched(database: Database, network: Network, wanted: Document, at: datetime) -> Outcome:
    """Ask a search page by page, for what is not in its last document."""
    with database.read() as session:
        before = last_read(session, wanted, at)
        kept = zlib.decompress(before.document) if before and before.document else b""
    try:
        content = seao_pages.collect(
            wanted.source.key,
            wanted.address,
            before=kept,
            contact=network.contact,
            limits=network.limits,
            loopback=network.loopback,
            pause=min(1, network.wait),
        )
    except SourceError as error:
        return refuse(database, wanted, error, at)
    digest = hashlib.sha256(content).hexdigest()
    answer = _parsed(replace(wanted, content=content, sha256=digest))
    if answer.error:
        return refuse(database, answer.document, answer.error, at)
    return store(database, answer.document, answer.results or [], at)


def _visit(database: Database, network: Network, wanted: Document, at: datetime) -> Outcome:
    """Ask for one document, and take it in where it is new."""
    with database.read() as session:
        before = last_read(session, wanted, at)
    if before:
        wanted = replace(wanted, etag=before.etag, last_modified=before.last_modified)
    answer = _ask(network, wanted)
    for _ in range(TRIES - 1):
        if answer.damaged:
            time.sleep(network.wait)
            answer = _ask(network, wanted)
    if answer.error:
        return refuse(database, answer.document, answer.error, at)
    if answer.results is not None:
        return store(database, answer.document, answer.results, at)
    return Outcome(name=wanted.name, unchanged=True)


def _ask(network: Network, wanted: Document) -> _Answer:
    try:
        document = _download(network, wanted)
    except SourceError as error:
        return _Answer(document=replace(wanted, etag="", last_modified=""), error=error)
    return _parsed(document) if document else _Answer(document=wanted)


def _download(network: Network, wanted: Document) -> Document | None:
    """The document at that address; None where it is unchanged."""
    answer = fetch.get(
        wanted.source.key,
        wanted.address,
        etag=wanted.etag,
        last_modified=wanted.last_modified,
        contact=network.contact,
        limits=network.limits,
        loopback=network.loopback,
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
        results = list(readers.read(document.source, document.content))
        return _Answer(document=document, results=results)
    except SourceMalformed as error:
        return _Answer(document=document, error=error)
