"""Unsubscribing by mail: only our signed tag counts, however the subject was mangled."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.message import EmailMessage

import pytest

from subscriptions.by_mail import mailto, read_unsubscribe
from subscriptions.links import Links

AT = datetime(2026, 9, 21, 14, tzinfo=UTC)
WHO = "00ff10a0b0c0d0e0"
LINKS = Links(("k" * 32,), "https://alertes.exemple.quebec")
LEAVE = LINKS.leave(WHO, 1, AT - timedelta(days=300))
TAG = LEAVE.rsplit("/", 1)[1]


def _message(subject: str, *headers: str) -> EmailMessage:
    lines = [f"Subject: {subject}", "From: quelqu.un@exemple.invalid", *headers, "", ""]
    raw = "\r\n".join(lines).encode("utf-8", "surrogateescape")
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_the_address_carries_the_tag_and_nothing_else() -> None:
    assert mailto("retours@exemple.quebec", LEAVE) == f"mailto:retours@exemple.quebec?subject={TAG}"


@pytest.mark.parametrize(
    "subject",
    [
        TAG,
        f"Re: {TAG}",
        f"RE : TR : {TAG} (désabonnement)",
        f"{TAG[:20]}\r\n {TAG[20:]}",
        Header(f"Re: {TAG}", "utf-8").encode(linesep="\r\n"),
        f"=?utf-8?q?{TAG}?=",
        f"<{TAG}>",
        f'"{TAG}".',
    ],
    ids=["plain", "re", "french", "folded", "encoded", "q", "brackets", "quoted"],
)
@pytest.mark.parametrize("policy", [email.policy.default, email.policy.compat32])
def test_a_mangled_subject_still_unsubscribes(subject: str, policy: email.policy.Policy) -> None:
    raw = f"Subject: {subject}\r\nFrom: a@exemple.invalid\r\n\r\n".encode()
    message = email.message_from_bytes(raw, policy=policy)  # type: ignore[arg-type]
    assert read_unsubscribe(message, LINKS, AT) == WHO


@pytest.mark.parametrize(
    "message",
    [
        _message(TAG, "Auto-Submitted: auto-replied"),
        _message(TAG, "Auto-Submitted: Auto-Generated; owner=x"),
        _message(""),
        _message("désabonnement"),
        _message(TAG[:-1] + ("A" if TAG[-1] != "A" else "B")),
        _message(TAG.upper()),
        _message("A" * 100_000),
        _message(f"x{TAG}"),
        _message("=?x-unknown?b?////?="),
        _message("=?utf-8?b?%%%?= \x00\ufffd"),
        EmailMessage(),
    ],
    ids=[
        "vacation", "robot", "empty", "words", "forged", "upper", "long", "glued", "charset",
        "broken", "no subject",
    ],
)  # fmt: skip
def test_what_is_not_signed_by_us_unsubscribes_nobody(message: EmailMessage) -> None:
    assert read_unsubscribe(message, LINKS, AT) is None


def test_a_link_to_change_is_no_wish_to_leave() -> None:
    tag = LINKS.change(WHO, 1, AT).rsplit("/", 1)[1]
    assert read_unsubscribe(_message(tag), LINKS, AT) is None
