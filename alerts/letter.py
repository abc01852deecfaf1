"""A digest written as a letter: subject, text and HTML within the size that clients show whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Self

from jinja2 import Template, TemplateError

from alerts import message
from alerts.digest import Digest
from alerts.errors import LetterUnwritable
from alerts.templates import template
from base.text import clean
from subscriptions.by_mail import mailto

#: Octets on the wire; Gmail clips at 102 kB, and with it the footer.
LIMIT = 80_000
#: What cards may take where not all fit, so that one-line entries follow.
CARDS_LIMIT = 60_000
#: More entries than these never fit; keeps the search short.
MOST_CARDS = 100
MOST_LINES = 300
_LINK = re.compile(r"https?://[!#-;=?-~]{1,900}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who writes, as the law asks each letter to say (LCAP, SOR/2012-36 s. 2)."""

    tenant_name: str
    postal_address: str
    contact_email: str
    privacy_officer: str
    public_url: str
    author_email: str
    list_domain: str
    #: Reads the answers to `mailto:`; "" where no mailbox is read.
    bounce_email: str = ""


@dataclass(frozen=True, slots=True)
class ReaderLinks:
    """One reader's signed addresses: to leave at once, to change what they get."""

    leave: str
    change: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Composed:
    """A message ready for the wire."""

    content: bytes
    message_id: str
    subject: str
    #: Notices shown as whole cards; the others are one-line entries or counted.
    shown: int


@dataclass(frozen=True, slots=True)
class Press:
    """Compiled templates and who writes; made once a process."""

    sender: Sender
    subject: Template
    text: Template
    html: Template

    @classmethod
    def of(cls, sender: Sender) -> Self:
        """Read, inline and compile the digest's templates (cached)."""
        names = ("subject.txt", "body.txt", "body.html")
        return cls(sender, *(template(f"emails/digest/{name}") for name in names))


def message_id(key: str, list_domain: str) -> str:
    """The same for each attempt at one letter; tells nothing about the reader."""
    return f"<{message.digits(key)}@{list_domain}>"


def compose(
    press: Press, digest: Digest, links: ReaderLinks, *, recipient: str, key: str, at: datetime
) -> Composed:
    """Write the letter; `at` is its Date and what days left are counted from.

    Raises:
        LetterUnwritable: an address or link that cannot be mailed, or a template that fails.
    """
    if not all(_LINK.fullmatch(link) for link in (links.leave, links.change)):
        raise LetterUnwritable("the reader's links are no web addresses")
    try:
        return _composed(press, digest, links, recipient=recipient, key=key, at=at)
    except (TemplateError, UnicodeError, OverflowError, TypeError) as error:
        raise LetterUnwritable(f"{type(error).__name__}: {error}") from error


def _composed(
    press: Press, digest: Digest, links: ReaderLinks, *, recipient: str, key: str, at: datetime
) -> Composed:
    dates = [n.closes_at for n in digest.notices if n.closes_at and n.closes_at > at]
    context = {
        "digest": digest,
        "links": links,
        "sender": press.sender,
        "at": at,
        "total": len(digest.notices),
        "nearest": min(dates, default=None),
        "sectors": "; ".join(clean(label) for label in digest.sectors),
    }
    subject = clean(press.subject.render(context))
    context["subject"] = subject
    headers = _headers(
        press.sender,
        digest=digest,
        links=links,
        subject=subject,
        recipient=recipient,
        key=key,
        at=at,
    )

    def written(cards: int, lines: int) -> bytes:
        return _written(press, headers, context, message.digits(key), cards=cards, lines=lines)

    content, shown = _fitted(written, len(digest.notices))
    identity = message_id(key, press.sender.list_domain)
    return Composed(content=content, message_id=identity, subject=subject, shown=shown)


def _written(
    press: Press,
    headers: list[str],
    context: dict[str, object],
    mark: str,
    *,
    cards: int,
    lines: int,
) -> bytes:
    digest = context["digest"]
    assert isinstance(digest, Digest)  # noqa: S101, narrows for the type checker
    entries = {
        "cards": digest.notices[:cards],
        "lines": digest.notices[cards : cards + lines],
        "rest": len(digest.notices) - cards - lines,
    }
    words = context | entries
    text, html = press.text.render(words), press.html.render(words)
    return message.alternative(headers, text, html, boundary=f"=_{mark}")


def _fitted(written: Callable[[int, int], bytes], notices: int) -> tuple[bytes, int]:
    """All as cards where they fit; else cards, one-line entries, and a count of the rest."""
    if notices <= MOST_CARDS and len(content := written(notices, 0)) <= LIMIT:
        return content, notices
    most = min(notices, MOST_CARDS)
    cards = _greatest(most, lambda n: len(written(n, 0)) <= CARDS_LIMIT)
    most = min(notices - cards, MOST_LINES)
    lines = _greatest(most, lambda n: len(written(cards, n)) <= LIMIT)
    content = written(cards, lines)
    if len(content) > LIMIT:
        raise LetterUnwritable(f"{len(content)} octets without any notice: over {LIMIT}")
    return content, cards


def _greatest(most: int, fits: Callable[[int], bool]) -> int:
    """The greatest number up to `most` that fits; 0 where none does."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _headers(
    sender: Sender,
    *,
    digest: Digest,
    links: ReaderLinks,
    subject: str,
    recipient: str,
    key: str,
    at: datetime,
) -> list[str]:
    return [
        message.mailbox("From", clean(sender.tenant_name), sender.author_email),
        message.raw("To", message.address(recipient)),
        *reply_to(sender),
        message.words("Subject", subject),
        message.raw("Date", format_datetime(at)),
        message.raw("Message-ID", message_id(key, sender.list_domain)),
        message.raw("List-Id", f"<{digest.stream}.{sender.list_domain}>"),
        *unsubscribe(sender, links.leave),
        message.raw("List-Help", f"<{links.change}>"),
        message.raw("Auto-Submitted", "auto-generated"),
        message.raw("X-Auto-Response-Suppress", "OOF, AutoReply"),
    ]


def unsubscribe(sender: Sender, leave: str) -> list[str]:
    """One click first (RFC 8058); by mail, a line of its own, where a mailbox is read."""
    ways = f"<{leave}>"
    if sender.bounce_email:
        ways += f", <{mailto(message.address(sender.bounce_email), leave)}>"
    return [
        message.raw("List-Unsubscribe", ways).replace(", ", ",\r\n "),
        message.raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]


def reply_to(sender: Sender) -> list[str]:
    """Where a person answers, unless that is a web page."""
    answers = "@" in sender.contact_email and "://" not in sender.contact_email
    return [message.raw("Reply-To", message.address(sender.contact_email))] if answers else []
