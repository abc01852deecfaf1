"""What one reader is told in one letter: Period, Link, Notice, Digest (values)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from alerts.tables import Kind
from sources.amendments import Amendment, Field

#: The occasion of what is told only once.
ONCE = "-"


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open stretch of time, [start, end)."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError(f"empty period {self.start} to {self.end}")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a notice is in the letter, in words a member can read."""

    sector: str
    #: The sector's label: "Déneigement de bâtiments et de stationnements".
    label: str
    #: Where it was seen: "« déneigement » dans le titre; code 72102903".
    evidence: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where else the same call is published."""

    #: The source's name for a reader.
    source: str
    #: As published; hostile until checked.
    uri: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One tender as a member reads it, at one of its revisions."""

    cluster_id: int
    revision_id: int
    #: The public number: "20169865".
    number: str
    #: As published; hostile until escaped.
    title: str
    buyer: str
    #: "Saint-Sylvère, MRC de Bécancour"; "" where it is unknown.
    place: str
    #: True where the buyer is provincial, so that the place of work must be looked up.
    place_to_check: bool
    #: goods, services, works or "".
    category: str
    #: "Avis d’appel d’offres régionalisé" as published, or "".
    method: str
    #: None where the source gives none.
    closes_at: datetime | None
    #: http(s) or "".
    uri: str
    #: The source's name for a reader: "SEAO".
    source: str
    reasons: tuple[Reason, ...]
    #: True where an earlier letter with this notice may or may not have arrived.
    perhaps_seen: bool = False
    #: The same call in other sources.
    further: tuple[Link, ...] = ()
    #: True for an invitation that only members are told of.
    reserved: bool = False
    #: True where the source said two things of it at once.
    conflicting: bool = False
    #: "federal" or "".
    level: str = ""
    #: What telling it is: new to the reader, changed since, or a reminder.
    kind: Kind = Kind.NEW
    #: As Told.occasion: with the kind, what is told to one contact only once.
    occasion: str = ONCE
    #: What changed since the revision that the reader last received, for a change.
    amendments: tuple[Amendment, ...] = ()
    #: Until when a complaint may be made, where the source gives it (Act respecting contracting).
    complaint_by: datetime | None = None

    @property
    def worth_until(self) -> datetime | None:
        """When telling it is of no use any more; None where it is not known.

        A change of the closing moment is worth telling until the later of the two.
        """
        moved = (one for one in self.amendments if one.field is Field.CLOSES_AT)
        both = [moment for one in moved for moment in (one.before, one.after)]
        known = [moment for moment in (self.closes_at, *both) if isinstance(moment, datetime)]
        return max(known, default=None)

    def __hash__(self) -> int:
        """Of what tells most notices apart: a letter looks each of its notices up."""
        return hash((self.revision_id, self.reasons and self.reasons[-1].evidence))


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """A source as the foot of a letter names it: last read when, and what it gave then."""

    source: str
    #: None where it was never read.
    read_at: datetime | None
    #: Notices of it that are open now.
    notices: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A source from which notices may be missing, as letters name it, and since when."""

    source: str
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """Never empty: a period without notices makes no digest and no letter."""

    contact_name: str
    member_name: str
    #: An alerts.tables.Stream.
    stream: str
    period: Period
    #: In any order: a letter has its own (alerts.sections).
    notices: tuple[Notice, ...]
    #: The labels of the sectors that the reader declared.
    sectors: tuple[str, ...]
    #: The reader's own rhythm: at once to another than "instant" is what could not wait for it.
    frequency: str = ""
    #: Who must be named with what is quoted: see sources.sources.toml.
    credits: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    #: When it should have left, where it leaves late enough to say so.
    was_due_at: datetime | None = None
    #: True for a weekly letter that could not wait any longer for the week's file.
    without_week: bool = False
    #: Notices for this reader that closed before a late letter could tell of them.
    closed_meanwhile: int = 0
    #: Notices beyond the reader's own maximum, which the next letter has.
    kept_back: int = 0

    def __post_init__(self) -> None:
        if not self.notices:
            raise ValueError("a digest without notices")


def ordered(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """The notices soonest to close first, those without a date last."""
    return tuple(sorted(notices, key=lambda n: sooner(n.closes_at, n.title, n.cluster_id)))


def sooner(closes_at: datetime | None, title: str, cluster_id: int) -> tuple[datetime, str, int]:
    """What sorts calls so."""
    return closes_at or _NEVER, title, cluster_id


_NEVER = datetime.max.replace(tzinfo=UTC)
