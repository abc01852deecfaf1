"""What befalls the contact of each letter of the interleavings, and at which phase."""

from __future__ import annotations

import random
from dataclasses import dataclass

from campaigns.changes import CHANGES

#: Letters of one run of the dispatcher.
LOT = 56
#: Committed before the one statement; being committed while it begins; while it is open (must
#: wait); after its commit.
BEFORE = ("written", "claimed", "offered", "at the gate", "committing")
AFTER = ("within", "passed", "dotted")


@dataclass
class Plan:
    """One letter, and what befalls its contact when."""

    change: str
    phase: str
    contact_id: int = 0
    letter_id: int = 0
    address: str = ""
    key: str = ""
    #: When the commit of the change had returned, and when that of the statement was begun.
    changed_at: float = 0.0
    begun_at: float = 0.0
    started: bool = False


def planned(letters: int, seed: int) -> list[list[Plan]]:
    """Every change at every phase, as often as it takes, in an order drawn from the seed."""
    every = [(change, phase) for change in CHANGES for phase in (*BEFORE, *AFTER)]
    draw = random.Random(seed)
    runs = []
    for _ in range(-(-letters // LOT)):
        pairs = [every[i % len(every)] for i in range(LOT)]
        draw.shuffle(pairs)
        runs.append([Plan(change, phase) for change, phase in pairs])
    return runs
