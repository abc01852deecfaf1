"""What happens in a simulated year, known beforehand from its seed (values).

Moments are aware, in UTC, on whole minutes; what people and offices do is drawn by the wall clock
of Québec.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WALL = ZoneInfo("America/Toronto")
#: Sector to the title of its calls, which says nothing of another sector.
TITLES = {
    "deneigement": "Déneigement des stationnements municipaux",
    "entretien-menager": "Entretien ménager des bureaux",
    "espaces-verts": "Tonte de gazon",
    "matieres-residuelles": "Collecte des matières résiduelles",
    "traiteur-alimentation": "Service de traiteur",
    "imprimerie-graphisme": "Impression de dépliants",
    "buanderie-textile": "Buanderie et lingerie",
    "gestion-documentaire": "Gestion documentaire et archives",
}
RHYTHMS = ("instant", "daily", "weekly")
ACTIVE, CANCELLED = "active", "cancelled"


def wall(day: date, hour: int, minute: int = 0) -> datetime:
    """That hour in Québec, in UTC; of an hour that the clock has twice, the first."""
    return datetime.combine(day, time(hour, minute), WALL).astimezone(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a source says of a call in one reading."""

    number: str
    sector: str
    title: str
    status: str = ACTIVE
    closes_at: datetime | None = None
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a reader asks for; None for `most`: all."""

    frequency: str
    sectors: tuple[str, ...]
    #: Bit 0 is Monday.
    weekdays: int = 0b1111111
    most: int | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A source is read; `week` is the Monday of a weekly file."""

    at: datetime
    said: tuple[Said, ...]
    week: date | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A reader changes what it asks for, or comes back; None: it unsubscribes."""

    at: datetime
    reader: int
    asked: Asked | None


@dataclass(frozen=True, slots=True)
class Interest:
    """A reader finds a call interesting: of those it was told, the one at that fraction."""

    at: datetime
    reader: int
    which: float


Happening = Reading | Wish | Interest


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, [start, end)."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """All that happens."""

    seed: int
    readers: int
    #: In order of time.
    happenings: tuple[Happening, ...]
    #: When the service looks, where it runs.
    ticks: tuple[datetime, ...]
    #: When the relay answers 451 to everything.
    relay_out: tuple[Span, ...]

    def is_deferred(self, at: datetime, reader: int) -> bool:
        """Whether the relay defers a letter of that reader then: an outage, or now and then."""
        if any(at in span for span in self.relay_out):
            return True
        return random.Random(f"{self.seed}/{at.isoformat()}/{reader}").random() < 0.03


@dataclass(slots=True)
class Chance:
    """The dice, and the days that they are thrown for."""

    dice: random.Random
    start: date
    days: int
    out: list[Span] = field(default_factory=list)

    def all_days(self) -> Iterator[date]:
        """The days of the simulated time."""
        return (self.start + DAY * number for number in range(self.days))

    def minute(self, day: date, first: int = 6, last: int = 22) -> datetime:
        """A minute of that day at random."""
        return wall(day, first) + self.dice.randrange((last - first) * 60) * MINUTE

    def running(self, at: datetime) -> datetime:
        """`at`, or the end of the outage that it is in."""
        for span in self.out:
            if at in span:
                return self.running(span.end)
        return at


def outages(chance: Chance) -> list[Span]:
    """When the service does not run: minutes to days, a Monday's morning, both changes of clock."""
    dice, found = chance.dice, []
    for day in chance.all_days():
        draw = dice.random()
        if draw < 0.10:
            begins = wall(day, dice.randrange(24))
            found.append(Span(begins, begins + dice.choice((5, 20, 50)) * MINUTE))
        elif draw < 0.15:
            begins = wall(day, dice.randrange(24))
            found.append(Span(begins, begins + dice.choice((3, 9, 20)) * HOUR))
        elif draw < 0.162:
            found.append(Span(wall(day, 4), wall(day, 4) + dice.choice((2, 3)) * DAY))
        if day.weekday() == 0 and dice.random() < 0.1:
            found.append(Span(wall(day, 5), wall(day, dice.choice((7, 9, 15)))))
    # The nights in which the clock changes pass without the service, in part.
    found += [Span(wall(day, 0, 30), wall(day, 3, 30)) for day in _changes_of_clock(chance)]
    return sorted(found, key=lambda span: span.start)


def _changes_of_clock(chance: Chance) -> list[date]:
    noon = time(12)
    return [
        day
        for day in chance.all_days()
        if datetime.combine(day, noon, WALL).utcoffset()
        != datetime.combine(day - DAY, noon, WALL).utcoffset()
    ]


def relay_outages(chance: Chance) -> list[Span]:
    """When the relay defers everything: minutes to hours, now and then days."""
    dice, found = chance.dice, []
    for day in chance.all_days():
        draw = dice.random()
        if draw < 0.2:
            begins = chance.minute(day, 5)
            found.append(Span(begins, begins + dice.choice((15, 60, 300, 700)) * MINUTE))
        elif draw < 0.215:
            begins = chance.minute(day)
            found.append(Span(begins, begins + dice.choice((26, 80)) * HOUR))
    return found
