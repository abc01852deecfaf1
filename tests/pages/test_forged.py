"""Scanners and forgers, a short and seeded round; `make campaign` runs the long one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from base.clock import utc_now
from base.database import Database, connect
from campaigns.pages.links import _fingerprint, _mutated, forged_at_the_signer
from subscriptions.links import Purpose
from subscriptions.tables import Contact, What
from tests.coop import entitled, tender
from tests.webpages import (
    LINKS,
    ROOT,
    change_path,
    event_path,
    events_of,
    leave_path,
    pages,
)


@pytest.fixture
def url(tmp_path: Path, sqlite_template: Path) -> str:
    path = tmp_path / "forged.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def store(url: str) -> Iterator[Database]:
    opened = connect(url)
    yield opened
    opened.dispose()


@pytest.fixture
def reader(store: Database) -> Contact:
    with store.write() as session:
        tender(session)
        return entitled(session, "info")


@pytest.fixture
def http(store: Database, tmp_path: Path) -> TestClient:
    return TestClient(pages(store, tmp_path), ROOT, raise_server_exceptions=False)


def test_500_scans_of_every_link_change_no_row(
    http: TestClient, store: Database, url: str, reader: Contact
) -> None:
    http.post(f"{leave_path(reader)}/pause")
    event = events_of(store)[0]
    change = change_path(reader)
    paths = [leave_path(reader), change, f"{change}/avis", f"{change}/avis/1", f"{change}/adresse"]
    paths += [f"{change}/avis/1/echeance.ics", "/lien", f"{leave_path(reader)}/secteurs"]
    paths += [event_path(purpose, event) for purpose in (Purpose.UNDO, Purpose.MOVE)]
    before = _fingerprint(url)
    dice = random.Random(8058)  # noqa: S311, a test must repeat itself
    statuses = {
        http.request(
            dice.choice(["GET", "HEAD", "OPTIONS", "TRACE", "PUT"]),
            dice.choice(paths),
            headers={"Sec-Purpose": "prefetch"},
        ).status_code
        for _ in range(500)
    }
    assert statuses <= {200, 404, 405}
    assert _fingerprint(url) == before


def test_500_forged_links_over_http_open_nothing(
    http: TestClient, store: Database, url: str, reader: Contact
) -> None:
    dice = random.Random(2369)  # noqa: S311, a test must repeat itself
    genuine = [leave_path(reader), change_path(reader)]
    before, statuses = _fingerprint(url), set()
    for _ in range(500):
        prefix, token = dice.choice(genuine)[1:].split("/", 1)
        forged = _mutated(token, dice)
        if forged != token:
            path = f"/{prefix}/" + "".join(f"%{byte:02X}" for byte in forged.encode())
            statuses.add(http.request(dice.choice(["GET", "POST"]), path).status_code)
    assert statuses <= {404, 405}
    assert _fingerprint(url) == before


def test_no_token_serves_another_purpose_and_no_mutant_serves_any() -> None:
    dice = random.Random(1)  # noqa: S311, a test must repeat itself
    found = forged_at_the_signer(LINKS, 20_000, dice)
    assert found == {"tokens": 20_000, "crossed": 20, "accepted": 0}


@pytest.mark.parametrize("ending", ["=", ">", ".", ")", "%0A", "/", "%20", "?x=1"], ids=repr)
def test_what_mail_clients_add_to_a_link_is_no_error(
    http: TestClient, reader: Contact, ending: str
) -> None:
    for path in (leave_path(reader), change_path(reader)):
        assert http.get(path + ending).status_code in {200, 404}


def test_50_clicks_at_once_are_one_leaving(
    http: TestClient, store: Database, reader: Contact
) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: http.post(leave_path(reader)), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert [event.what for event in events_of(store)] == [What.LEFT]


def test_50_undos_at_once_are_one_return(
    http: TestClient, store: Database, reader: Contact
) -> None:
    http.post(leave_path(reader))
    path = event_path(Purpose.UNDO, events_of(store)[0])
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: http.post(path), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert [event.what for event in events_of(store)] == [What.LEFT, What.RESUMED]


def test_a_link_made_tomorrow_by_another_clock_is_read(reader: Contact) -> None:
    token = leave_path(reader, utc_now() + timedelta(days=2)).rsplit("/", 1)[1]
    assert LINKS.read(Purpose.LEAVE, token, utc_now()).public_id == reader.public_id
