"""A message to the bounce mailbox whose subject holds our tag unsubscribes, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from alerts import returns
from base.database import Database
from subscriptions import wishes
from subscriptions.tables import Event, Via, What
from subscriptions.wishes import Wishes
from tests.coop import AT, entitled
from tests.returned import LINKS, reception_in


@pytest.mark.parametrize("nested", [False, True], ids=["plain", "with 10 MB after it"])
def test_the_mail_of_a_reader_who_leaves_is_honoured_once(
    database: Database, tmp_path: Path, nested: bool
) -> None:
    with database.write() as session:
        contact = entitled(session, "info")
    tag = LINKS.leave(contact.public_id, 1, AT).rsplit("/", 1)[1]
    body = b"x" * 10_000_000 if nested else b""
    message = f"From: autre@exemple.quebec\r\nSubject: Re: {tag}\r\n\r\n".encode() + body
    box = reception_in(tmp_path / "mail")
    with database.write() as session:
        returns.receive(session, message, box, at=AT)
        assert wishes.live(session, contact.id) is None
        assert session.execute(select(Event.what, Event.via)).all() == [(What.LEFT, Via.MAIL)]
        again = Wishes(frequency="weekly", sectors=("deneigement",))
        wishes.subscribe(session, contact.id, again, origin="member", at=AT)
        returns.receive(session, message, box, at=AT)
        assert wishes.live(session, contact.id) is not None


@pytest.mark.parametrize("automatic", ["auto-replied", "auto-generated"])
def test_an_automatic_answer_with_the_tag_unsubscribes_nobody(
    database: Database, tmp_path: Path, automatic: str
) -> None:
    with database.write() as session:
        contact = entitled(session, "info")
    tag = LINKS.leave(contact.public_id, 1, AT).rsplit("/", 1)[1]
    message = f"Subject: {tag}\r\nAuto-Submitted: {automatic}\r\n\r\n".encode()
    with database.write() as session:
        returns.receive(session, message, reception_in(tmp_path / "mail"), at=AT)
        assert wishes.live(session, contact.id) is not None
