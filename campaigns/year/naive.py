"""The second implementation: at each tick, who is to be told what, and in which stream.

Plain lists and loops; it never looks at what the service did. What the relay answers is known to
both beforehand (World.is_deferred).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from campaigns.year.book import (
    ACCEPTED,
    NEW,
    REMINDER,
    WAITING,
    Book,
    Letter,
    Reader,
    Told,
    day_of,
    give_up,
    live,
)
from campaigns.year.rules import Key, changes, monday_of
from campaigns.year.streams import WORDS, Due, called, chosen, is_served
from campaigns.year.world import (
    CANCELLED,
    DAY,
    HOUR,
    MINUTE,
    Happening,
    Interest,
    Reading,
    Said,
    Wish,
    World,
    wall,
)

#: Minutes to the next attempt, by number of attempts made.
WAITS = (1, 5, 15, 60, 120, 240)


@dataclass(frozen=True, slots=True)
class Written:
    """A letter as both implementations describe it."""

    reader: int
    stream: str
    keys: frozenset[Key]


class Naive:
    """The year, as it should be."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.book = Book([Reader() for _ in range(world.readers)])
        self._now: list[Letter] = []

    def happens(self, one: Happening) -> str:
        """Something happened; of an interest, the call that was chosen, or ""."""
        match one:
            case Reading():
                self.book.read(one.said, one.week, one.at)
            case Wish():
                self.book.readers[one.reader].wish(one.asked, one.at)
            case Interest():
                return self._interested(one)
        return ""

    def _interested(self, one: Interest) -> str:
        reader = self.book.readers[one.reader]
        told = sorted(
            number
            for number, rows in reader.told.items()
            if number in self.book.current and any(row.confirmed for row in rows)
        )
        if not told:
            return ""
        number = told[int(one.which * len(told))]
        reader.interests.setdefault(number, one.at)
        return number

    def tick(self, at: datetime) -> list[Written]:
        """The letters that are written then, or composed anew."""
        self._now = []
        self.book.forget_what_is_over(at)
        runs = list(self._clock(at))
        for letter in [one for one in self.book.waiting if one.expires_at <= at]:
            give_up(letter, at)
        self._sweep()
        stale = [one for one in self.book.waiting if self._is_false(one, at)]
        for letter in stale:
            give_up(letter)
        for stream, day in runs:
            self._rhythm(stream, day, at)
        for letter in stale:
            self._anew(letter, at)
        self._sweep()
        for due in called(self.book, at):
            self._write(due, at)
        return [
            Written(one.reader, one.stream, frozenset(_key(row) for row in live(one)))
            for one in self._now
        ]

    def hand_over(self, at: datetime) -> list[tuple[int, str, str]]:
        """Reader, stream and what became of it, of each letter that is decided about then."""
        done = []
        for letter in self.book.waiting:
            if letter.next_at and letter.next_at > at:
                continue
            reader = self.book.readers[letter.reader]
            if not reader.may_be_mailed(at):
                give_up(letter, at)
            elif self.world.is_deferred(at, letter.reader):
                letter.tries += 1
                letter.next_at = at + WAITS[min(letter.tries, len(WAITS)) - 1] * MINUTE
            else:
                letter.state, letter.settled_at = ACCEPTED, at
                self.book.began = self.book.began or at
                for one in live(letter):
                    one.confirmed = True
            done.append((letter.reader, letter.stream, letter.state))
        self._sweep()
        return done

    def _sweep(self) -> None:
        self.book.waiting = [one for one in self.book.waiting if one.state == WAITING]

    def _clock(self, at: datetime) -> Iterator[tuple[str, date]]:
        """The daily and weekly runs whose hour has come, each once."""
        day, monday = day_of(at), monday_of(at)
        if wall(day, 6) <= at < wall(day, 6) + 18 * HOUR:
            yield from self._first("daily", day)
        hour = 6 if monday in self.book.weeks else 8
        if wall(monday, hour) <= at < wall(monday, 6) + 5 * DAY:
            yield from self._first("weekly", monday)

    def _first(self, stream: str, day: date) -> Iterator[tuple[str, date]]:
        label = (stream, day.isoformat())
        if label not in self.book.opened:
            self.book.opened.add(label)
            yield stream, day

    def _rhythm(self, stream: str, day: date, at: datetime) -> None:
        for number, reader in enumerate(self.book.readers):
            if is_served(reader, stream, day) and reader.may_be_mailed(at):
                keys = chosen(self.book, reader, stream, at)
                self._write(Due(number, stream, day.isoformat(), keys), at)

    def _is_false(self, letter: Letter, at: datetime) -> bool:
        """What it tells is not so any more."""
        reader = self.book.readers[letter.reader]
        for one in live(letter):
            versions = self.book.calls[one.number].versions
            told, now = versions[one.version][1], versions[-1][1]
            said = [
                (said.status, said.closes_at, said.documents, said.title.lower())
                for said in (told, now)
            ]
            if said[0] != said[1]:
                return True
            if now.closes_at and letter.written_at < now.closes_at <= at:
                return True
            if one.kind == REMINDER and one.number not in reader.interests:
                return True
        return False

    def _anew(self, letter: Letter, at: datetime) -> None:
        """A letter that became false is written once more, with what is true now."""
        reader, stream = self.book.readers[letter.reader], letter.stream
        clocked = stream in {"daily", "weekly"}
        served = not clocked or is_served(reader, stream, date.fromisoformat(letter.label))
        if served and reader.may_be_mailed(at):
            keys = chosen(self.book, reader, stream, at)
            if keys or stream in WORDS:
                self._fill(letter, keys, at)
                return
        give_up(letter, at)
        if stream == "instant":
            reader.unwritten.append((letter.opened_at, at))

    def _write(self, due: Due, at: datetime) -> None:
        """A letter, where there is something to tell, or a word to say."""
        if due.keys or due.stream in WORDS:
            letter = Letter(due.stream, due.label, due.reader, at, at, at)
            self.book.readers[due.reader].letters.append(letter)
            self.book.waiting.append(letter)
            self._fill(letter, due.keys, at)

    def _fill(self, letter: Letter, keys: list[Key], at: datetime) -> None:
        letter.written_at, letter.tries, letter.next_at = at, 0, None
        letter.size = len(keys)
        reader = self.book.readers[letter.reader]
        before = {one.call.number: one.before for one in changes(self.book, reader, at)}
        for *key, version in keys:
            self.book.tell(letter, (key[0], key[1], key[2]), version)
        closings = [self._of_use_until(key, before) for key in keys]
        letter.expires_at = at + 3 * DAY
        if closings and None not in closings:
            letter.expires_at = min(letter.expires_at, max(m for m in closings if m))
        self._now.append(letter)

    def _of_use_until(self, key: Key, before: dict[str, Said]) -> datetime | None:
        """Until when it is of use to read that; of a moved closing, the later of both."""
        number, kind, _, _ = key
        now, read = self.book.calls[number].said, before.get(number)
        if kind == NEW or read is None:
            return now.closes_at
        if now.status == CANCELLED:
            return read.closes_at
        known = [moment for moment in (read.closes_at, now.closes_at) if moment]
        # A closing moment that is said for the first time, or no more, is no change of it.
        return max(known) if now.closes_at and read.closes_at else now.closes_at


def _key(row: Told) -> Key:
    return row.number, row.kind, row.occasion, row.version
