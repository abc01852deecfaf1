"""What a stream is made of, and what the runs of one tick share.

The table of the streams is in alerts.editions. A run of a stream is an Edition: opened by the
clock (`Due`) or because rows call for it, written once for all whom it concerns, and handed over
when it is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import ColumnElement, Select, exists, or_, select

from alerts import crediting
from alerts.calls import OpenCalls
from alerts.choosing import everything_new
from alerts.crediting import Covered
from alerts.digest import Period
from alerts.looked import Looked
from alerts.poison import Poison
from alerts.tables import Edition, Letter, Omission, Stream
from alerts.writing import Choose, Desk, Note
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

    @cached_property
    def covered(self) -> Covered:
        """What all letters say of the sources."""
        with self.database.read() as session:
            return crediting.covered(session, self.at)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one edition is written."""

    #: Whom it concerns: each gets a letter in it, or an omission that says why not.
    contacts: Select[Contact, Member]
    #: What each of them is told.
    choose: Choose = everything_new
    #: What is written to those of them who are told nothing; by default nothing is.
    note: Note | None = None
    #: Those of whom a letter that failed is composed anew; by default those it concerns.
    again: Select[Contact, Member] | None = None


def minute(at: datetime) -> str:
    """ "2026-09-21T14:10Z": the label of a run that belongs to no day."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def live_contacts() -> Select[Contact, Member]:
    """Everybody whom some run may concern."""
    return (
        select(Contact, Member)
        .join(Member, Member.id == Contact.member_id)
        .where(Contact.ended_at.is_(None))
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One stream."""

    #: How an edition of it is written; asked once a tick for each that is open.
    plan: Callable[[Tick, Edition], Plan]
    #: Whether an edition is to be opened now, for a stream that no clock opens.
    is_called: Callable[[Tick], bool] | None = None
    #: The label of such an edition; of one label there is one.
    label: Callable[[datetime], str] = minute


def dealt_with(
    stream: Stream, *, since: ColumnElement[datetime] | datetime | None = None
) -> ColumnElement[bool]:
    """Of a Contact: a run of that stream wrote to it or said why not, since then if given."""
    letter = exists().where(
        Letter.contact_id == Contact.id,
        Edition.id == Letter.edition_id,
        Edition.frequency == stream,
        *([] if since is None else [Letter.written_at >= since]),
    )
    omission = exists().where(
        Omission.contact_id == Contact.id,
        Edition.id == Omission.edition_id,
        Edition.frequency == stream,
        *([] if since is None else [Omission.at >= since]),
    )
    return or_(letter, omission)
