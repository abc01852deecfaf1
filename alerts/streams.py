"""What a stream is made of, and what the runs of one tick share.

The table of the streams is in alerts.editions. A run of a stream is an Edition: opened by the
clock (`Due`) or because rows call for it, written once for all whom it concerns, and handed over
when it is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy import Select

from alerts.calls import OpenCalls
from alerts.digest import Period
from alerts.looked import Looked
from alerts.poison import Poison
from alerts.tables import Edition, Stream
from alerts.writing import Choose, Desk, everything_new
from base.database import Database
from subscriptions.tables import Contact, Member


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """An edition that should exist."""

    stream: Stream
    label: str
    period: Period
    #: As Edition.without_week.
    without_week: bool = False


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What the runs of one tick share."""

    database: Database
    desk: Desk
    at: datetime
    looked: Looked
    poison: Poison = field(default_factory=Poison)

    @cached_property
    def calls(self) -> OpenCalls:
        """The calls that are open at `at`, read when they are first asked for."""
        with self.database.read() as session:
            return self.looked.refresh_calls(session, self.desk, self.poison, self.at)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one edition is written."""

    #: Whom it concerns: each gets a letter in it, or an omission that says why not.
    contacts: Select[Contact, Member]
    #: What each of them is told.
    choose: Choose = everything_new
    #: Those of whom a letter that failed is composed anew; by default those it concerns.
    again: Select[Contact, Member] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One stream."""

    #: How an edition of it is written; asked once a tick for each that is open.
    plan: Callable[[Tick, Edition], Plan]
    #: Whether an edition of this minute is to be opened, for a stream that no clock opens.
    is_called: Callable[[Tick], bool] | None = None
