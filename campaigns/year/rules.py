"""When what may be told to whom: the second implementation's rules, one after the other.

Written from the decisions 0011, 0012 and 0013 and the issue that asked for the streams, in dates
and comparisons of their own; nothing here is shared with what the service runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from campaigns.year.book import (
    CANCELLATION,
    CHANGE,
    NEW,
    REMINDER,
    Book,
    Call,
    Reader,
    Told,
    day_of,
    is_night,
)
from campaigns.year.world import ACTIVE, CANCELLED, DAY, MINUTE, Said, wall

GROUPED = 10 * MINUTE
#: What was told, by call, kind, occasion and version.
Key = tuple[str, str, str, int]


def monday_of(at: datetime) -> date:
    """The Monday of the week in Québec that `at` is in."""
    day = day_of(at)
    return day - timedelta(days=day.weekday())


def morning_after(at: datetime) -> datetime:
    """06:30 of the day after the one that `at` is in."""
    return wall(day_of(at) + DAY, 6, 30)


def end_of_night(at: datetime) -> datetime:
    """`at` by day, else the next 06:30."""
    if not is_night(at):
        return at
    today = wall(day_of(at), 6, 30)
    return today if at < today else morning_after(at)


@dataclass(frozen=True, slots=True)
class Lately:
    """What was written to one reader in the last eight days."""

    at_once_today: int
    at_once_this_week: int
    last: datetime | None
    #: The last time that something was left over.
    left_over: datetime | None


def lately(reader: Reader, at: datetime) -> Lately:
    """From its letters."""
    midnight, monday = wall(day_of(at), 0), wall(monday_of(at), 0)
    known = [
        one
        for one in reader.letters
        if one.stream in {"daily", "weekly", "instant"} and one.opened_at > at - 8 * DAY
    ]
    at_once = [one.written_at for one in known if one.stream == "instant"]
    most = reader.stay.asked.most if reader.stay else None
    over = [one.written_at for one in known if most and one.size >= most]
    over += [found for opened, found in reader.unwritten if opened > at - 8 * DAY]
    return Lately(
        sum(moment >= midnight for moment in at_once),
        sum(moment >= monday for moment in at_once),
        max((one.written_at for one in known), default=None),
        max(over, default=None),
    )


def untold(book: Book, reader: Reader, at: datetime) -> list[Call]:
    """The open calls of its sectors that it was not told of, soonest to close first."""
    if reader.stay is None:
        return []
    sectors = reader.stay.asked.sectors
    found = [
        call
        for call in book.current.values()
        if call.said.sector in sectors and call.is_open(at) and not reader.knows(call.number)
    ]
    return sorted(found, key=in_order)


def in_order(call: Call) -> tuple[bool, datetime, str]:
    """Soonest to close first, without a closing moment last."""
    closes_at = call.said.closes_at
    return closes_at is None, closes_at or datetime.max.replace(tzinfo=UTC), call.said.title


def left_faster(reader: Reader, at: datetime) -> datetime | None:
    """When it last left a rhythm that is faster than its present one, in the last eight days."""
    if reader.stay is None:
        return None
    speed = ["instant", "daily", "weekly"].index
    left = [
        stay.until
        for stay in reader.stays
        if stay.changed
        and stay.until
        and stay.until > at - 8 * DAY
        and speed(stay.asked.frequency) < speed(reader.stay.asked.frequency)
    ]
    return max(left, default=None)


def is_promoted(book: Book, reader: Reader, call: Call, at: datetime) -> bool:
    """A weekly reader's next letter would bring it with fewer than six days left."""
    closes_at = call.said.closes_at
    if reader.stay is None or reader.stay.asked.frequency != "weekly" or closes_at is None:
        return False
    monday = monday_of(at)
    begun = wall(monday, 6) <= at < wall(monday, 6) + 5 * DAY
    if begun and ("weekly", monday.isoformat()) not in book.opened:
        return False
    coming = monday if at < wall(monday, 6) else monday + 7 * DAY
    return (day_of(closes_at) - coming).days < 6


def waits_since(reader: Reader, call: Call, left_over: datetime | None) -> datetime:
    """Since when that reader waits to be told of that call."""
    assert reader.stay  # noqa: S101, who left waits for nothing
    since = max(call.seen_at, reader.stay.since)
    for one in reader.told.get(call.number, ()):
        if one.kind == NEW and one.released:
            since = max(since, one.letter.settled_at or one.at)
    if left_over and since <= left_over:
        since = morning_after(left_over) - GROUPED
    return since


def may_leave(call: Call, since: datetime, today: int, at: datetime) -> bool:
    """Whether a letter at once may leave now for the sake of that call."""
    ready = since + GROUPED
    closes_at = call.said.closes_at
    if closes_at is not None and closes_at <= ready + DAY:
        return at >= ready and today < 10
    return at >= end_of_night(ready) and not is_night(at) and today < 3


def due_at_once(book: Book, reader: Reader, at: datetime) -> list[Call] | None:
    """What a letter at once would tell now; None where none may leave."""
    stay = reader.stay
    if stay is None or not reader.may_be_mailed(at):
        return None
    owed = owed_at_once(book, reader, at)
    if not owed:
        return None
    past, left = lately(reader, at), left_faster(reader, at)
    for call in owed:
        if stay.asked.frequency != "instant":
            held = left is not None and call.seen_at < left
            if held and past.last is not None and left and past.last > left:
                continue
            if not held and past.at_once_this_week >= 2:
                continue
        if may_leave(call, waits_since(reader, call, past.left_over), past.at_once_today, at):
            return owed
    return None


def owed_at_once(book: Book, reader: Reader, at: datetime) -> list[Call]:
    """What does not wait for the reader's own rhythm."""
    found = untold(book, reader, at)
    if reader.stay and reader.stay.asked.frequency == "instant":
        return found
    left = left_faster(reader, at)
    return [
        call
        for call in found
        if (left and call.seen_at < left) or is_promoted(book, reader, call, at)
    ]


@dataclass(frozen=True, slots=True)
class Owed:
    """A change that a reader must hear of, against what it last read."""

    call: Call
    before: Said
    critical: bool

    @property
    def closings(self) -> list[datetime]:
        """Before and now."""
        return [m for m in (self.before.closes_at, self.call.said.closes_at) if m]

    def closes_within(self, span: timedelta, at: datetime) -> bool:
        """By what was read, or by what holds."""
        return any(at < moment <= at + span for moment in self.closings)

    def presses(self, at: datetime) -> bool:
        """It cannot wait for a slower reader's letter."""
        return self.critical or self.closes_within(5 * DAY, at)

    @property
    def key(self) -> Key:
        """As what is told."""
        version = len(self.call.versions) - 1
        kind = CHANGE if self.call.said.status == ACTIVE else CANCELLATION
        return self.call.number, kind, str(version), version


def changes(book: Book, reader: Reader, at: datetime) -> Iterator[Owed]:
    """What it must hear of what it was told."""
    if reader.stay is None:
        return
    for call in book.current.values():
        rows = [one for one in reader.told.get(call.number, ()) if not one.released]
        if len(call.versions) == 1 or not rows or any(not one.confirmed for one in rows):
            continue
        one = _changed(call, rows, at)
        if one and (one.critical or call.said.sector in reader.stay.asked.sectors):
            yield one


def _changed(call: Call, rows: list[Told], at: datetime) -> Owed | None:
    last = max(rows, key=lambda one: one.at)
    before, now = call.versions[last.version][1], call.said
    if last.version == len(call.versions) - 1:
        return None
    off = now.status == CANCELLED
    earlier = bool(before.closes_at and now.closes_at and now.closes_at < before.closes_at)
    moved = before.closes_at != now.closes_at and bool(before.closes_at and now.closes_at)
    called_off, reopened = off and before.status != CANCELLED, not off and before.status != ACTIVE
    documents = before.documents and now.documents and before.documents != now.documents
    critical = called_off or (earlier and not off)
    if not (critical or reopened or documents or (moved and not off)):
        return None
    ends = [before.closes_at] if off else [before.closes_at, now.closes_at]
    known = [moment for moment in ends if moment]
    return None if known and max(known) <= at else Owed(call, before, critical)


def reminders(book: Book, reader: Reader, at: datetime) -> list[Key]:
    """What it is to be reminded of now, soonest to close first."""
    found = []
    for number, said_at in reader.interests.items():
        call = book.current.get(number)
        if call is None or not call.is_open(at):
            continue
        closes_at = call.said.closes_at
        if closes_at is None or closes_at > at + 7 * DAY:
            continue
        left = (day_of(closes_at) - day_of(at)).days
        days = next((n for n in (1, 5) if left <= n), None)
        if days is None:
            continue
        morning = wall(day_of(closes_at) - days * DAY, 6, 30)
        if max(said_at, _closing_known_since(call)) < morning <= at:
            occasion = f"{closes_at.astimezone(UTC).isoformat()}:{days}"
            key = (number, REMINDER, occasion, len(call.versions) - 1)
            rows = [one for one in reader.told.get(number, ()) if not one.released]
            if not any(one.at >= morning or one.occasion == occasion for one in rows):
                found.append((closes_at, key))
    return [key for _, key in sorted(found)]


def _closing_known_since(call: Call) -> datetime:
    since = call.seen_at
    for seen_at, said in reversed(call.versions):
        if said.closes_at != call.said.closes_at:
            break
        since = seen_at
    return since
