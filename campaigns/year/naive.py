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
    is_night,
    live,
)
from campaigns.year.rules import (
    GROUPED,
    Key,
    Owed,
    changes,
    due_at_once,
    monday_of,
    owed_at_once,
    reminders,
    untold,
)
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
        self._called(at)
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
            if _is_served(reader, stream, day) and reader.may_be_mailed(at):
                self._write(number, stream, day.isoformat(), self._all(reader, at), at)

    def _all(self, reader: Reader, at: datetime, *, only_owed: bool = False) -> list[Key]:
        """What changed, then what is new, up to the reader's own maximum."""
        found = owed_at_once(self.book, reader, at) if only_owed else untold(self.book, reader, at)
        changed = [one.key for one in changes(self.book, reader, at)]
        new = [(call.number, NEW, "-", len(call.versions) - 1) for call in found]
        most = reader.stay.asked.most if reader.stay else None
        return changed + new[:most]

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
        served = stream not in {"daily", "weekly"} or _is_served(
            reader, stream, date.fromisoformat(letter.label)
        )
        keys: list[Key] = []
        if served and reader.may_be_mailed(at):
            keys = self._chosen(letter, reader, at)
            if keys or stream == "welcome":
                self._fill(letter, keys, at)
                return
        give_up(letter, at)
        if stream == "instant":
            reader.unwritten.append((letter.opened_at, at))

    def _chosen(self, letter: Letter, reader: Reader, at: datetime) -> list[Key]:
        """What a letter of that stream tells that reader now."""
        match letter.stream:
            case "change":
                return [one.key for one in _pressing(self.book, reader, at)]
            case "reminder":
                return reminders(self.book, reader, at)
            case "instant":
                slower = reader.stay is None or reader.stay.asked.frequency != "instant"
                return self._all(reader, at, only_owed=slower)
        return self._all(reader, at)

    def _called(self, at: datetime) -> None:
        """The runs that no clock opens, in the order in which one knows of the other."""
        self._welcomes(at)
        at_once = [
            number
            for number, reader in enumerate(self.book.readers)
            if due_at_once(self.book, reader, at) is not None
        ]
        for number in at_once:
            reader = self.book.readers[number]
            slower = reader.stay is None or reader.stay.asked.frequency != "instant"
            self._write(number, "instant", "", self._all(reader, at, only_owed=slower), at)
        for number, reader in enumerate(self.book.readers):
            pressing = _pressing(self.book, reader, at)
            if pressing and reader.may_be_mailed(at) and self._may_leave(reader, pressing, at):
                self._write(number, "change", "", [one.key for one in pressing], at)
        self._reminders(at)
        self._alive(at)

    def _may_leave(self, reader: Reader, pressing: list[Owed], at: datetime) -> bool:
        if at < min(one.call.seen_at for one in pressing) + GROUPED:
            return False
        if is_night(at) and not any(one.closes_within(DAY, at) for one in pressing):
            return False
        today = [
            one
            for one in reader.letters
            if one.stream in {"instant", "change"} and one.written_at >= wall(day_of(at), 5)
        ]
        return len(today) < 3 or any(one.presses(at) for one in pressing)

    def _welcomes(self, at: datetime) -> None:
        """Who subscribed for the first time lately, the service being at work already."""
        for number, reader in enumerate(self.book.readers):
            if not reader.stays or is_night(at) or self.book.began is None:
                continue
            first = reader.stays[0].since
            if not (at - 14 * DAY < first <= at - GROUPED and first > self.book.began):
                continue
            had = any(one.stream == "welcome" for one in reader.letters)
            if not had and reader.may_be_mailed(at):
                self._write(number, "welcome", "", self._all(reader, at), at, word=True)

    def _reminders(self, at: datetime) -> None:
        label = ("reminder", day_of(at).isoformat())
        if at < wall(day_of(at), 6, 30) or label in self.book.opened:
            return
        due = {n: reminders(self.book, one, at) for n, one in enumerate(self.book.readers)}
        due = {number: keys for number, keys in due.items() if keys}
        closings = [self.book.calls[key[0]].said.closes_at for keys in due.values() for key in keys]
        soon = any(moment and moment <= at + DAY for moment in closings)
        if due and (soon or not is_night(at)):
            self.book.opened.add(label)
            for number, keys in due.items():
                if self.book.readers[number].may_be_mailed(at):
                    self._write(number, "reminder", label[1], keys, at)

    def _alive(self, at: datetime) -> None:
        """Who had no notice in the month that is over is told that all is well."""
        today = day_of(at)
        first = (today.replace(day=1) - DAY).replace(day=1)
        label, since = ("alive", first.isoformat()), wall(first, 9)
        if today.day > 5 or at < wall(today, 9) or label in self.book.opened:
            return
        quiet = [
            number
            for number, reader in enumerate(self.book.readers)
            if reader.stay
            and reader.stays[0].since <= since
            and not any(
                one.size and one.written_at >= since and one.state in {WAITING, ACCEPTED}
                for one in reader.letters
            )
        ]
        if quiet:
            self.book.opened.add(label)
            for number in quiet:
                if self.book.readers[number].may_be_mailed(at):
                    self._write(number, "alive", label[1], [], at, word=True)

    def _write(
        self,
        number: int,
        stream: str,
        label: str,
        keys: list[Key],
        at: datetime,
        *,
        word: bool = False,
    ) -> None:
        """A letter, where there is something to tell, or a word to say."""
        if keys or word:
            letter = Letter(stream, label, number, at, at, at)
            self.book.readers[number].letters.append(letter)
            self.book.waiting.append(letter)
            self._fill(letter, keys, at)

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


def _pressing(book: Book, reader: Reader, at: datetime) -> list[Owed]:
    """What cannot wait for its next letter; at once is the rhythm of who asked for that."""
    at_once = reader.stay is not None and reader.stay.asked.frequency == "instant"
    return [one for one in changes(book, reader, at) if at_once or one.presses(at)]


def _is_served(reader: Reader, stream: str, day: date) -> bool:
    """The run of that stream and day is for that reader."""
    if reader.stay is None or reader.stay.asked.frequency != stream:
        return False
    return stream != "daily" or bool(reader.stay.asked.weekdays >> day.weekday() & 1)
