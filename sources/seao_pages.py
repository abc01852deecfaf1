"""SEAO's search asked politely: its pages, then the details of what is new, as one document.

One request at a time, with a pause after each, in our own name; what was had before is asked for
only if it changed; an overloaded server is waited for, or left alone until the next visit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Raw

from sources import fetch, seao_search
from sources import seao_search_shape as shape
from sources.errors import SourceError, SourceMalformed, SourceUnreachable
from sources.fetch import LIMITS, Limits, Unchanged
from sources.reasons import Reason

#: Pages of a list: 2,200 calls are open at one time, at 250 a page.
_MOST_PAGES = 60
#: Descriptions asked for in one visit: a working day has 60 to 100 new notices.
DETAILS = 150
_TRIES = 3
#: Seconds that are waited for a server that asks for it; beyond, the visit ends.
_PATIENCE = 60.0
#: Details that may fail one after another before no more is asked.
_MOST_FAILURES = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class _Visit:
    source: str
    contact: str
    limits: Limits
    loopback: bool
    #: Seconds between two requests.
    pause: float
    wait: Callable[[float], None]
    #: What was had before, by address.
    kept: dict[str, shape.Exchange] = field(default_factory=dict)


def collect(
    source: str,
    url: str,
    *,
    before: bytes = b"",
    contact: str = "",
    limits: Limits = LIMITS,
    loopback: bool = False,
    pause: float = 1,
    details: int = DETAILS,
    wait: Callable[[float], None] = time.sleep,
) -> bytes:
    """Ask the list at `url` to its end, then at most `details` descriptions not had yet.

    `before` is the document of the last visit: what did not change since comes from it. The list
    is asked on, by `offset`, until it says that all were given, or gives nothing new; so a server
    that ignores `offset` and one that gives 250 at a time both are read to their end. Where a
    later page cannot be had, the document says so and `seao_search.read` makes it a Fault.

    Raises:
        SourceUnreachable: as `fetch.get`, for the first page, after three tries.
        SourceMalformed: as `fetch.get`, or the first page is no answer of the search.
    """
    kept = _exchanges(before)
    visit = _Visit(
        source=source,
        contact=contact,
        limits=limits,
        loopback=loopback,
        pause=pause,
        wait=wait,
        kept={one.url: one for one in kept},
    )
    pages, cut = _pages(visit, url)
    wanted = _notices(pages)
    known = _notices([one for one in kept if not _is_detail(one.url)])
    same = {uuid for uuid, raw in wanted.items() if known.get(uuid) == raw}
    found = _details(visit, url, wanted, same, details)
    return msgspec.json.encode(shape.Exchanges([*pages, *found], cut))


def _exchanges(document: bytes) -> list[shape.Exchange]:
    """The exchanges of an earlier visit; none where its document is of another shape."""
    try:
        return shape.exchanges(document).exchanges if document else []
    except (ValueError, RecursionError):
        return []


def _notices(pages: list[shape.Exchange]) -> dict[str, bytes]:
    """The notices of the pages as written, by uuid."""
    found: dict[str, bytes] = {}
    for page in pages:
        try:
            notices, _ = shape.listing(page.answer)
        except (ValueError, RecursionError):
            continue
        found |= {uuid: bytes(raw) for raw in notices if (uuid := seao_search.uuid_of(raw))}
    return found


def _is_detail(url: str) -> bool:
    return url.endswith("/consulter")


def _pages(visit: _Visit, url: str) -> tuple[list[shape.Exchange], str]:
    """The pages of the list, and why there are no more, "" where all was given."""
    pages: list[shape.Exchange] = []
    seen: set[str] = set()
    given = 0
    while len(pages) < _MOST_PAGES:
        try:
            page = _ask(visit, _at_offset(url, given))
            notices, total = _listing(visit, page)
        except SourceError as error:
            if not pages:
                raise
            return pages, str(error.reason)
        new = {seao_search.uuid_of(raw) for raw in notices} - seen - {""}
        pages.append(page)
        seen |= new
        given += len(notices)
        if not new or (total is not None and len(seen) >= total):
            return pages, ""
    return pages, Reason.TOO_LARGE.of(f"> {_MOST_PAGES} pages")


def _listing(visit: _Visit, page: shape.Exchange) -> tuple[list[Raw], int | None]:
    try:
        return shape.listing(page.answer)
    except (ValueError, RecursionError) as error:
        raise SourceMalformed(visit.source, Reason.NOT_AN_ANSWER.of(error)) from None


def _at_offset(url: str, offset: int) -> str:
    if not offset:
        return url
    parts = urlsplit(url)
    query = f"{parts.query}&offset={offset}" if parts.query else f"offset={offset}"
    return urlunsplit(parts._replace(query=query))


def _details(
    visit: _Visit, url: str, wanted: dict[str, bytes], same: set[str], most: int
) -> list[shape.Exchange]:
    """The details of the notices wanted: had before of those that are the same, asked of others.

    A description that cannot be had now is had at the next visit: the call is told without it.
    """
    parts = urlsplit(url)
    folder = parts.path.rpartition("/")[0]
    found: list[shape.Exchange] = []
    asked = failures = 0
    for uuid in wanted:
        address = urlunsplit(parts._replace(path=f"{folder}/avis/{uuid}/consulter", query=""))
        before = visit.kept.get(address)
        if before and (uuid in same or asked >= most or failures >= _MOST_FAILURES):
            found.append(before)
        elif asked < most and failures < _MOST_FAILURES:
            asked += 1
            try:
                found.append(_ask(visit, address))
                failures = 0
            except SourceError:
                failures += 1
                found += [before] if before else []
    return found


def _ask(visit: _Visit, url: str) -> shape.Exchange:
    """One question, asked again after a while where the server is busy."""
    before = visit.kept.get(url)
    for again in range(_TRIES):
        try:
            return _asked(visit, url, before)
        except SourceUnreachable as error:
            patience = error.retry_after or visit.pause * 4 ** (again + 1)
            if again == _TRIES - 1 or patience > _PATIENCE:
                raise
            visit.wait(patience)
        finally:
            visit.wait(visit.pause)
    raise AssertionError  # the last try returns or raises


def _asked(visit: _Visit, url: str, before: shape.Exchange | None) -> shape.Exchange:
    answer = fetch.get(
        visit.source,
        url,
        etag=before.etag if before else "",
        last_modified=before.last_modified if before else "",
        contact=visit.contact,
        limits=visit.limits,
        loopback=visit.loopback,
    )
    if isinstance(answer, Unchanged) and before:
        return before
    if isinstance(answer, Unchanged):
        raise SourceMalformed(visit.source, Reason.WRONG_STATUS.of(304))
    with answer.file:
        content = answer.file.read()
    try:
        raw = msgspec.json.decode(content, type=Raw)
    except (ValueError, RecursionError) as error:
        reason = Reason.HTML if content.lstrip()[:1] == b"<" else Reason.NOT_JSON.of(error)
        raise SourceMalformed(visit.source, reason) from None
    return shape.Exchange(url=url, answer=raw, etag=answer.etag, last_modified=answer.last_modified)
