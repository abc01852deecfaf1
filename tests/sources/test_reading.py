"""Reading files, folders and the CKAN dataset: what is stored, and what a bad document changes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from base.database import Database
from sources import catalogue
from sources.catalogue import Address
from sources.fetch import Limits
from sources.intake import Counts
from sources.package import LARGEST
from sources.reading import Network, Outcome, documents, read_address, read_path
from sources.reasons import Reason, parted
from sources.tables import Reading, Revision, Tender
from tests.packages import JULY, LISTING, SAMPLES, SEPTEMBER, package, release
from tests.webserver import Page, Site, web_server

#: The Monday after the newest sample, and the one after July's.
AT = datetime(2026, 9, 21, 12, tzinfo=UTC)
IN_JULY = datetime(2026, 7, 27, 12, tzinfo=UTC)


def _rows(database: Database) -> tuple[int, int, int]:
    """How many tenders, revisions and readings there are."""
    with database.read() as session:
        tables = (Tender, Revision, Reading)
        counted = [session.scalar(select(func.count()).select_from(one)) or 0 for one in tables]
    return counted[0], counted[1], counted[2]


def test_the_real_excerpts_are_read_whole(database: Database) -> None:
    july, september = read_path(database, SAMPLES, at=AT)
    assert (july.name, july.counts) == (JULY.name, Counts(releases=3, passed_over=3))
    assert september.counts == Counts(releases=23, open=10, new=10, passed_over=13)
    assert _rows(database) == (10, 10, 2)


def test_a_second_reading_writes_nothing(database: Database) -> None:
    read_path(database, SEPTEMBER, at=AT)
    before = _rows(database)
    again = read_path(database, SEPTEMBER, at=AT + timedelta(hours=1))[0]
    assert again.unchanged
    assert (again.counts.open, again.counts.new) == (10, 0)
    assert _rows(database) == before


def test_a_folder_is_read_in_the_order_of_the_days_in_its_names(tmp_path: Path) -> None:
    for name in ("hebdo_20260914_20260920.json", "hebdo_20260907_20260913.json", "avis.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "notes.txt").write_text("")
    assert [path.name for path in documents(tmp_path)] == [
        "avis.json",
        "hebdo_20260907_20260913.json",
        "hebdo_20260914_20260920.json",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", Reason.EMPTY, id="empty"),
        pytest.param(SEPTEMBER.read_bytes()[:-200], Reason.NOT_JSON, id="truncated"),
        pytest.param(b"[]", Reason.NOT_A_PACKAGE, id="a list"),
        pytest.param(b"{}", Reason.NOT_A_PACKAGE, id="no releases"),
        pytest.param(b"<!DOCTYPE html><html></html>", Reason.HTML, id="a web page"),
        pytest.param(b"\x00\x01\x02", Reason.NOT_JSON, id="noise"),
        pytest.param(b'{"releases": ' + b"[" * 100_000, Reason.TOO_DEEP, id="nested"),
    ],
)
def test_a_broken_file_changes_nothing_and_says_so(
    database: Database, tmp_path: Path, content: bytes, reason: Reason
) -> None:
    read_path(database, SEPTEMBER, at=AT)
    before = _rows(database)
    broken = tmp_path / "hebdo_20260921_20260927.json"
    broken.write_bytes(content)

    outcome = read_path(database, broken, at=AT)[0]

    assert parted(outcome.fault)[0] is reason
    assert outcome.counts == Counts()
    tenders, revisions, readings = _rows(database)
    assert (tenders, revisions, readings) == (before[0], before[1], before[2] + 1)


def test_a_file_of_200_megabytes_is_refused_unread(database: Database, tmp_path: Path) -> None:
    large = tmp_path / "hebdo_20260921_20260927.json"
    with large.open("wb") as file:
        file.truncate(200_000_000)
    outcome = read_path(database, large, at=AT)[0]
    assert parted(outcome.fault) == (Reason.TOO_LARGE, f"> {LARGEST}")
    assert _rows(database) == (0, 0, 1)


def test_a_byte_order_mark_is_read_over(database: Database, tmp_path: Path) -> None:
    marked = tmp_path / SEPTEMBER.name
    marked.write_bytes(b"\xef\xbb\xbf" + SEPTEMBER.read_bytes())
    assert read_path(database, marked, at=AT)[0].counts.new == 10


def test_one_broken_release_does_not_hide_the_others(database: Database, tmp_path: Path) -> None:
    mixed = tmp_path / SEPTEMBER.name
    mixed.write_bytes(package("no release", release(), release(tender=...), {"ocid": 1}))
    outcome = read_path(database, mixed, at=AT)[0]
    assert (outcome.counts.new, outcome.counts.faults) == (1, 3)
    assert [fault.position for fault in outcome.faults] == [0, 2, 3]


@pytest.fixture
def site() -> object:
    """The real answer of the portal, its files served from this machine."""
    with web_server() as served:
        listing = json.loads(LISTING.read_text("utf-8"))
        for resource in listing["result"]["resources"]:
            path = f"/{resource['url'].split('/resource/')[1]}"
            resource["url"] = f"{served.url}{path}"
            body = JULY.read_bytes() if "20260720" in path else package()
            served.pages[path] = Page(body=body, etag=f'"{path}"')
        served.pages["/package_show"] = Page(body=json.dumps(listing).encode())
        yield served


def _read(database: Database, site: Site, at: datetime = IN_JULY) -> list[Outcome]:
    limits = Limits(connect=5, read=1.5, total=3)
    url = f"{site.url}/package_show"
    network = Network(limits=limits, loopback=True, wait=0)
    # Excerpts are far shorter than a week: their size is not looked at here.
    source = replace(catalogue.load()["seao"], expected=0)
    return read_address(database, source, Address(url=url), network, at=at)


def test_the_dataset_s_weekly_files_are_read_oldest_first(database: Database, site: Site) -> None:
    outcomes = _read(database, site)
    assert [outcome.name for outcome in outcomes] == [
        "hebdo_20260706_20260712.json",
        "hebdo_20260713_20260719.json",
        "hebdo_20260720_20260726.json",
        "hebdo_20260720_20260726.json",
    ]
    assert [outcome.counts.new for outcome in outcomes] == [0, 0, 2, 0]
    assert not any("mensuel" in path for path in site.paths())


def test_an_unchanged_dataset_is_asked_conditionally_and_writes_nothing(
    database: Database, site: Site
) -> None:
    _read(database, site)
    before = _rows(database)
    site.asked.clear()
    assert all(outcome.unchanged for outcome in _read(database, site))
    conditional = [headers for path, headers in site.asked if path != "/package_show"]
    assert conditional
    assert all("if-none-match" in headers for headers in conditional)
    assert _rows(database) == before


def test_a_download_cut_short_is_asked_for_again(database: Database, site: Site) -> None:
    path = next(one for one in site.pages if "dup" not in one and "20260720" in one)
    site.pages[path].cut_to, site.pages[path].cuts = 500, 2
    outcomes = _read(database, site)
    assert site.paths().count(path) == 3
    assert (outcomes[2].fault, outcomes[2].counts.new) == ("", 2)


def test_a_download_that_stays_short_is_a_fault_and_changes_nothing(
    database: Database, site: Site
) -> None:
    for path in site.pages:
        if "20260720" in path:
            site.pages[path].cut_to, site.pages[path].cuts = 500, 99
    outcomes = _read(database, site)
    assert [parted(one.fault)[0] for one in outcomes[2:]] == [Reason.NOT_JSON] * 2
    assert _rows(database)[:2] == (0, 0)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(Page(status=500), id="server error"),
        pytest.param(Page(status=404), id="gone"),
        pytest.param(Page(body=b"<html>maintenance</html>"), id="a web page"),
        pytest.param(Page(body=b"{}", late=2.5), id="too slow"),
        pytest.param(Page(body=b"{" * 20, drip=0.4), id="a byte a second"),
    ],
)
def test_one_file_s_failure_does_not_keep_the_others(
    database: Database, site: Site, page: Page
) -> None:
    path = next(one for one in site.pages if "20260706" in one)
    site.pages[path] = page
    outcomes = _read(database, site)
    assert outcomes[0].fault
    assert [outcome.counts.new for outcome in outcomes[1:]] == [0, 2, 0]


def test_a_listing_that_cannot_be_read_closes_nothing(database: Database, site: Site) -> None:
    _read(database, site)
    before = _rows(database)
    site.pages["/package_show"] = Page(body=b'{"success": true, "result": {"resources": []}}')
    outcome = _read(database, site)[0]
    assert parted(outcome.fault)[0] is Reason.NOTHING_LISTED
    assert _rows(database)[:2] == before[:2]


def test_a_copy_of_a_read_file_under_another_name_is_known(
    database: Database, tmp_path: Path
) -> None:
    read_path(database, SEPTEMBER, at=AT)
    copied = tmp_path / "copie.json"
    shutil.copy(SEPTEMBER, copied)
    assert read_path(database, copied, at=AT)[0].unchanged
