"""What a relay's reply means, by its code, its enhanced code and its phase (pure).

The table is that of RFC 5321, section 4.2, and RFC 3463, read for a service that writes to one
recipient a transaction; real replies of large hosts are in tests/alerts/test_replies.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where a transaction ended."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class Outcome(StrEnum):
    """What became of a letter, by reply code and phase; never by class of exception."""

    ACCEPTED = "accepted"  #: 2yz to the dot: the relay has taken charge
    DEFERRED = "deferred"  #: 4yz, or the connection lost before the dot: again later
    BUSY = "busy"  #: 4yz to MAIL: the relay wants no mail now, whoever's
    DEAD_ADDRESS = "dead_address"  #: 5.1.x or 5.2.1 to RCPT: suppress the address
    REFUSED = "refused"  #: 5yz for this letter: never again, the address is not to blame
    POLICY = "policy"  #: 5.7.x: we are not welcome; several hold the run
    MISCONFIGURED = "misconfigured"  #: 5yz to MAIL, 530: our side, whatever the letter
    UNKNOWN = "unknown"  #: silence or nonsense after the dot: nobody knows


@dataclass(frozen=True, slots=True)
class Receipt:
    """How one transaction ended."""

    outcome: Outcome
    phase: Phase
    #: The relay's own words, e.g. "550 5.1.1 no such user"; or ours where it said nothing.
    reply: str


#: Ironport writes «#5.1.0».
_ENHANCED = re.compile(r"\d{3} #?([245]\.\d{1,3}\.\d{1,3})\b")
#: The address is dead: RFC 3463, 5.1.x without what speaks of the sender (7, 8) or of a relay
#: on the way (9); and 5.2.1, a mailbox that was disabled.
_DEAD = re.compile(r"5\.1\.(?:[0-6]|10)|5\.2\.1")
#: Our sender's address or domain is not believed.
_SENDER = re.compile(r"5\.1\.[789]")
#: What is said without an enhanced code, or with an empty one, when a filter turns us away.
_POLICY = re.compile(
    r"spam|\bpolic|\bblock(?:ed|list)|black ?list|\brbl\b|\bdnsbl\b|reputation|\bspf\b|\bdkim\b"
    r"|\bdmarc\b|\brelay|not permitted|pourriel|politique|bloqu[ée]|liste noire",
    re.IGNORECASE,
)
#: Commands out of order or not known, no TLS or no AUTH: it speaks of us, not of the letter.
_OURS = frozenset({500, 502, 503, 504, 530, 534, 535, 538, 555})


def enhanced(reply: str) -> str:
    """The enhanced code at the beginning of a reply, «5.1.1»; "" without, or of another class."""
    found = _ENHANCED.match(reply)
    return found[1] if found and found[1][0] == reply[0] else ""


def is_dead(status: str) -> bool:
    """Whether an enhanced code says that the address itself is dead."""
    return _DEAD.fullmatch(status) is not None


def is_policy(status: str, words: str = "") -> bool:
    """Whether a refusal is about us: 5.7.x or 4.7.x, our sender, or a filter's words."""
    if status in {"", "5.0.0", "4.0.0"}:
        return _POLICY.search(words) is not None
    return status[2:4] == "7." or _SENDER.fullmatch(status) is not None


def classify(phase: Phase, code: int, reply: str) -> Outcome:
    """What a refusal (4yz, 5yz, or a code that has no place in its phase) means."""
    if code < 500:
        return Outcome.BUSY if phase is Phase.MAIL else Outcome.DEFERRED
    status = enhanced(reply)
    if phase is Phase.MAIL or (code in _OURS and phase is not Phase.DOT):
        return Outcome.MISCONFIGURED
    if is_policy(status, reply) or (phase is Phase.DATA and not status):
        return Outcome.POLICY
    if phase is Phase.RCPT and is_dead(status):
        return Outcome.DEAD_ADDRESS
    if status == "5.2.2" or (phase is Phase.RCPT and code == 552 and not status):
        return Outcome.DEFERRED
    return Outcome.REFUSED
