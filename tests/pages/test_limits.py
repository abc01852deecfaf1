"""Limits: enough for a reader, too little for a search, and never for who leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from base.database import Database
from pages.app import create
from pages.limits import WINDOW, Limits
from subscriptions.tables import Contact
from tests.webpages import CATALOGUE, IDENTITY, LINKS, ROOT, change_path, events_of, leave_path


class _Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def limited(database: Database, tmp_path: Path, clock: _Clock) -> TestClient:
    limits = Limits(requests=20, failures=5, posts=3, everybody=50, now=clock)
    app = create(database, LINKS, IDENTITY, CATALOGUE, postponed=tmp_path, limits=limits)
    return TestClient(app, ROOT, raise_server_exceptions=False, client=("192.0.2.1", 5000))


def test_who_guesses_links_is_stopped_for_a_minute(
    limited: TestClient, contact: Contact, clock: _Clock
) -> None:
    statuses = [limited.get("/p/x").status_code for _ in range(8)]
    assert statuses == [404] * 5 + [429] * 3
    refused = limited.get(change_path(contact))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert "Trop de demandes" in refused.text
    clock.at += WINDOW
    assert limited.get(change_path(contact)).status_code == 200


def test_mails_are_not_asked_for_without_end(limited: TestClient, database: Database) -> None:
    body = {"adresse": "x@exemple.quebec"}
    statuses = [limited.post("/lien", data=body).status_code for _ in range(6)]
    assert statuses == [200] * 3 + [429] * 3
    assert len(events_of(database)) == 3


def test_an_unsubscribe_is_never_refused(
    limited: TestClient, database: Database, contact: Contact
) -> None:
    for _ in range(60):
        limited.get("/p/x")
    statuses = {limited.post(leave_path(contact)).status_code for _ in range(60)}
    assert statuses == {200}
    assert [event.what for event in events_of(database)] == ["left"]


def test_another_reader_is_not_stopped_by_the_first(limited: TestClient, contact: Contact) -> None:
    for _ in range(8):
        limited.get("/p/x")
    other = TestClient(limited.app, ROOT, client=("192.0.2.2", 5000))
    assert other.get(change_path(contact)).status_code == 200


def test_memory_stays_bounded_whoever_asks() -> None:
    limits = Limits()
    for number in range(30_000):
        limits.spend(f"2001:db8::{number:x}", "request", 10)
    assert len(limits._seen) == 10_000
