"""Leaving by a link: at once, whatever is locked, confirmed, undone; receiving less instead."""

from __future__ import annotations

import email
import email.policy
import re
import sqlite3
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from alerts.leaving import leave
from alerts.tables import Letter, LetterState, Omission, Told, ToldState, Why
from base.clock import utc_now
from base.concerns import standing
from base.database import Database, connect
from subscriptions import events, wishes
from subscriptions.links import Purpose
from subscriptions.tables import Consent, Contact, Event, Subscription, Via, What
from tests.coop import entitled, letter, tender, told
from tests.webpages import (
    FIRST,
    LINKS,
    ROOT,
    SECOND,
    event_path,
    events_of,
    leave_path,
    letters_owed,
    pages,
)


def _live(database: Database, contact: Contact) -> Subscription | None:
    with database.read() as session:
        return wishes.live(session, contact.id)


def _waiting(session: Session, contact: Contact) -> Letter:
    call, revision = tender(session)
    made = letter(session, contact)
    told(session, made, revision, call.id)
    return made


def test_leaving_withdraws_what_was_waiting_in_the_same_transaction(
    client: TestClient, database: Database, contact: Contact
) -> None:
    with database.write() as session:
        waiting = _waiting(session, contact)

    client.post(leave_path(contact))

    with database.read() as session:
        row = session.get_one(Letter, waiting.id)
        assert (row.state, row.why) == (LetterState.WITHDRAWN, Why.SUBSCRIPTION)
        assert session.scalars(select(Told.state)).all() == [ToldState.RELEASED]
        assert session.scalars(select(Omission.why)).all() == [Why.SUBSCRIPTION]


def test_leaving_twice_is_one_event_with_one_confirmation(
    client: TestClient, database: Database, contact: Contact
) -> None:
    for _ in range(2):
        client.post(leave_path(contact))
    assert [event.what for event in events_of(database)] == [What.LEFT]
    assert len(letters_owed(database)) == 1
    assert len(letters_owed(database)) == 1


def test_the_confirmation_holds_a_link_that_puts_everything_back(
    client: TestClient, database: Database, contact: Contact
) -> None:
    before = _live(database, contact)
    client.post(leave_path(contact))
    confirmation = letters_owed(database)[0]
    assert confirmation.key == f"confirm:{events_of(database)[0].public_id}"
    text = _text(confirmation)
    undo = re.search(rf"{ROOT}(/u/\S+)", text)
    assert undo is not None
    for part in ("Vos lettres d’appels d’offres sont arrêtées", "450 555-0100"):
        assert part in text
    assert "/p/" not in text, "who left has nothing to change"

    assert _live(database, contact) is None
    assert client.get(undo[1]).status_code == 200
    assert _live(database, contact) is None
    answers = [client.post(undo[1]) for _ in range(2)]

    after = _live(database, contact)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
    assert after is not None
    assert before is not None
    assert wishes.wishes_of(after) == wishes.wishes_of(before)
    with database.read() as session:
        bases = session.scalars(select(Consent.basis).order_by(Consent.id)).all()
    assert bases == ["express", "express"]
    assert [event.what for event in events_of(database)] == [What.LEFT, What.RESUMED]


def test_after_72_hours_nothing_is_undone(
    client: TestClient, database: Database, contact: Contact
) -> None:
    client.post(leave_path(contact))
    path = event_path(Purpose.UNDO, events_of(database)[0])
    with database.write() as session:
        ago = utc_now() - events.UNDO_WITHIN - timedelta(seconds=1)
        session.execute(update(Event).values(at=ago))
    assert client.post(path).status_code == 404
    assert _live(database, contact) is None


def test_a_link_of_an_event_serves_no_other_purpose(
    client: TestClient, database: Database, contact: Contact
) -> None:
    client.post(leave_path(contact))
    left = events_of(database)[0]
    for wrong in (Purpose.MOVE, Purpose.CONFIRM):
        path = event_path(wrong, left)
        assert {client.get(path).status_code, client.post(path).status_code} == {404}
    for purpose in Purpose:
        token = event_path(Purpose.UNDO, left).rsplit("/", 1)[1]
        if purpose is not Purpose.UNDO:
            assert client.post(f"/{purpose}/{token}").status_code == 404


@pytest.mark.parametrize(
    ("action", "body", "expected"),
    [
        ("moins", {}, {"frequency": "weekly"}),
        ("pause", {}, {"paused": True}),
        ("secteurs", {"secteur": [FIRST]}, {"sectors": [SECOND]}),
        ("secteurs", {"secteur": [FIRST, SECOND]}, {}),
        ("secteurs", {"secteur": ["plomberie-inconnue"]}, {}),
        ("secteurs", {}, {}),
    ],
    ids=["less often", "pause", "one sector", "every sector", "unknown sector", "none"],
)
def test_a_link_to_leave_can_also_lower_what_is_sent(
    client: TestClient,
    database: Database,
    contact: Contact,
    action: str,
    body: dict[str, object],
    expected: dict[str, object],
) -> None:
    with database.write() as session:
        asked = wishes.Wishes(frequency="daily", sectors=(FIRST, SECOND))
        wishes.change(session, contact.id, asked, origin="member", at=utc_now())
    answer = client.post(f"{leave_path(contact)}/{action}", data=body)
    assert answer.status_code == 200
    live = _live(database, contact)
    assert live is not None
    now = {
        "frequency": live.frequency,
        "sectors": live.sectors,
        "paused": live.paused_until is not None,
    }
    assert now == {"frequency": "daily", "sectors": [FIRST, SECOND], "paused": False} | expected
    assert [e.what for e in events_of(database)] == ([What.CHANGED] if expected else [])


@pytest.mark.parametrize("action", ["moins", "pause", "secteurs"])
def test_lowering_by_get_changes_nothing(
    client: TestClient, database: Database, contact: Contact, action: str
) -> None:
    assert client.get(f"{leave_path(contact)}/{action}").status_code == 405
    assert events_of(database) == []


def test_a_press_seconds_after_the_letter_is_honoured_and_marked(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        for name in ("anne", "luc", "rose"):
            one = letter(session, entitled(session, name))
            one.state, one.settled_at = LetterState.ACCEPTED, utc_now()
    with database.read() as session:
        contacts = list(session.scalars(select(Contact)))
    for contact in contacts:
        client.post(leave_path(contact))
    assert [event.suspect for event in events_of(database)] == [True, True, True]
    with database.read() as session:
        assert [concern.cause for concern in standing(session)] == ["suspect leaves"]


@pytest.fixture
def locked(tmp_path: Path, sqlite_template: Path) -> Path:
    """A SQLite database at head."""
    path = tmp_path / "locked.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    return path


def test_with_the_database_locked_an_unsubscribe_is_answered_kept_and_taken_in(
    locked: Path, tmp_path: Path
) -> None:
    database = connect(f"sqlite:///{locked}", busy=0.2)
    with database.write() as session:
        contact = entitled(session, "info")
        waiting = _waiting(session, contact)
    client = TestClient(pages(database, tmp_path), ROOT, raise_server_exceptions=False)
    holder = sqlite3.connect(locked, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    page = client.get(leave_path(contact))
    answers = [client.post(leave_path(contact)) for _ in range(3)]
    kept = list((tmp_path / "postponed").glob("*.leave"))
    holder.execute("ROLLBACK")
    holder.close()

    assert page.status_code == 200
    assert {answer.status_code for answer in answers} == {200}
    assert len(kept) == 3
    assert _live(database, contact) is not None
    client.app.state.site.take_in_postponed()  # type: ignore[attr-defined]
    assert _live(database, contact) is None
    assert list((tmp_path / "postponed").iterdir()) == []
    with database.read() as session:
        assert session.get_one(Letter, waiting.id).state == LetterState.WITHDRAWN
    assert [event.what for event in events_of(database)] == [What.LEFT]
    database.dispose()


def test_200_at_once_while_the_database_is_locked_all_get_their_answer(
    locked: Path, tmp_path: Path
) -> None:
    database = connect(f"sqlite:///{locked}", busy=0.2)
    with database.write() as session:
        contacts = [entitled(session, f"c{number}") for number in range(20)]
    client = TestClient(pages(database, tmp_path), ROOT, raise_server_exceptions=False)
    release = threading.Event()

    def hold() -> None:
        holder = sqlite3.connect(locked, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        release.wait()
        holder.execute("ROLLBACK")
        holder.close()

    holding = threading.Thread(target=hold)
    holding.start()
    time.sleep(0.1)
    statuses = {client.post(leave_path(contacts[n % 20])).status_code for n in range(200)}
    release.set()
    holding.join()
    client.app.state.site.take_in_postponed()  # type: ignore[attr-defined]
    assert statuses == {200}
    assert [_live(database, contact) for contact in contacts] == [None] * 20
    database.dispose()


def test_leaving_by_staff_or_mail_says_so(database: Database, contact: Contact) -> None:
    with database.write() as session:
        leave(session, contact.id, via=Via.MAIL, at=utc_now())
    assert [event.via for event in events_of(database)] == [Via.MAIL]


def test_the_link_of_a_restored_or_rotated_service_still_leaves(
    client: TestClient, database: Database, contact: Contact
) -> None:
    old = LINKS.leave(contact.public_id, 1, utc_now() - timedelta(days=399)).removeprefix(ROOT)
    with database.write() as session:
        session.get_one(Contact, contact.id).link_version = 7
    assert client.post(old).status_code == 200
    assert _live(database, contact) is None


def _text(letter: Letter) -> str:
    assert letter.content is not None
    parsed = email.message_from_bytes(letter.content, policy=email.policy.default)
    part = parsed.get_body(("plain",))  # type: ignore[attr-defined]
    return str(part.get_content())
