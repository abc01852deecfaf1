"""Delivery status notifications (RFC 3464): one report a recipient (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from alerts import inbound
from alerts.replies import is_dead, is_policy
from base.text import clean


class ReturnKind(StrEnum):
    """What came back, by its effect."""

    HARD = "hard"  #: 5.1.x, 5.2.1: the address is dead; two letters within a month suppress it
    SOFT = "soft"  #: full, no answer, no reason given: scored
    POLICY = "policy"  #: 5.7.x: we are not welcome; never the address's fault
    CONTENT = "content"  #: this letter was too large or malformed for its reader
    UNCLEAR = "unclear"  #: it came back, nobody says in a readable way why: scored as soft
    DELAYED = "delayed"  #: still being tried: nothing to do
    DELIVERED = "delivered"  #: delivered, relayed or expanded: nothing to do
    COMPLAINT = "complaint"  #: «this is spam»: suppressed at once
    AUTO_REPLY = "auto_reply"  #: out of office, read receipt: nothing to do
    OTHER = "other"  #: anything else: for a person to read


#: Those that say that the letter did not arrive.
FAILURES = frozenset({ReturnKind.HARD, ReturnKind.SOFT, ReturnKind.POLICY, ReturnKind.CONTENT})
#: The mildest first: what is said of an address that stands for several mailboxes.
MILDEST = (
    ReturnKind.DELIVERED,
    ReturnKind.DELAYED,
    ReturnKind.CONTENT,
    ReturnKind.POLICY,
    ReturnKind.UNCLEAR,
    ReturnKind.SOFT,
    ReturnKind.HARD,
)


@dataclass(frozen=True, slots=True)
class Report:
    """What is said about one recipient."""

    kind: ReturnKind
    #: Enhanced code (RFC 3463), "5.1.1"; "" where none is given.
    status: str = ""
    #: The host's own words, one line, without addresses.
    diagnostic: str = ""
    #: Original-Recipient and Final-Recipient, lower case.
    recipients: frozenset[str] = frozenset()


STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_ADDRESS = re.compile(r"[^\s<>()\"';,:]+@[^\s<>()\"';,]+")
#: Whatever stands around an @, however spoiled.
_AROUND = re.compile(r"\S*@\S*")
_LONGEST = 500
_DONE = ("delivered", "relayed", "expanded")


def reports(part: Message) -> list[Report]:
    """The reports of a message/delivery-status part, in order.

    A host that forgets the blank line between message and recipient is understood too.
    """
    about = ("Final-Recipient", "Original-Recipient", "Action", "Status")
    return [
        _report(group)
        for group in inbound.groups(part)
        if any(group.get(name) is not None for name in about)
    ]


def without_addresses(words: str) -> str:
    """One line of a stranger's words as it may be kept: no address, cut where long."""
    return _AROUND.sub("<…>", clean(words))[:_LONGEST]


def _report(group: Message) -> Report:
    words = inbound.header(group, "Diagnostic-Code")
    status = _status(inbound.header(group, "Status"), words)
    recipients = (
        _mailbox(inbound.header(group, name)) for name in ("Original-Recipient", "Final-Recipient")
    )
    return Report(
        kind=_kind(inbound.header(group, "Action").lower(), status, words),
        status=status,
        diagnostic=without_addresses(words),
        recipients=frozenset(filter(None, recipients)),
    )


def _status(written: str, diagnostic: str) -> str:
    """The Status, or the diagnostic's own code where Status says nothing («5.0.0») or is absent."""
    given, quoted = STATUS.search(written), STATUS.search(diagnostic)
    if given and not given[1].endswith(".0.0"):
        return given[1]
    return quoted[1] if quoted else given[1] if given else ""


def _kind(action: str, status: str, words: str) -> ReturnKind:
    if action.startswith(_DONE) or (not action and status.startswith("2.")):
        return ReturnKind.DELIVERED
    if action.startswith("delayed"):
        return ReturnKind.DELAYED
    if is_policy(status, words):
        return ReturnKind.POLICY
    if is_dead(status):
        return ReturnKind.HARD
    if status[2:4] == "6." or status[2:] in {"3.4", "2.3"}:
        return ReturnKind.CONTENT
    return ReturnKind.SOFT if action or status or words else ReturnKind.UNCLEAR


def _mailbox(field: str) -> str:
    """The address of «rfc822; anne@exemple.quebec», whatever stands around it."""
    found = _ADDRESS.search(field.partition(";")[2] or field)
    return found[0].lower() if found else ""
