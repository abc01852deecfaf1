"""Another address and a fresh link: only through the mailboxes themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from alerts import outbox
from alerts.tables import Gate, Letter, LetterState
from base.clock import utc_now
from base.database import Database
from subscriptions.links import Purpose
from subscriptions.tables import Contact, Event, What
from tests.coop import entitled, letter
from tests.webpages import (
    FIRST,
    LINKS,
    change_path,
    event_path,
    events_of,
    form,
    leave_path,
    letters_owed,
)

NEW = "neuve@exemple.quebec"


def _ask(client: TestClient, contact: Contact) -> None:
    path = change_path(contact)
    seal = LINKS.seal(path.rsplit("/", 1)[1])
    assert client.post(f"{path}/adresse", data={"sceau": seal}).status_code == 200


def _propose(client: TestClient, database: Database, *addresses: str) -> list[str]:
    """Type those addresses into the page of the last link to move; the pages' answers."""
    asked = [event for event in events_of(database) if event.what == What.MOVE_ASKED][-1]
    path = event_path(Purpose.MOVE, asked)
    return [client.post(path, data={"adresse": address}).text for address in addresses]


def _address(database: Database, contact: Contact) -> str:
    with database.read() as session:
        return session.get_one(Contact, contact.id).address


def _last(database: Database, what: What) -> Event:
    return [event for event in events_of(database) if event.what == what][-1]


def test_an_address_changes_by_both_mailboxes_and_the_old_one_can_undo(
    client: TestClient, database: Database, contact: Contact
) -> None:
    old = contact.address
    _ask(client, contact)
    _propose(client, database, f" {NEW.upper()} ")
    confirm = event_path(Purpose.CONFIRM, _last(database, What.MOVE_PROPOSED))
    assert client.get(confirm).status_code == 200
    assert _address(database, contact) == old

    answers = [client.post(confirm) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert _address(database, contact) == NEW
    letters = [(one.gate, one.address) for one in letters_owed(database)]
    assert letters == [(Gate.ANSWER, NEW), (Gate.OLD_MAILBOX, old)]
    assert client.get(change_path(contact)).status_code == 404, "its version rose"
    assert client.post(event_path(Purpose.UNDO, _last(database, What.MOVED))).status_code == 200
    assert _address(database, contact) == old


def test_the_letters_of_a_change_of_address_name_nobody(
    client: TestClient, database: Database, contact: Contact
) -> None:
    _ask(client, contact)
    _propose(client, database, NEW)
    [proposed] = [one for one in letters_owed(database) if one.gate == Gate.NEW_MAILBOX]
    assert proposed.content is not None
    for personal in (contact.address, contact.name, "Coop fictive info", "/d/", "/p/"):
        assert personal.encode() not in proposed.content
    assert b"List-Unsubscribe" not in proposed.content


@pytest.mark.parametrize("taken", [False, True], ids=["a free address", "another member's address"])
def test_the_page_says_the_same_of_any_address(
    client: TestClient, database: Database, contact: Contact, taken: bool
) -> None:
    if taken:
        with database.write() as session:
            entitled(session, "neuve")
    _ask(client, contact)
    [answer] = _propose(client, database, NEW)
    assert "Si cette adresse est libre" in answer
    proposed = [event for event in events_of(database) if event.what == What.MOVE_PROPOSED]
    assert len(proposed) == (0 if taken else 1)


@pytest.mark.parametrize(
    "typed",
    ["", "x", "é@exemple.quebec", "a@exemple.quebec\r\nBcc: b@exemple.quebec", "\x00", "a" * 9000],
    ids=["nothing", "word", "accent", "line ends", "nul", "long"],
)
def test_what_is_no_address_is_said(
    client: TestClient, database: Database, contact: Contact, typed: str
) -> None:
    _ask(client, contact)
    [answer] = _propose(client, database, typed)
    assert "À corriger" in answer
    assert _last(database, What.MOVE_ASKED).id == events_of(database)[-1].id


def test_of_100_addresses_typed_three_are_written_to_and_the_last_counts(
    client: TestClient, database: Database, contact: Contact
) -> None:
    _ask(client, contact)
    _propose(client, database, *(f"a{n}@exemple.quebec" for n in range(100)))
    proposed = [event for event in events_of(database) if event.what == What.MOVE_PROPOSED]
    assert [event.new_address for event in proposed] == [f"a{n}@exemple.quebec" for n in range(3)]
    given_up = event_path(Purpose.CONFIRM, proposed[0])
    assert client.post(given_up).status_code == 404
    assert client.post(event_path(Purpose.CONFIRM, proposed[2])).status_code == 200
    assert _address(database, contact) == "a2@exemple.quebec"


def test_an_address_taken_meanwhile_is_not_given_twice(
    client: TestClient, database: Database, contact: Contact
) -> None:
    _ask(client, contact)
    _propose(client, database, NEW)
    with database.write() as session:
        entitled(session, "neuve")
    confirm = event_path(Purpose.CONFIRM, _last(database, What.MOVE_PROPOSED))
    assert client.post(confirm).status_code == 404
    assert _address(database, contact) == contact.address


def test_an_old_address_taken_meanwhile_is_not_taken_back(
    client: TestClient, database: Database, contact: Contact
) -> None:
    _ask(client, contact)
    _propose(client, database, NEW)
    client.post(event_path(Purpose.CONFIRM, _last(database, What.MOVE_PROPOSED)))
    with database.write() as session:
        entitled(session, "autre").address = contact.address
    answer = client.post(event_path(Purpose.UNDO, _last(database, What.MOVED)))
    assert (answer.status_code, _address(database, contact)) == (200, NEW)
    assert "plus rien à remettre" in answer.text


@pytest.mark.parametrize("purpose", [Purpose.MOVE, Purpose.CONFIRM])
def test_links_to_move_work_for_48_hours(
    client: TestClient, database: Database, contact: Contact, purpose: Purpose
) -> None:
    _ask(client, contact)
    _propose(client, database, NEW)
    with database.write() as session:
        ago = utc_now() - timedelta(hours=48, seconds=1)
        session.execute(update(Event).values(at=ago))
    event = _last(database, What.MOVE_ASKED if purpose == Purpose.MOVE else What.MOVE_PROPOSED)
    body = {"adresse": NEW}
    assert client.get(event_path(purpose, event)).status_code == 404
    assert client.post(event_path(purpose, event), data=body).status_code == 404


def test_a_waiting_letter_never_follows_to_the_old_address(
    client: TestClient, database: Database, contact: Contact
) -> None:
    with database.write() as session:
        letter(session, contact, at=utc_now())
    _ask(client, contact)
    _propose(client, database, NEW)
    client.post(event_path(Purpose.CONFIRM, _last(database, What.MOVE_PROPOSED)))
    with database.write() as session:
        outbox.claim(session, claim="c", most=9, allowed=frozenset({"*"}), at=utc_now())
    with database.read() as session:
        digest = session.scalars(select(Letter).where(Letter.gate == Gate.FULL)).one()
    assert (digest.state, digest.why) == (LetterState.WITHDRAWN, "address")


def test_a_forwarded_letter_cannot_move_letters_or_learn_anything(
    client: TestClient, database: Database, contact: Contact
) -> None:
    """All that the links of one letter give: pages without a name, mails to the known address."""
    seen = [client.get(leave_path(contact)).text, client.get(change_path(contact)).text]
    _ask(client, contact)
    path = change_path(contact)
    seen.append(client.post(path, data=form(path, FIRST)).text)
    seen.append(client.post(path, data={"faire": "lien"}).text)
    seen.append(client.post(leave_path(contact)).text)
    for personal in (contact.address, contact.name, "Coop fictive info"):
        assert not any(personal in text for text in seen)
    assert {one.address for one in letters_owed(database)} == {contact.address}
    done = [event for event in events_of(database) if event.what in {What.CHANGED, What.LEFT}]
    assert len(done) == 2
    for event in reversed(done):
        assert client.post(event_path(Purpose.UNDO, event)).status_code == 200


def test_a_fresh_link_goes_to_the_known_address_whatever_was_asked(
    client: TestClient, database: Database, contact: Contact
) -> None:
    expired = change_path(contact, utc_now() - timedelta(days=300))
    dead = client.get(expired)
    assert dead.status_code == 404
    assert "Recevoir un nouveau lien" in dead.text
    stranger = LINKS.change("00" * 8, 1, utc_now()).removeprefix(LINKS.public_url)
    answers = {
        client.post(expired, data={"faire": "lien"}).text,
        client.post(stranger, data={"faire": "lien"}).text,
        client.post("/p/x", data={"faire": "lien"}).text,
        client.post("/lien", data={"adresse": "inconnue@exemple.quebec"}).text,
        client.post("/lien", data={"adresse": contact.address}).text,
        client.post("/lien", data={"adresse": "\x00"}).text,
        client.post("/lien", data={}).text,
    }
    assert len(answers) == 1
    asked = events_of(database)
    assert len(asked) == 7
    assert [event.contact_id for event in asked if event.contact_id] == [contact.id, contact.id]
    assert [one.address for one in letters_owed(database)] == [contact.address] * 2


def test_three_fresh_links_a_day_and_no_more(
    client: TestClient, database: Database, contact: Contact
) -> None:
    answers = {client.post("/lien", data={"adresse": contact.address}).text for _ in range(10)}
    assert len(answers) == 1
    assert len(letters_owed(database)) == 3


def test_a_fresh_link_opens_the_choices(
    client: TestClient, database: Database, contact: Contact
) -> None:
    client.post("/lien", data={"adresse": contact.address})
    [one] = letters_owed(database)
    with database.read() as session:
        version = session.get_one(Contact, contact.id).link_version
    url = LINKS.change(contact.public_id, version, one.written_at)
    assert one.content is not None
    assert url.encode() in one.content.replace(b"=\r\n", b"")
    assert client.get(url.removeprefix(LINKS.public_url)).status_code == 200
