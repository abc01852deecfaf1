"""What broken and hostile sources do to what is known, and to the other sources: nothing.

Requirements F-50 to F-60 and more, over a real HTTP server. Each fault stands where yesterday's
good document stood; another source is read in the same round.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from base import concerns
from base.database import Database
from benchmarks.seao_generator import Generator, listing
from sources import freshness, readers, rounds
from sources.catalogue import Access, Address, Rhythm, Source
from sources.fetch import Limits
from sources.reading import Network
from sources.rounds import Visited
from sources.shape import Hold
from sources.tables import Reading, Revision, Tender
from sources.tenders import open_at
from tests.webserver import Page, Site, web_server

AT = datetime(2025, 9, 22, 12, tzinfo=UTC)
NEXT = AT + timedelta(days=1)
LIMITS = Limits(connect=2, read=1, total=6, raw=3_000_000, decoded=6_000_000)
NETWORK = Network(limits=LIMITS, loopback=True, wait=0)
(WEEK,) = Generator(seed=7, calls=40, contracts=30).weeks(1)
(OTHER,) = Generator(seed=8, calls=20, contracts=10, number=30_000_000).weeks(1)
GOOD = WEEK.content


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as found:
        yield found


def source(key: str, url: str, **values: Any) -> Source:
    words = {"rhythm": Rhythm.DAILY, "expected": 60, "access": Access.DOCUMENT, **values}
    complete = bool(words.pop("complete", True))
    return Source(
        key=key,
        name=key,
        short=key,
        format="seao",
        licence="",
        credit="",
        addresses=(Address(url=url, every=1, complete=complete),),
        **words,
    )


def edited(change: Callable[[dict[str, Any]], None], content: bytes = GOOD) -> bytes:
    """The good document with something done to each release."""
    whole = json.loads(content)
    for release in whole["releases"]:
        change(release)
    return json.dumps(whole).encode()


def renamed(place: str, old: str, new: str) -> bytes:
    def change(release: dict[str, Any]) -> None:
        part = release[place] if place else release
        if old in part:
            part[new] = part.pop(old)

    return edited(change)


def status(value: str) -> bytes:
    return edited(lambda release: release["tender"].update(status=value))


def first(count: int) -> bytes:
    whole = json.loads(GOOD)
    whole["releases"] = whole["releases"][:count]
    return json.dumps(whole).encode()


def hidden_close(release: dict[str, Any]) -> None:
    release["tender"]["tenderPeriod"] = {"closing": "2025-10-10"}


def deep(release: dict[str, Any]) -> None:
    release["data"] = {"tender": release.pop("tender")}


BOMB = gzip.compress(b" " * 60_000_000)
FAULTS = {
    "refused connection": None,
    "server error": Page(status=500),
    "unavailable, try later": Page(status=503, headers={"Retry-After": "120"}),
    "too many requests": Page(status=429),
    "gone": Page(status=410),
    "not found": Page(status=404),
    "forbidden": Page(status=403),
    "no content": Page(status=204),
    "no first byte in time": Page(body=GOOD, late=1.5),
    "a byte a moment": Page(body=GOOD, drip=0.02),
    "empty body": Page(body=b""),
    "empty list": Page(body=b"[]"),
    "empty object": Page(body=b"{}"),
    "null": Page(body=b"null"),
    "maintenance page": Page(body=b"<html><body>Site en maintenance</body></html>"),
    "maintenance page as JSON": Page(
        body=b"<!DOCTYPE html><p>connexion", headers={"Content-Type": "application/json"}
    ),
    "no release at all": Page(body=b'{"releases": []}'),
    "releases is an object": Page(body=b'{"releases": {}}'),
    "cut at half": Page(body=GOOD[: len(GOOD) // 2]),
    "cut in its last byte": Page(body=GOOD.rstrip()[:-1]),
    "shorter than announced": Page(body=GOOD[:5000], announced=len(GOOD)),
    "cut gzip": Page(body=gzip.compress(GOOD)[:9000], headers={"Content-Encoding": "gzip"}),
    "no gzip": Page(body=GOOD, headers={"Content-Encoding": "gzip"}),
    "brotli that was not asked for": Page(body=GOOD, headers={"Content-Encoding": "br"}),
    "gzip bomb": Page(body=BOMB, headers={"Content-Encoding": "gzip"}),
    "too large": Page(body=b'{"releases": [' + b'"x",' * 1_000_000),
    "depth 100,000": Page(body=b'{"releases": ' + b"[" * 100_000),
    "redirect to another host": Page(status=302, headers={"Location": "http://192.0.2.1/f"}),
    "redirect to the metadata address": Page(
        status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"}
    ),
    "redirect to a file": Page(status=302, headers={"Location": "file:///etc/passwd"}),
    "redirect to itself": Page(status=302, headers={"Location": "/one"}),
    "trailing comma": Page(body=GOOD.rstrip()[:-1].rstrip() + b",}"),
    "two documents": Page(body=GOOD + GOOD),
    "UTF-16": Page(body=GOOD.decode().encode("utf-16")),
    "Windows-1252": Page(body=GOOD.decode().encode("cp1252", "replace")),
    "tender renamed": Page(body=renamed("", "tender", "procurement")),
    "tags renamed": Page(body=renamed("", "tag", "tags")),
    "ids renamed": Page(body=renamed("", "id", "releaseID")),
    "titles renamed": Page(body=renamed("tender", "title", "titre")),
    "closing moments renamed": Page(body=edited(hidden_close)),
    "nested deeper": Page(body=edited(deep)),
    "another date format": Page(
        body=edited(lambda r: r["tender"]["tenderPeriod"].update(endDate="10/10/2025 11 h"))
    ),
    "another tag": Page(body=edited(lambda r: r.update(tag=["planning"]))),
    "statuses renamed": Page(body=status("ouvert")),
    "buyers gone": Page(
        body=edited(
            lambda r: (r.pop("buyer"), r.pop("parties"), r["tender"].pop("procuringEntity"))
        )
    ),
    "half of it missing": Page(body=first(25)),
    "one release left": Page(body=first(1)),
    "other ids for all": Page(
        body=edited(lambda r: r.update(ocid=r["ocid"].replace("ocds-ec9k95-2", "ocds-autre-9")))
    ),
}
#: Faults that change no row of a tender at all.
assert len(FAULTS) >= 25


def told(session: Session) -> dict[str, tuple[str, int, datetime | None]]:
    """What is known of the first source's calls."""
    found = session.scalars(select(Tender).where(Tender.source == "one"))
    return {one.ocid: (one.status, one.latest, one.closes_at) for one in found}


def round_of(database: Database, sources: tuple[Source, ...], at: datetime) -> list[Visited]:
    visited = list(rounds.visit_due(database, sources, NETWORK, at=at))
    with database.write() as session:
        freshness.check(session, at, sources)
    return visited


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_source_closes_nothing_and_keeps_no_other_waiting(
    database: Database, site: Site, name: str
) -> None:
    site.pages |= {"/one": Page(body=GOOD), "/two": Page(body=GOOD)}
    both = (source("one", f"{site.url}/one"), source("two", f"{site.url}/two"))
    round_of(database, both, AT)
    with database.read() as session:
        before, open_before = told(session), len(open_at(session, AT))
        calls = session.scalar(select(func.count()).select_from(Revision))
    assert len(before) > 30

    fault = FAULTS[name]
    site.pages["/two"] = Page(body=OTHER.content)
    if fault is None:
        both = (source("one", "http://127.0.0.1:1/one"), both[1])
    else:
        site.pages["/one"] = fault
    visited = {one.source.key: one.outcomes for one in round_of(database, both, NEXT)}

    assert set(visited) == {"one", "two"}
    (other,) = visited["two"]
    assert (other.fault, other.counts.new > 10) == ("", True)
    with database.read() as session:
        after = told(session)
        assert {ocid: after[ocid] for ocid in before} == before, "a call was closed or changed"
        news = session.scalar(
            select(func.count()).select_from(Tender).where(Tender.source == "two")
        )
        assert len(after) in {len(before), 2 * len(before)}, "half an import"
        assert len(open_at(session, NEXT)) >= open_before
        assert news
        assert calls


@pytest.mark.parametrize(
    "name", ["titles renamed", "closing moments renamed", "another date format", "buyers gone"]
)
def test_a_document_of_another_shape_is_kept_and_told_to_staff_once(
    database: Database, site: Site, name: str
) -> None:
    site.pages["/one"] = Page(body=GOOD)
    sources = (source("one", f"{site.url}/one"),)
    round_of(database, sources, AT)
    fault = FAULTS[name]
    assert fault is not None
    site.pages["/one"] = fault
    for hours in (24, 25, 26):
        (visited,) = round_of(database, sources, AT + timedelta(hours=hours))
        assert visited.outcomes[0].held == Hold.CHANGED
    with database.read() as session:
        held = session.scalars(select(Reading).where(Reading.held != "")).all()
        assert [bool(one.document) for one in held] == [True]
        (concern,) = concerns.standing(session)
        assert (concern.cause, concern.detail["source"]) == ("source changed", "one")
        (state,) = freshness.coverage(session, NEXT, sources)
        assert state.missing_since == held[0].at


def test_what_is_held_is_over_when_a_good_document_comes(database: Database, site: Site) -> None:
    site.pages["/one"] = Page(body=GOOD)
    sources = (source("one", f"{site.url}/one"),)
    round_of(database, sources, AT)
    fault = FAULTS["half of it missing"]
    assert fault is not None
    site.pages["/one"] = fault
    (visited,) = round_of(database, sources, NEXT)
    assert visited.outcomes[0].held == Hold.SHRUNKEN
    with database.read() as session:
        assert [one.cause for one in concerns.standing(session)] == ["source shrunken"]
    site.pages["/one"] = Page(body=first(68))
    round_of(database, sources, NEXT + timedelta(days=1))
    with database.read() as session:
        assert concerns.standing(session) == []


def test_two_files_of_one_name_are_both_read_and_kept(database: Database, site: Site) -> None:
    other = edited(lambda r: r["tender"].update(title=r["tender"]["title"] + " (corrigé)"))
    urls = [f"{site.url}/{n}/download/{WEEK.name}" for n in "ab"]
    site.pages |= {
        "/list": Page(body=listing({WEEK.name: urls})),
        f"/a/download/{WEEK.name}": Page(body=GOOD),
        f"/b/download/{WEEK.name}": Page(body=other),
    }
    ckan = source("one", f"{site.url}/list", access=Access.CKAN, complete=False)
    (visited,) = round_of(database, (ckan,), AT)
    a, b = visited.outcomes
    assert (a.fault, b.fault) == ("", "")
    assert a.counts.new == b.counts.conflicting > 25
    with database.read() as session:
        marked = select(func.count()).select_from(Revision).where(Revision.conflicting)
        assert session.scalar(marked) == b.counts.conflicting
    (again,) = round_of(database, (ckan,), NEXT)
    assert [one.counts.changed for one in again.outcomes] == [0, 0]


def test_a_source_is_asked_at_its_rhythm_and_by_one_service(database: Database, site: Site) -> None:
    site.pages["/one"] = Page(body=GOOD, etag='"1"')
    sources = (source("one", f"{site.url}/one"),)
    for minutes, asked in ((0, 1), (5, 1), (49, 1), (60, 2), (65, 2)):
        round_of(database, sources, AT + timedelta(minutes=minutes))
        assert len(site.asked) == asked
    assert site.asked[1][1]["if-none-match"] == '"1"'


def test_a_reader_that_breaks_keeps_no_other_source_waiting(
    database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages |= {"/one": Page(body=GOOD), "/two": Page(body=GOOD)}
    both = (source("one", f"{site.url}/one"), source("two", f"{site.url}/two"))
    whole = readers.read

    def read(of: Source, document: bytes) -> Any:
        if of.key == "one":
            raise ZeroDivisionError
        return whole(of, document)

    monkeypatch.setattr(readers, "read", read)
    first_, second = round_of(database, both, AT)
    assert first_.outcomes == ()
    assert second.outcomes[0].counts.new > 25
    with database.read() as session:
        states = freshness.coverage(session, AT, both)
        assert [one.standing for one in states] == ["failing", "fresh"]
