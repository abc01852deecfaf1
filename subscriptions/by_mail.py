"""Unsubscribing by mail: the `mailto:` of List-Unsubscribe, read out of a message (pure).

Some readers of mail only offer that (RFC 2369). Only our signed tag counts, wherever
the subject has it; who wrote, and from where, says nothing.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.header import decode_header, make_header
from email.message import Message

from subscriptions.errors import LinkRefused
from subscriptions.links import Links, Purpose

#: What a subject is read of at most: longer is nothing we wrote.
_LONGEST = 2000
_TAG = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")


def mailto(address: str, leave_url: str) -> str:
    """The address whose message unsubscribes: the tag of the link to leave is its subject."""
    return f"mailto:{address}?subject={leave_url.rsplit('/', 1)[1]}"


def read_unsubscribe(message: Message, links: Links, at: datetime) -> str | None:
    """Whose unsubscribe that message is: a Contact.public_id; None where it is none.

    An automatic answer (RFC 3834) is none, though it repeats the subject it answers.
    """
    if str(message.get("Auto-Submitted", "no")).strip().lower().split(";")[0] != "no":
        return None
    for tag in _tags(message):
        try:
            return links.read(Purpose.LEAVE, tag, at).public_id
        except LinkRefused:
            continue
    return None


def _tags(message: Message) -> list[str]:
    subject = _subject(message)
    # A long subject may have been folded within the tag.
    return _TAG.findall(subject) or _TAG.findall(re.sub(r"\s", "", subject))


def _subject(message: Message) -> str:
    """The subject, decoded as far as it can be."""
    raw = str(message.get("Subject", ""))[:_LONGEST]
    try:
        return str(make_header(decode_header(raw)))
    except (ValueError, LookupError):
        return raw
