"""The documents of a reserved invitation: for contacts of active members, saved and never run."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from base.clock import utc_now
from base.database import Database
from sources.attachments import attach
from subscriptions.tables import Contact, Membership
from tests.coop import tender
from tests.webpages import change_path

PDF = b"%PDF-1.7\n% fictif\n"
TEXT = "<script>alert(1)</script> é".encode()


@pytest.fixture
def invitations(database: Database, contact: Contact) -> list[int]:
    """Two invitations; the first has a PDF, the second a text that looks like a page."""
    assert contact
    now = utc_now()
    with database.write() as session:
        session.execute(update(Membership).values(ends_at=None))
        made = [_invitation(session, number) for number in ("71", "72")]
        attach(session, made[0], "Devis d’été (v2).pdf", PDF, by="essai", at=now)
        attach(session, made[1], "plan.txt", TEXT, by="essai", at=now)
    return made


def _invitation(session: Session, number: str) -> int:
    made, _ = tender(session, number, closes_at=utc_now() + timedelta(days=9))
    made.visibility = "reserved"
    return made.id


@pytest.fixture
def addresses(
    client: TestClient, contact: Contact, invitations: list[int]
) -> Callable[[], list[str]]:
    """The documents' addresses, as the notices' pages give them."""

    def found() -> list[str]:
        pages = [client.get(f"{change_path(contact)}/avis/{one}").text for one in invitations]
        return re.findall(r'"(/p/[^"]+/document/[^"]+)"', "".join(pages))

    return found


def test_an_active_members_contact_saves_the_document_as_it_was_given(
    client: TestClient, addresses: Callable[[], list[str]]
) -> None:
    first, second = addresses()
    saved = client.get(first)
    assert (saved.status_code, saved.content) == (200, PDF)
    assert saved.headers["content-type"] == "application/pdf"
    name = "attachment; filename*=UTF-8''Devis%20d%E2%80%99%C3%A9t%C3%A9%20%28v2%29.pdf"
    assert saved.headers["content-disposition"] == name
    other = client.get(second)
    assert other.content == TEXT
    assert other.headers["content-disposition"].startswith("attachment;")
    assert other.headers["x-content-type-options"] == "nosniff"
    assert other.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_lapsed_member_and_an_address_alone_get_nothing(
    client: TestClient, database: Database, addresses: Callable[[], list[str]]
) -> None:
    first, second = addresses()
    public_id = first.rpartition("/")[2]
    crossed = second.rpartition("/")[0] + f"/{public_id}"
    strange = [f"/p/x/avis/1/document/{public_id}", crossed, first + "x", first[:-40] + "%00"]
    for address in strange:
        answer = client.get(address)
        assert answer.status_code == 404
        assert PDF not in answer.content
    with database.write() as session:
        session.execute(update(Membership).values(ends_at=utc_now()))
    assert PDF not in client.get(first).content
    assert "renouveler l’adhésion" in client.get(first).text
