"""An erased reader's links: the one to leave still answers (LCAP, s. 11(2)), none names it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from alerts import erasure, persons
from base.clock import utc_now
from base.database import Database
from subscriptions import erased, events, wishes
from subscriptions.links import Purpose
from subscriptions.tables import Contact, Event, What
from tests.webpages import LINKS, ROOT, leave_path


@pytest.fixture
def gone(database: Database, contact: Contact) -> Contact:
    """The contact, with a change of address asked for, erased."""
    with database.write() as session:
        own = session.get_one(Contact, contact.id)
        events.record(session, own.id, What.CHANGED, at=utc_now() - timedelta(hours=1))
        who = persons.person(session, own)
        erasure.erase(session, who, reason=erased.ERASED, at=utc_now(), by="essai")
    return contact


def test_the_link_to_leave_answers_400_days_after_the_letter(
    client: TestClient, database: Database, gone: Contact
) -> None:
    link = LINKS.leave(gone.public_id, 1, utc_now() - timedelta(days=400)).removeprefix(ROOT)
    for answer in (client.get(link), client.post(link)):
        assert answer.status_code == 200
        assert "info@exemple.quebec" not in answer.text
    assert client.post(leave_path(gone)).status_code == 200
    with database.read() as session:
        assert wishes.live(session, gone.id) is None


def test_nothing_that_its_links_do_brings_it_back(
    client: TestClient, database: Database, gone: Contact
) -> None:
    with database.read() as session:
        event = session.scalars(select(Event)).first()
        assert event is not None
    undo = LINKS.event(Purpose.UNDO, event.public_id, utc_now()).removeprefix(ROOT)
    change = LINKS.change(gone.public_id, 1, utc_now()).removeprefix(ROOT)
    for path in (undo, change, f"{change}/avis"):
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code < 500
            assert "info@exemple.quebec" not in answer.text
    with database.read() as session:
        row = session.get_one(Contact, gone.id)
        assert (row.address, row.name, wishes.live(session, row.id)) == ("", "", None)
