"""A digest written as a letter: subject, text and HTML within the size that clients show whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from operator import attrgetter
from typing import Self

from jinja2 import TemplateError

from alerts import message
from alerts.digest import Digest
from alerts.errors import LetterUnwritable
from alerts.fitting import LIMIT, fitted
from alerts.printing import LINK, Foot, Gist, Printed, Printer, filling
from alerts.templates import cut, wrap
from base.text import clean
from subscriptions.by_mail import mailto

#: Written as it is in both parts: without what HTML escapes.
_LINK = re.compile(r"https?://[!#-%(-;=?-~]{1,900}")


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
    """Who writes, and with what; made once a process."""

    sender: Sender
    printer: Printer

    @classmethod
    def of(cls, sender: Sender) -> Self:
        """Read, inline and compile the digest's templates (cached)."""
        return cls(sender, Printer(sender))


def message_id(key: str, list_domain: str) -> str:
    """The same for each attempt at one letter; tells nothing about the reader."""
    return _identity(message.digits(key), list_domain)


def _identity(mark: str, list_domain: str) -> str:
    return f"<{mark}@{list_domain}>"


def compose(
    press: Press, digest: Digest, links: ReaderLinks, *, recipient: str, key: str, at: datetime
) -> Composed:
    """Write the letter; `at` is its Date and what days left are counted from.

    Raises:
        LetterUnwritable: an address or link that cannot be mailed, or a template that fails.
    """
    if not (_LINK.fullmatch(links.leave) and _LINK.fullmatch(links.change)):
        raise LetterUnwritable("the reader's links are no web addresses")
    try:
        return _composed(press, digest, links, recipient=recipient, key=key, at=at)
    except (TemplateError, UnicodeError, OverflowError, TypeError) as error:
        raise LetterUnwritable(f"{type(error).__name__}: {error}") from error


def _composed(
    press: Press, digest: Digest, links: ReaderLinks, *, recipient: str, key: str, at: datetime
) -> Composed:
    printer, mark = press.printer, message.digits(key)
    shown = sorted(map(printer.moment(at).__getitem__, digest.notices), key=_RANK)
    gist = Gist.of(digest, shown, at)
    opening = printer.opening(gist)
    foot = printer.foot(Foot(digest.coverage, digest.gaps, digest.credits))
    lead = printer.lead(gist.sole, sole=True) if gist.sole else shown[0].lead
    text, html = _slots(digest, links, lead)
    identity = _identity(mark, press.sender.list_domain)
    headers = [
        *_headers(press.sender, digest.stream, at),
        message.raw("To", message.address(recipient)),
        message.words("Subject", opening.subject),
        message.raw("Message-ID", identity),
        *unsubscribe(press.sender, links.leave),
        message.raw("List-Help", f"<{links.change}>"),
    ]
    start, middle, end = message.alternative(headers, boundary=f"=_{mark}")
    before = (start + opening.top.text % text, middle + opening.top.html % html)
    after = (foot.text % text, foot.html % html + end)
    link = text[b"change"]
    room = LIMIT - sum(map(len, before + after))
    entries, cards = fitted(printer, shown, digest.stream, room=room, link=len(link))
    content = b"".join(
        (
            before[0],
            *map(_TEXT, entries),
            after[0] + before[1],
            *map(_HTML, entries),
            after[1],
        )
    ).replace(LINK, link)
    return Composed(content=content, message_id=identity, subject=opening.subject, shown=cards)


_RANK, _TEXT, _HTML = attrgetter("rank"), attrgetter("text"), attrgetter("html")


def _slots(
    digest: Digest, links: ReaderLinks, lead: Printed
) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """What only this reader's letter says, for the text and for the HTML part."""
    member, sectors = cut(clean(digest.member_name)), _listed(digest.sectors)
    name, whose = filling(cut(clean(digest.contact_name), 100)), filling(wrap(member), member)
    text = {
        b"change": message.ended(links.change),
        b"leave": message.ended(links.leave),
        b"lead": lead.text,
        b"sectors": sectors.text,
        b"name": name.text,
        b"member": whose.text,
    }
    html = {b"lead": lead.html, b"sectors": sectors.html, b"name": name.html, b"member": whose.html}
    return text, text | html


@lru_cache(maxsize=1000)
def _listed(labels: tuple[str, ...]) -> Printed:
    sectors = "; ".join(clean(label) for label in labels)
    return filling(wrap(sectors), sectors)


@lru_cache(maxsize=100)
def _headers(sender: Sender, stream: str, at: datetime) -> list[str]:
    """Those that all letters of a stream and moment have."""
    return [
        message.mailbox("From", clean(sender.tenant_name), sender.author_email),
        *reply_to(sender),
        message.raw("Date", format_datetime(at)),
        message.raw("List-Id", f"<{stream}.{sender.list_domain}>"),
        message.raw("Auto-Submitted", "auto-generated"),
        message.raw("X-Auto-Response-Suppress", "OOF, AutoReply"),
    ]


_ONE_CLICK = message.raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


def unsubscribe(sender: Sender, leave: str) -> list[str]:
    """One click first (RFC 8058); by mail, a line of its own, where a mailbox is read."""
    ways = f"<{leave}>"
    if sender.bounce_email:
        ways += f", <{mailto(message.address(sender.bounce_email), leave)}>"
    return [
        message.raw("List-Unsubscribe", ways).replace(", ", ",\r\n "),
        _ONE_CLICK,
    ]


def reply_to(sender: Sender) -> list[str]:
    """Where a person answers, unless that is a web page."""
    answers = "@" in sender.contact_email and "://" not in sender.contact_email
    return [message.raw("Reply-To", message.address(sender.contact_email))] if answers else []
