"""One look of the watch on real rows: concerns once, a message once, silence when all is well."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from alerts import editions, holds, staff_mail, watch_mail, watch_pages, watching
from alerts.delivery import Relay
from alerts.staff_mail import Door
from alerts.tables import Attempt, Edition, EditionState, Letter
from alerts.watch import PATIENCE, Finding, What
from base import concerns, heartbeat, maintenance
from base.clock import wall_time
from base.database import Database
from scripts.concerns_words import SENTENCES, sentence
from sources import catalogue
from sources.tables import Visit
from tests.coop import AT, DESK, entitled, letter
from tests.webserver import Page, web_server

MINUTE = timedelta(minutes=1)
#: Monday 21 September 2026, 08:30 in Québec, when both editions of the day must be on their way.
BY = wall_time(AT.date(), 8, 30)
SOURCES = tuple(one for one in catalogue.load().values() if one.key == "seao")
DOOR = Door(
    relay=Relay(host="127.0.0.1", port=1, tls="none"),
    sender="retours@exemple.quebec",
    to="equipe@coop.exemple.quebec",
    author=DESK.press.sender,
)


def _look(database: Database, at: datetime, *, pages: bool | None = True) -> tuple[Finding, ...]:
    with database.write() as session:
        return watching.look(session, SOURCES, at=at, pages=pages)


def _run(database: Database, until: datetime, *, service: bool = True, pages: bool = True) -> None:
    """Half an hour of signs of life and looks until `until`."""
    for minute in range(-40, 1, 5):
        at = until + minute * MINUTE
        with database.write() as session:
            if service:
                heartbeat.beat(session, "service", at=at)
        _look(database, at, pages=pages)


def _written(database: Database, at: datetime) -> int:
    """Today's editions, written whole; the id of the weekly one."""
    with database.write() as session:
        made = editions.open_due(session, at)
        session.execute(update(Edition).values(state=EditionState.WRITTEN))
        return made[-1]


def _waiting(database: Database, edition: int, at: datetime) -> None:
    with database.write() as session:
        letter(session, entitled(session, "anne"), at=at).edition_id = edition


def _what(found: tuple[Finding, ...]) -> list[tuple[What, str]]:
    return [(one.what, one.subject) for one in found]


def _standing(database: Database) -> list[str]:
    with database.read() as session:
        return [one.cause for one in concerns.standing(session)]


def test_nothing_is_said_where_all_is_well(database: Database) -> None:
    _written(database, AT)
    _run(database, BY)
    assert (_look(database, BY), _standing(database)) == ((), [])


def test_a_dead_service_is_said_once_and_taken_back_when_it_lives(database: Database) -> None:
    _run(database, AT)
    dead = AT + PATIENCE + 5 * MINUTE
    for minute in (5, 10, 15, 20, 25):
        found = _look(database, AT + minute * MINUTE)
    assert _what(found) == [(What.SERVICE, "")]
    assert _standing(database) == ["service silent"]
    with database.write() as session:
        heartbeat.beat(session, "service", at=dead + MINUTE)
    _look(database, dead + 2 * MINUTE)
    assert _standing(database) == []


def test_dead_pages_are_said_and_pages_that_are_not_asked_are_not(database: Database) -> None:
    _run(database, AT, pages=True)
    for minute in (5, 10, 15, 20, 25):
        with database.write() as session:
            heartbeat.beat(session, "service", at=AT + minute * MINUTE)
        found = _look(database, AT + minute * MINUTE, pages=False)
    assert _what(found) == [(What.PAGES, "")]
    assert _look(database, AT + 25 * MINUTE, pages=None) == ()


def test_editions_that_are_not_opened_or_not_written_are_said(database: Database) -> None:
    _run(database, BY)
    both = {(What.ABSENT, "daily:2026-09-21"), (What.ABSENT, "weekly:2026-W39")}
    assert set(_what(_look(database, BY))) == both
    with database.write() as session:
        editions.open_due(session, AT)
    assert set(_what(_look(database, BY))) == both
    with database.write() as session:
        session.execute(update(Edition).values(state=EditionState.WRITTEN))
    assert (_look(database, BY), _standing(database)) == ((), [])


def test_letters_that_do_not_leave_are_said_unless_some_do_or_staff_hold_them(
    database: Database,
) -> None:
    edition = _written(database, AT)
    _waiting(database, edition, AT)
    _run(database, BY)
    assert _what(_look(database, BY)) == [(What.STUCK, "weekly:2026-W39")]

    with database.write() as session:
        holds.hold(session, cause="brake", detail="", by="service", at=AT)
    assert _what(_look(database, BY)) == [(What.HELD, "weekly:2026-W39")]

    with database.write() as session:
        holds.lift(session, by="essai", at=AT)
        holds.hold(session, cause="staff", detail="", by="anne", at=AT)
    assert _look(database, BY) == ()

    with database.write() as session:
        holds.lift(session, by="essai", at=AT)
        one = session.query(Letter.id).one()[0]
        session.add(Attempt(letter_id=one, at=BY, phase="dot", outcome="accepted", reply=""))
    assert _look(database, BY) == ()


def test_a_silent_source_is_said_under_the_key_that_its_readings_settle(
    database: Database,
) -> None:
    _written(database, AT)
    _run(database, BY)
    with database.write() as session:
        session.add(
            Visit(
                source="seao",
                address="https://seao.exemple.quebec/",
                asked_at=BY - MINUTE,
                failing_since=BY - timedelta(days=7),
                fault="unreachable",
            )
        )
    assert _what(_look(database, BY)) == [(What.SOURCE, "seao")]
    with database.read() as session:
        (standing,) = concerns.standing(session)
    assert standing.key == "source:seao:silent"


def test_an_announced_maintenance_keeps_the_watch_silent(database: Database) -> None:
    _run(database, AT, service=False)
    with database.write() as session:
        maintenance.announce(session, at=AT, until=AT + 2 * MINUTE, by="anne")
    assert _look(database, AT + MINUTE) == ()
    with database.write() as session:
        assert maintenance.end(session, at=AT + MINUTE) == 1
        assert maintenance.end(session, at=AT + MINUTE) == 0
    for minute in (5, 10, 15, 20, 25):
        found = _look(database, AT + minute * MINUTE)
    assert _what(found) == [(What.SERVICE, "")]


def test_a_machine_that_was_off_is_given_time_to_come_back(database: Database) -> None:
    _run(database, AT)
    morning = AT + timedelta(hours=12)
    assert _look(database, morning, pages=False) == ()
    assert _look(database, morning + 10 * MINUTE, pages=False) == ()


def test_a_clock_that_was_set_back_makes_no_living_service_dead_and_no_dead_one_alive(
    database: Database,
) -> None:
    """It ran two days ahead; from the next minute on its signs of life are of the present."""
    _run(database, AT + timedelta(days=2))
    for minute in range(0, 30, 5):
        at = AT + minute * MINUTE
        with database.write() as session:
            heartbeat.beat(session, "service", at=at)
        assert _look(database, at) == ()
    for minute in range(30, 60, 5):
        found = _look(database, AT + minute * MINUTE)
    assert _what(found) == [(What.SERVICE, "")]


def test_staff_are_written_to_once_for_each_thing_that_is_found(database: Database) -> None:
    _run(database, AT)
    told = []
    for minute in range(5, 60, 5):
        at = AT + minute * MINUTE
        found = _look(database, at, pages=minute < 40)
        with database.write() as session:
            told += [minute] * watch_mail.tell(session, DOOR, found, sentence, at=at)
    # The service at its 25th minute; the pages, last seen at the 35th, 25 minutes later.
    assert told == [25]
    found = _look(database, AT + 60 * MINUTE, pages=False)
    with database.write() as session:
        assert watch_mail.tell(session, DOOR, found, sentence, at=AT + 60 * MINUTE)
        assert len(staff_mail.told(session, "watch")) == 2


def test_every_cause_of_the_watch_has_its_french_sentence() -> None:
    for what in What:
        words = {"edition": "2026-09-21", "since": "", "source": "SEAO", "key": "seao"}
        assert what in SENTENCES
        assert "{" not in sentence(what, words)


@pytest.mark.parametrize(
    ("body", "status", "answering"),
    [
        pytest.param(b'{"etat":"ok","base":"ok"}', 200, True, id="well"),
        pytest.param(b'{"etat":"panne","base":"ok"}', 503, True, id="the service is dead"),
        pytest.param(b'{"etat":"panne","base":"panne"}', 503, False, id="no database"),
        pytest.param(b"<h1>502 Bad Gateway</h1>", 502, False, id="only the proxy"),
        pytest.param(b"[]", 200, False, id="something else"),
    ],
)
def test_pages_answer_where_they_reach_their_database(
    body: bytes, status: int, answering: bool
) -> None:
    with web_server() as site:
        site.pages["/sante"] = Page(body=body, status=status)
        assert watch_pages.pages_answer(f"{site.url}/sante") is answering


def test_pages_that_do_not_listen_do_not_answer() -> None:
    assert not watch_pages.pages_answer("http://127.0.0.1:1/sante")
    assert not watch_pages.pages_answer("pas une adresse")
