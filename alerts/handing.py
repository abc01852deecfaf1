"""How letters are handed over, and what became of those of one run (values)."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from alerts import outbox
from alerts.delivery import Outcome, Relay
from alerts.entitlement import REPLY_WITHIN
from alerts.journal import Journal
from alerts.postponed import Postponed
from alerts.verp import Verp
from base.logs import bare

logger = logging.getLogger(__name__)

#: The clock, for what lasts: each step must be judged at its own instant.
Now = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class Handing:
    """How letters are handed over."""

    relay: Relay
    #: The envelope's sender, where bounces return.
    sender: str
    #: MAIL_ALLOWED.
    allowed: frozenset[str]
    journal: Journal
    #: Signs the letter into that sender; None leaves it as it is.
    verp: Verp | None = None
    connections: int = 4
    #: Letters claimed at once.
    lot: int = 100
    #: Letters a connection carries before it is renewed.
    letters_a_connection: int = 100
    #: Letters a second, over all connections; 0 for no limit.
    pace: float = 0.0
    lease: timedelta = outbox.LEASE
    reply_within: timedelta = REPLY_WITHIN
    #: Policy refusals (5.7.x) in a run that hold everything.
    most_policy_refusals: int = 3
    #: Unsubscribes that the pages kept while the database was locked.
    postponed: Postponed | None = None


class Fault(StrEnum):
    """What ended a run early."""

    HELD = "held"  #: everything is held
    POLICY = "policy"  #: this run met the third policy refusal, and holds everything
    DATABASE = "database"  #: it, or the journal, cannot be written
    REFUSED = "refused"  #: certificate, credentials or sender: the relay refuses us
    UNREACHABLE = "unreachable"  #: no connection, or the relay asks to come back later


@dataclass(slots=True)
class Tally:
    """What became of the letters of one run."""

    outcomes: Counter[str] = field(default_factory=Counter)
    #: Letters withheld before the dot, by Why, or "claim lost".
    withheld: Counter[str] = field(default_factory=Counter)
    #: Letters that our own code could not hand over (alerts.quarantine).
    quarantined: int = 0
    #: Why the run ended early, in words for the log; "" where it did not.
    stopped: str = ""
    fault: Fault | None = None

    @property
    def accepted(self) -> int:
        """Letters that the relay took charge of."""
        return self.outcomes[Outcome.ACCEPTED]


@dataclass(slots=True)
class Course:
    """How one run goes: what became of its letters so far, and whether it goes on."""

    stop: threading.Event = field(default_factory=threading.Event)
    tally: Tally = field(default_factory=Tally)

    @property
    def is_over(self) -> bool:
        """Whether no further letter is begun."""
        return self.stop.is_set() or bool(self.tally.stopped)

    def stopped(self, fault: Fault, words: str) -> None:
        """End the run; the first fault is the one that is told."""
        if not self.tally.stopped:
            self.tally.fault, self.tally.stopped = fault, words
            logger.error("handing over stopped", extra={"reason": bare(words)})
