"""Who is to be told what in each stream that no clock opens: the second implementation's part.

In the order in which one stream knows of the other: whoever asks for the next has written what
was yielded before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from campaigns.year.book import ACCEPTED, NEW, WAITING, Book, Reader, day_of, is_night
from campaigns.year.rules import (
    GROUPED,
    Key,
    Owed,
    changes,
    due_at_once,
    owed_at_once,
    reminders,
    untold,
)
from campaigns.year.world import DAY, wall

#: Streams of which a word is said where there is nothing to tell.
WORDS = ("welcome", "alive")


@dataclass(frozen=True, slots=True)
class Due:
    """One reader is to have a letter."""

    reader: int
    stream: str
    label: str
    keys: list[Key]


def called(book: Book, at: datetime) -> Iterator[Due]:
    """All of them, stream by stream."""
    for stream in (_welcomes, _at_once, _changes, _reminders, _alive):
        yield from stream(book, at)


def is_served(reader: Reader, stream: str, day: date) -> bool:
    """The daily or weekly run of that day is for that reader."""
    if reader.stay is None or reader.stay.asked.frequency != stream:
        return False
    return stream != "daily" or bool(reader.stay.asked.weekdays >> day.weekday() & 1)


def chosen(book: Book, reader: Reader, stream: str, at: datetime) -> list[Key]:
    """What a letter of that stream tells that reader."""
    match stream:
        case "change":
            return [one.key for one in _pressing(book, reader, at)]
        case "reminder":
            return reminders(book, reader, at)
        case "alive":
            return []
    slower = reader.stay is None or reader.stay.asked.frequency != "instant"
    only_owed = stream == "instant" and slower
    found = owed_at_once(book, reader, at) if only_owed else untold(book, reader, at)
    new: list[Key] = [(call.number, NEW, "-", len(call.versions) - 1) for call in found]
    most = reader.stay.asked.most if reader.stay else None
    return [one.key for one in changes(book, reader, at)] + new[:most]


def _welcomes(book: Book, at: datetime) -> Iterator[Due]:
    """Who subscribed for the first time lately, the service being at work already."""
    for number, reader in enumerate(book.readers):
        if not reader.stays or is_night(at) or book.began is None:
            continue
        first = reader.stays[0].since
        if not (at - 14 * DAY < first <= at - GROUPED and first > book.began):
            continue
        had = any(one.stream == "welcome" for one in reader.letters)
        if not had and reader.may_be_mailed(at):
            yield Due(number, "welcome", "", chosen(book, reader, "welcome", at))


def _at_once(book: Book, at: datetime) -> Iterator[Due]:
    for number, reader in enumerate(book.readers):
        if due_at_once(book, reader, at):
            yield Due(number, "instant", "", chosen(book, reader, "instant", at))


def _changes(book: Book, at: datetime) -> Iterator[Due]:
    for number, reader in enumerate(book.readers):
        pressing = _pressing(book, reader, at)
        if pressing and reader.may_be_mailed(at) and _may_leave(reader, pressing, at):
            yield Due(number, "change", "", [one.key for one in pressing])


def _pressing(book: Book, reader: Reader, at: datetime) -> list[Owed]:
    """What cannot wait for its next letter; at once is the rhythm of who asked for that."""
    at_once = reader.stay is not None and reader.stay.asked.frequency == "instant"
    return [one for one in changes(book, reader, at) if at_once or one.presses(at)]


def _may_leave(reader: Reader, pressing: list[Owed], at: datetime) -> bool:
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


def _reminders(book: Book, at: datetime) -> Iterator[Due]:
    """Once a day, from the morning on."""
    label = ("reminder", day_of(at).isoformat())
    if at < wall(day_of(at), 6, 30) or label in book.opened:
        return
    found = {number: reminders(book, one, at) for number, one in enumerate(book.readers)}
    due = {
        number: keys
        for number, keys in found.items()
        if keys and (not is_night(at) or any(_closes_soon(book, key, at) for key in keys))
    }
    if due:
        book.opened.add(label)
    for number, keys in due.items():
        if book.readers[number].may_be_mailed(at):
            yield Due(number, *label, keys)


def _closes_soon(book: Book, key: Key, at: datetime) -> bool:
    closes_at = book.calls[key[0]].said.closes_at
    return closes_at is not None and closes_at <= at + DAY


def _alive(book: Book, at: datetime) -> Iterator[Due]:
    """Who had no notice in the month that is over is told that all is well."""
    today = day_of(at)
    first = (today.replace(day=1) - DAY).replace(day=1)
    label = ("alive", first.isoformat())
    if today.day > 5 or at < wall(today, 9) or label in book.opened:
        return
    quiet = [
        number for number, reader in enumerate(book.readers) if _was_quiet(reader, wall(first, 9))
    ]
    if quiet:
        book.opened.add(label)
    for number in quiet:
        if book.readers[number].may_be_mailed(at):
            yield Due(number, *label, [])


def _was_quiet(reader: Reader, since: datetime) -> bool:
    if reader.stay is None or reader.stays[0].since > since:
        return False
    return not any(
        one.size and one.written_at >= since and one.state in {WAITING, ACCEPTED}
        for one in reader.letters
    )
