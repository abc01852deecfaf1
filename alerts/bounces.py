"""A message in the bounce mailbox -> what it says, and what it may be about (pure).

Delivery status notifications (RFC 3464), complaints (RFC 5965), automatic replies, and the
rest. Nothing here is proven: alerts.returns asks whether we signed what is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.message import Message

from alerts import inbound, verp
from alerts.bounces_dsn import MILDEST, STATUS, Report, ReturnKind, reports, without_addresses
from alerts.verp import Tag
from base.text import fold

#: What can go wrong with a hostile message beyond what the limits hold off.
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, RecursionError, MessageError)
#: Where a return path is found: as delivered, in the reports, and in the returned letter.
_DELIVERED = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_REPORTED = ("Original-Envelope-Id", "X-Postfix-Sender", "Original-Mail-From")
_RETURNED = ("Return-Path", "X-Envelope-From")
#: Feedback-Type of a reader who wants no more (RFC 5965, 7.3; opt-out by use).
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
_AUTOMATIC = re.compile(
    r"^(?:(?:re|tr|fw) )*(?:reponse automatique|message automatique|automatic reply|auto ?reply"
    r"|automatische antwort|absence|absente?\b|out of (?:the )?office|vacation|en vacances|conge)"
)
_COPY = re.compile(r"(?im)^(?:-+ *)?(?:below this line|this is a copy|original message|copie du)")
_LEAVE = re.compile(r"/d/([A-Za-z0-9_.-]{39})")
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")


@dataclass(frozen=True, slots=True)
class Traces:
    """What may name the letter, none of it proven."""

    tags: tuple[Tag, ...] = ()
    message_ids: tuple[str, ...] = ()
    #: Tokens of links to leave, as in List-Unsubscribe.
    leave_tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Returned:
    """One message of the bounce mailbox."""

    #: One a recipient; never empty.
    reports: tuple[Report, ...]
    traces: Traces
    subject: str = ""

    def about(self, address: str) -> Report:
        """What it says about a letter to `address`.

        Where no recipient is that address (it was redacted, or stands for others), the mildest
        of all counts: one dead mailbox behind a living one kills nothing.
        """
        ours = [one for one in self.reports if address in one.recipients] or self.reports
        return min(ours, key=lambda one: _mildness(one.kind))


def read(content: bytes) -> Returned:
    """What a message says; whatever it is, there is an answer."""
    try:
        message = inbound.read(content)
        if message is not None:
            return _read(message)
    except MALFORMED:
        pass
    head = content[: inbound.LARGEST].partition(b"\n\n")[0].decode("latin-1")
    return Returned((Report(ReturnKind.OTHER),), Traces(tuple(verp.find(head))))


def _read(message: Message) -> Returned:
    found = list(inbound.parts(message))
    by_type: dict[str, list[Message]] = {}
    for part in found:
        by_type.setdefault(part.get_content_type(), []).append(part)
    status = by_type.get("message/delivery-status", [])
    feedback = by_type.get("message/feedback-report", [])
    said = [report for part in status for report in reports(part)]
    return Returned(
        reports=tuple(said) or (_unreported(message, found, feedback),),
        traces=_traces(message, [*status, *feedback], _returned(by_type)),
        subject=without_addresses(inbound.header(message, "Subject")),
    )


def _unreported(message: Message, found: list[Message], feedback: list[Message]) -> Report:
    """What a message without a delivery status is."""
    for part in feedback:
        for group in inbound.groups(part):
            if inbound.header(group, "Feedback-Type").lower() in _COMPLAINTS:
                return Report(ReturnKind.COMPLAINT)
    if feedback or not _is_from_a_host(message):
        automatic = not feedback and _is_automatic(message)
        return Report(ReturnKind.AUTO_REPLY if automatic else ReturnKind.OTHER)
    if _is_automatic(message):
        return Report(ReturnKind.AUTO_REPLY)
    words = _own_words(found)
    code = STATUS.search(words)
    return Report(ReturnKind.UNCLEAR, code[1] if code else "", without_addresses(words))


def _is_from_a_host(message: Message) -> bool:
    """Whether nobody wrote it: the null return path, a mailer's name, a report by its type."""
    author = fold(inbound.header(message, "From"))
    return (
        _is_report(message)
        or inbound.header(message, "Return-Path") == "<>"
        or message.get("X-Failed-Recipients") is not None
        or any(name in author for name in ("mailer daemon", "postmaster", "mail delivery"))
    )


def _is_report(message: Message) -> bool:
    return "delivery-status" in inbound.header(message, "Content-Type").lower()


def _is_automatic(message: Message) -> bool:
    """Whether a robot answered for somebody (RFC 3834), or a mailbox said that it was read."""
    if _is_report(message):
        return False
    answered = inbound.header(message, "Auto-Submitted").lower().startswith("auto-replied")
    receipt = "disposition-notification" in inbound.header(message, "Content-Type").lower()
    robot = any(message.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))
    precedence = inbound.header(message, "Precedence").lower() == "auto_reply"
    named = _AUTOMATIC.match(fold(inbound.header(message, "Subject"))) is not None
    reports_failure = message.get("X-Failed-Recipients") is not None
    return receipt or robot or precedence or named or (answered and not reports_failure)


def _own_words(found: Iterable[Message]) -> str:
    """What the host says before it quotes the letter."""
    texts = (inbound.text(part) for part in found if part.get_content_type() == "text/plain")
    return _COPY.split(next(texts, "")[:4000])[0]


def _returned(by_type: dict[str, list[Message]]) -> Iterator[Message]:
    """The headers of the letter that came back, whole or alone."""
    for part in by_type.get("message/rfc822", []):
        inner = part.get_payload()
        if isinstance(inner, list):
            yield from (one for one in inner[:1] if isinstance(one, Message))
    for part in by_type.get("text/rfc822-headers", []):
        yield from inbound.groups(part)[:1]


def _traces(message: Message, told: Iterable[Message], returned: Iterable[Message]) -> Traces:
    fields = [group for part in told for group in inbound.groups(part)]
    letters = list(returned)
    sources = ((_DELIVERED, [message]), (_REPORTED, fields), (_RETURNED, letters))
    places = [
        inbound.header(one, name) for names, many in sources for one in many for name in names
    ]
    ids = [inbound.header(one, "Message-ID") for one in letters]
    ids += [inbound.header(message, name) for name in ("In-Reply-To", "References")]
    leave = " ".join(inbound.header(one, "List-Unsubscribe") for one in letters)
    return Traces(
        tags=tuple(dict.fromkeys(verp.find(" ".join(places)))),
        message_ids=tuple(dict.fromkeys(_MESSAGE_ID.findall(" ".join(ids))))[:10],
        leave_tokens=tuple(dict.fromkeys(_LEAVE.findall(leave)))[:10],
    )


def _mildness(kind: ReturnKind) -> int:
    return MILDEST.index(kind) if kind in MILDEST else 0
