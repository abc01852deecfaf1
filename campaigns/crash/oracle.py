"""Who should have got what: the second implementation, by sets and loops over the fixtures.

It knows nothing of the product: neither its tables nor its code.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy

from campaigns.crash.world import World

#: (address, number of the call).
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that the sink took charge of."""

    address: str
    message_id: str
    #: Number of each call in it, and whether it is marked « peut-être déjà reçu ».
    calls: dict[str, bool]
    #: Seconds since the epoch: when DATA began, and when it was accepted.
    began: float
    at: float


def calls_in(content: bytes) -> dict[str, bool]:
    """The calls that a letter tells, by its text part."""
    part = message_from_bytes(content, policy=policy.default).get_body(("plain",))
    text = part.get_content().replace("\r\n", "\n") if part is not None else ""
    told = {}
    for block in text.split("\n\n"):
        for number in re.findall(r"\b9\d{7}\b", block):
            told[number] = "peut-être déjà reçu" in block.casefold()
    return told


def expected(world: World, rounds: int) -> set[Pair]:
    """Each reader who may be mailed at the end, with each call of its sectors."""
    gone = set()
    for changes in world.changes[:rounds]:
        for change in changes:
            if not change.returns:
                gone.add(change.reader)
    pairs = set()
    for reader in world.readers:
        for calls in world.calls[:rounds]:
            for call in calls:
                if reader.name not in gone and call.sector in reader.sectors:
                    pairs.add((reader.address, call.number))
    return pairs


def possible(world: World, rounds: int) -> set[Pair]:
    """Whatever anybody may have got."""
    pairs = set()
    for reader in world.readers:
        for calls in world.calls[:rounds]:
            for call in calls:
                if call.sector in reader.sectors:
                    pairs.add((reader.address, call.number))
    return pairs


def copies(accepted: Iterable[Accepted]) -> int:
    """Messages beyond the first of one Message-ID."""
    seen: dict[str, int] = defaultdict(int)
    for one in accepted:
        seen[one.message_id] += 1
    return sum(count - 1 for count in seen.values())


def repeats(accepted: Iterable[Accepted]) -> tuple[int, int]:
    """What came again to the same reader in another message: (messages marked so, calls not)."""
    told: dict[Pair, set[str]] = defaultdict(set)
    marked: set[str] = set()
    unmarked = 0
    for one in sorted(accepted, key=lambda each: each.at):
        for number, again in one.calls.items():
            before = told[one.address, number]
            if before and one.message_id not in before:
                if again:
                    marked.add(one.message_id)
                else:
                    unmarked += 1
            before.add(one.message_id)
    return len(marked), unmarked
