"""What is recorded of one contact and one call, that an explanation is made from (values)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alerts.classification import Classified, Facts
from alerts.digest import Reason
from alerts.matching import NearMiss, Wanted
from alerts.tables import Stream, Why
from sources.places import Place
from sources.release import Status
from subscriptions.tables import EVERY_DAY, Frequency


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterFacts:
    """A letter's row, without its bytes."""

    id: int
    state: str
    written_at: datetime
    settled_at: datetime | None
    #: The relay's own words.
    reply: str
    #: A Why, or "".
    why: str
    #: "2026-W39" of its edition, or "".
    edition: str
    notices: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldFacts:
    """A row of the ledger."""

    state: str
    at: datetime
    reasons: tuple[Reason, ...]
    letter: LetterFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What an edition decided for the contact."""

    at: datetime
    edition: str
    #: Why no letter was written; None where one was.
    why: Why | None
    letter: LetterFacts | None = None
    stream: Stream = Stream.WEEKLY


@dataclass(frozen=True, slots=True)
class Asked:
    """What the contact asked for, [since, until)."""

    since: datetime
    until: datetime | None
    wanted: Wanted
    frequency: Frequency = Frequency.WEEKLY
    #: As Subscription.weekdays and most_notices.
    weekdays: int = EVERY_DAY
    most_notices: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A near miss that an edition kept."""

    at: datetime
    miss: NearMiss


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """The call as its sources showed it from a moment on."""

    since: datetime
    #: Status and closing moment in each source.
    states: tuple[tuple[str, datetime | None], ...]
    closes_at: datetime | None
    facts: Facts
    classified: tuple[Classified, ...]
    place: Place

    def is_open(self, at: datetime) -> bool:
        """Whether one source has it open."""
        return any(
            status == Status.ACTIVE and (closes_at is None or closes_at > at)
            for status, closes_at in self.states
        )

    @property
    def is_active(self) -> bool:
        """Whether one source has neither cancelled nor ended it."""
        return any(status == Status.ACTIVE for status, _ in self.states)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """All that is recorded of one contact and one call."""

    contact_since: datetime
    #: The first guard that forbids writing to the contact now.
    refused_now: Why | None
    held: bool
    #: Every source showed the call too late to be news (sources.intake).
    backlog: bool = False
    #: Oldest first; empty where no source has shown the call.
    versions: tuple[Version, ...] = ()
    told: tuple[ToldFacts, ...] = ()
    #: Oldest first.
    turns: tuple[Turn, ...] = ()
    asked: tuple[Asked, ...] = ()
    kept: tuple[Kept, ...] = ()
