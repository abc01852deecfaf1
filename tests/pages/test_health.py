"""What a monitor is told: whether members are served, and figures, without anybody's data."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from starlette.testclient import TestClient

from alerts.tables import Attempt, Omission, Why
from base import concerns, heartbeat
from base.clock import utc_now
from base.database import Database
from pages.app import create
from pages.health import Kept
from sources.tables import Visit
from tests.coop import AT, CATALOGUE, DESK, entitled, letter, tender, told
from tests.webpages import IDENTITY


def _client(database: Database, host: str = "127.0.0.1") -> TestClient:
    app = create(database, DESK.links, IDENTITY, CATALOGUE)
    return TestClient(app, client=(host, 50000))


def _alive(database: Database, at: datetime) -> None:
    with database.write() as session:
        heartbeat.beat(session, "service", at=at)


def _coop(database: Database) -> None:
    """A contact with a letter that was accepted, one that waits, an omission, and a concern."""
    with database.write() as session:
        contact = entitled(session, "anne")
        found, revision = tender(session)
        sent, waits = letter(session, contact), letter(session, contact, "2026-W40")
        sent.state = "accepted"
        told(session, sent, revision, found.id)
        session.add(Attempt(letter_id=sent.id, at=AT, phase="dot", outcome="accepted", reply="250"))
        session.add(Omission(at=AT, contact_id=contact.id, why=Why.NOTHING, letter_id=waits.id))
        concerns.raise_concern(session, key="relay", cause="relay away", detail={}, at=AT)


def test_a_service_at_work_is_well(database: Database) -> None:
    _alive(database, utc_now())
    with _client(database) as client:
        answer = client.get("/sante")
    assert answer.status_code == 200
    assert answer.json() == {
        "etat": "ok",
        "base": "ok",
        "service": "ok",
        "veille": "panne",
        "sources": {},
    }
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("hours", [None, 1])
def test_a_service_that_never_ran_or_died_is_503(database: Database, hours: int | None) -> None:
    if hours:
        _alive(database, utc_now() - timedelta(hours=hours))
    with _client(database) as client:
        answer = client.get("/sante")
    assert (answer.status_code, answer.json()["service"]) == (503, "panne")
    assert answer.json()["base"] == "ok"


def test_a_database_that_cannot_be_read_is_503(database: Database) -> None:
    _alive(database, utc_now())
    client = _client(database)
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE heartbeat"))
    answer = client.get("/sante")
    assert (answer.status_code, answer.json()) == (503, {"etat": "panne", "base": "panne"})


def test_a_silent_source_is_named_and_does_not_make_the_service_ill(database: Database) -> None:
    _alive(database, utc_now())
    with database.write() as session:
        session.add(
            Visit(
                source="seao",
                address="https://seao.exemple.quebec/",
                asked_at=utc_now(),
                failing_since=utc_now() - timedelta(days=9),
                fault="unreachable",
            )
        )
    with _client(database) as client:
        answer = client.get("/sante")
    assert (answer.status_code, answer.json()["sources"]) == (200, {"seao": "panne"})


def test_figures_are_counted_from_the_rows(database: Database) -> None:
    _coop(database)
    _alive(database, utc_now())
    with _client(database) as client:
        answer = client.get("/mesures")
    assert answer.status_code == 200
    families = {one.name: one for one in text_string_to_metric_families(answer.text)}

    def value(name: str, **labels: str) -> float:
        return next(
            sample.value
            for family in families.values()
            for sample in family.samples
            if sample.name == name and sample.labels == labels
        )

    assert value("alertes_letters", state="accepted") == 1
    assert value("alertes_letters", state="written") == 1
    assert value("alertes_attempts_total", outcome="accepted") == 1
    assert value("alertes_omissions_total", why="nothing") == 1
    assert value("alertes_concerns", cause="relay away") == 1
    assert value("alertes_holds") == 0
    assert value("alertes_heartbeat_age_seconds", process="service") < 60
    assert value("alertes_letters_wait_seconds") > 0


def test_neither_answer_has_anything_of_a_person_or_a_notice(database: Database) -> None:
    _coop(database)
    _alive(database, utc_now())
    with _client(database) as client:
        both = client.get("/sante").text + client.get("/mesures").text
    assert not re.search(r"@|fictive|Personne|Déneigement|20169865|\b[0-9a-f]{16}\b", both)


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        pytest.param("192.0.2.7", {}, id="another machine"),
        pytest.param("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, id="by the proxy"),
        pytest.param("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, id="by a proxy of RFC 7239"),
        pytest.param("127.0.0.1", {"Via": "1.1 proxy"}, id="by a proxy that says only that"),
        pytest.param("testclient", {}, id="no address at all"),
    ],
)
def test_figures_are_for_this_machine_only(
    database: Database, host: str, headers: dict[str, str]
) -> None:
    with _client(database, host) as client:
        assert client.get("/mesures", headers=headers).status_code == 404
        assert client.get("/sante").status_code == 503


def test_a_question_asked_a_thousand_times_costs_one_reading() -> None:
    clock, made = [0.0], []

    def make() -> int:
        made.append(1)
        return len(made)

    kept: Kept[int] = Kept(make, 5.0, now=lambda: clock[0])
    assert {kept.get() for _ in range(1000)} == {1}
    clock[0] = 5.0
    assert kept.get() == 2
