"""Short messages: their headers, two ways to leave, and nothing of a reader for a stranger."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest

from alerts.errors import LetterUnwritable
from alerts.letter import ReaderLinks, unsubscribe
from alerts.note import compose_note
from subscriptions.by_mail import read_unsubscribe
from subscriptions.links import Links
from tests.alerts.test_letter import check_wire
from tests.coop import AT
from tests.webpages import SENDER

#: As long as a public address may well be.
LINKS = Links(("k" * 32,), "https://alertes.cooperative-regionale-des-laurentides.exemple.quebec")
WHO = ("00ff10a0b0c0d0e0", 1, AT)
READER = ReaderLinks(leave=LINKS.leave(*WHO), change=LINKS.change(*WHO))


def _note(recipient: str = "a@exemple.quebec", links: ReaderLinks | None = READER) -> EmailMessage:
    context = {"action": READER.change, "done_at": AT, "until": AT, "subscribed": True}
    made = compose_note("left", SENDER, links, context, recipient=recipient, key="k", at=AT)
    check_wire(made.content)
    parsed = email.message_from_bytes(made.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not [value.defects for value in parsed.values() if value.defects]
    return parsed


def test_both_ways_to_leave_stay_literal_whatever_the_length_of_the_address() -> None:
    raw = unsubscribe(SENDER, READER.leave)[0]
    assert "=?" not in raw
    assert all(len(line) <= 998 for line in raw.split("\r\n"))
    ways = [way.strip("<> ") for way in str(_note()["List-Unsubscribe"]).split(",")]
    assert ways[0] == READER.leave
    assert ways[1].startswith("mailto:retours@liste.exemple.quebec?subject=")


def test_the_mail_that_the_second_way_sends_is_read_as_an_unsubscribe() -> None:
    mailto = str(_note()["List-Unsubscribe"]).split(",")[1].strip("<> ")
    answer = EmailMessage()
    answer["Subject"] = mailto.partition("subject=")[2]
    assert read_unsubscribe(answer, LINKS, AT) == WHO[0]


def test_a_message_to_a_stranger_holds_no_link_of_the_reader() -> None:
    parsed = _note(links=None)
    assert parsed["List-Unsubscribe"] is None
    for part in parsed.iter_parts():
        text = part.get_content()
        assert READER.leave not in text
        assert SENDER.postal_address in text


def test_text_and_html_have_the_same_link_and_the_same_law() -> None:
    parts = [part.get_content() for part in _note().iter_parts()]
    assert len(parts) == 2
    for text in parts:
        for due in (READER.change, READER.leave, SENDER.privacy_officer, SENDER.tenant_name):
            assert due in text


@pytest.mark.parametrize("recipient", ["a@exemple.quebec\r\nBcc: b@x", "é@x", ""])
def test_an_address_that_cannot_be_written_to_is_refused(recipient: str) -> None:
    with pytest.raises(LetterUnwritable):
        _note(recipient)
