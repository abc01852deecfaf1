"""What the second implementation keeps: calls, what readers asked for, letters, what was told."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from campaigns.year.world import ACTIVE, WALL, Asked, Said

WAITING, ACCEPTED, WITHDRAWN = "waiting", "accepted", "withdrawn"
NEW, CHANGE, CANCELLATION, REMINDER = "new", "change", "cancellation", "reminder"


def day_of(at: datetime) -> date:
    """The calendar day it is in Québec."""
    return at.astimezone(WALL).date()


def is_night(at: datetime) -> bool:
    """From 20:00 to 06:30 on Québec's clocks."""
    clock = at.astimezone(WALL)
    minutes = clock.hour * 60 + clock.minute
    return minutes >= 20 * 60 or minutes < 6 * 60 + 30


@dataclass(slots=True)
class Call:
    """A call, and what was read of it: when, and what."""

    number: str
    versions: list[tuple[datetime, Said]] = field(default_factory=list)

    @property
    def said(self) -> Said:
        """What was read last."""
        return self.versions[-1][1]

    @property
    def seen_at(self) -> datetime:
        """When that was."""
        return self.versions[-1][0]

    def is_open(self, at: datetime) -> bool:
        """Whether somebody can still answer it."""
        closes_at = self.said.closes_at
        return self.said.status == ACTIVE and (closes_at is None or closes_at > at)


@dataclass(slots=True, eq=False)
class Letter:
    """A letter: of which run, for whom, what it tells, and what became of it."""

    stream: str
    label: str
    reader: int
    written_at: datetime
    expires_at: datetime
    opened_at: datetime
    #: How many notices.
    size: int = 0
    state: str = WAITING
    tries: int = 0
    next_at: datetime | None = None
    settled_at: datetime | None = None
    #: What it tells, or was to tell before another letter did.
    told: list[Told] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Told:
    """A reader was told of a call, or is about to be, by a letter."""

    number: str
    kind: str
    occasion: str
    #: Which of the call's versions, from 0.
    version: int
    letter: Letter
    at: datetime
    #: True once its letter was accepted.
    confirmed: bool = False
    #: True where its letter will not tell it.
    released: bool = False


@dataclass(slots=True)
class Stay:
    """What a reader asked for, from one moment to another."""

    since: datetime
    asked: Asked
    until: datetime | None = None
    #: True where it ended because something else was asked for, not because the reader left.
    changed: bool = False


@dataclass(slots=True)
class Reader:
    """All that is known of one reader."""

    stays: list[Stay] = field(default_factory=list)
    #: By call.
    told: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    letters: list[Letter] = field(default_factory=list)
    #: Calls it found interesting, and when it said so.
    interests: dict[str, datetime] = field(default_factory=dict)
    #: Runs at once that had no letter for it: when they were opened, and when that was found.
    unwritten: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def stay(self) -> Stay | None:
        """What it asks for now."""
        last = self.stays[-1] if self.stays else None
        return last if last and last.until is None else None

    def may_be_mailed(self, at: datetime) -> bool:
        """It has not left, and did not ask for silence."""
        stay = self.stay
        if stay is None:
            return False
        return stay.asked.paused_until is None or stay.asked.paused_until <= at

    def knows(self, number: str) -> bool:
        """Some letter told it of that call, or is about to."""
        return any(not one.released for one in self.told.get(number, ()))

    def wish(self, asked: Asked | None, at: datetime) -> None:
        """From `at` on it asks for that; None: for nothing."""
        stay = self.stay
        if stay is not None:
            if stay.asked == asked:
                return
            stay.until, stay.changed = at, asked is not None
        if asked is not None:
            self.stays.append(Stay(at, asked))


@dataclass(slots=True)
class Book:
    """Everything."""

    readers: list[Reader]
    calls: dict[str, Call] = field(default_factory=dict)
    #: Calls that may be told of, or of whose changes may be told.
    current: dict[str, Call] = field(default_factory=dict)
    waiting: list[Letter] = field(default_factory=list)
    #: Weeks, by their Monday, whose file was read.
    weeks: set[date] = field(default_factory=set)
    #: Runs of the clock: stream and label.
    opened: set[tuple[str, str]] = field(default_factory=set)
    #: When the first letter of all was accepted.
    began: datetime | None = None

    def read(self, said: tuple[Said, ...], week: date | None, at: datetime) -> None:
        """A source was read."""
        for one in said:
            call = self.calls.setdefault(one.number, Call(one.number))
            call.versions.append((at, one))
            self.current[one.number] = call
        if week:
            self.weeks.add(week)

    def forget_what_is_over(self, at: datetime) -> None:
        """Calls of which every closing moment ever said is past are not looked at any more."""
        for number in [n for n, call in self.current.items() if _is_over(call, at)]:
            del self.current[number]

    def tell(self, letter: Letter, key: tuple[str, str, str], version: int) -> None:
        """The letter is to tell that; `key`: the call, the kind and the occasion."""
        rows = self.readers[letter.reader].told[key[0]]
        for row in rows:
            if (row.kind, row.occasion) == key[1:]:
                assert row.released, f"{letter.reader} is told of {key} again"  # noqa: S101
                rows.remove(row)
                break
        rows.append(Told(*key, version, letter, letter.written_at))
        letter.told.append(rows[-1])


def live(letter: Letter) -> list[Told]:
    """What that letter tells as it is now."""
    return [one for one in letter.told if not one.released]


def give_up(letter: Letter, at: datetime | None = None) -> None:
    """What the letter was to tell may be told again; with `at` the letter will never leave."""
    for one in letter.told:
        one.released = True
    if at:
        letter.state, letter.settled_at = WITHDRAWN, at


def _is_over(call: Call, at: datetime) -> bool:
    closings = [said.closes_at for _, said in call.versions]
    return all(closings) and max(moment for moment in closings if moment) <= at
