"""What a year came to: the zeros that the service must reach, counted from what it wrote and sent.

None of them asks the second implementation, but `differences`, and `skips` in part.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from campaigns.year.book import CANCELLATION, CHANGE, Book, Call, Reader, day_of, is_night
from campaigns.year.naive import Written
from campaigns.year.office import Found
from campaigns.year.rules import Key, monday_of
from campaigns.year.world import ACTIVE, DAY, MINUTE

#: Every call's number is in its title.
_NUMBER = re.compile(rb"lot (20\d{6})", re.IGNORECASE)
#: By then every rhythm has had its turn, whatever outage came between.
_LONG = 21 * DAY
#: Differences that are kept to be looked at.
_SHOWN = 10


@dataclass(slots=True)
class Verdict:
    """The counts of a year; `faults` are those that must be zero and are not."""

    ticks: int = 0
    #: Accepted by the relay, in all and by stream, and what they told.
    letters: int = 0
    streams: Counter[str] = field(default_factory=Counter)
    told: int = 0
    #: Letters composed anew, deferred, given up.
    anew: int = 0
    deferred: int = 0
    withdrawn: int = 0
    brakes: int = 0
    #: The same told to the same reader twice; told to nobody though it was for somebody.
    repeats: int = 0
    skips: int = 0
    #: Where the two implementations disagree.
    differences: int = 0
    #: Letters at night that nothing hurries, beyond three a day, beyond two promotions a week.
    night: int = 0
    surplus: int = 0
    promotions: int = 0
    #: Changes told to who was never told; accepted letters that told what was not so any more.
    strangers: int = 0
    false: int = 0
    #: Letters whose bytes name other calls than the ledger has.
    unlike: int = 0
    shown: list[str] = field(default_factory=list)

    ZEROS = (
        "repeats", "skips", "differences", "night", "surplus", "promotions", "strangers", "false",
        "unlike",
    )  # fmt: skip

    @property
    def faults(self) -> list[str]:
        """The zeros that are none."""
        return [name for name in self.ZEROS if getattr(self, name)]

    def __str__(self) -> str:
        names = [one for one in self.__dataclass_fields__ if one not in {"shown", "streams"}]
        streams = ",".join(f"{name}:{count}" for name, count in sorted(self.streams.items()))
        return " ".join([*(f"{name}={getattr(self, name)}" for name in names), f"by={streams}"])


class Watch:
    """Looks at every letter, and keeps what its readers have received."""

    def __init__(self, book: Book) -> None:
        self.verdict = Verdict()
        self._book = book
        self._out: dict[int, tuple[datetime, Written]] = {}
        self._received: dict[int, set[Key]] = defaultdict(set)
        self._expected: dict[int, set[str]] = defaultdict(set)
        self._once: Counter[tuple[int, str, str, str]] = Counter()
        self._by_day: Counter[tuple[int, date]] = Counter()
        self._by_week: Counter[tuple[int, date]] = Counter()

    def wrote(self, at: datetime, real: list[Found], expected: list[Written]) -> None:
        """Both implementations have written."""
        self._compare(at, [one.written for one in real], expected)
        for one in real:
            self._out[one.id] = (at, one.written)
            numbers = {key[0].encode() for key in one.written.keys}
            named = set(_NUMBER.findall(one.content.replace(b"=\r\n", b"")))
            self.verdict.unlike += named != numbers
            if one.anew:
                self.verdict.anew += 1
            else:
                self._hours(at, one.written)

    def decided(
        self,
        at: datetime,
        real: list[tuple[int, int, str, str]],
        expected: list[tuple[int, str, str]],
    ) -> None:
        """Both know what became of the letters whose turn it was."""
        names = {"deferred": "waiting", "written": "waiting"}
        self._compare(at, [(r, s, names.get(state, state)) for _, r, s, state in real], expected)
        for letter_id, _, _, state in real:
            self.verdict.deferred += state == "deferred"
            self.verdict.withdrawn += state == "withdrawn"
            if state == "accepted":
                self._accepted(at, *self._out.pop(letter_id))

    def ends(self, at: datetime) -> Verdict:
        """The year is over: what was never told is counted."""
        for number, reader in enumerate(self._book.readers):
            received = {key[0] for key in self._received[number]}
            expected = {
                call for call, rows in reader.told.items() if any(row.confirmed for row in rows)
            }
            long = {call.number for call in self._book.calls.values() if _was_due(call, reader, at)}
            self.verdict.skips += len((expected | long) - received)
        return self.verdict

    def _compare(self, at: datetime, real: Iterable[object], expected: Iterable[object]) -> None:
        did, should = Counter(real), Counter(expected)
        for what, more in (("only real", did - should), ("only expected", should - did)):
            self.verdict.differences += more.total()
            for one in more:
                if len(self.verdict.shown) < _SHOWN:
                    self.verdict.shown.append(f"{at.isoformat()} {what}: {one}")

    def _hours(self, at: datetime, one: Written) -> None:
        hurried = any(
            said.closes_at and said.closes_at <= at + DAY
            for key in one.keys
            for _, said in self._book.calls[key[0]].versions
        )
        rhythm = one.stream in {"daily", "weekly", "alive"}
        self.verdict.night += is_night(at) and not hurried and not rhythm
        if one.stream != "instant":
            return
        if not hurried:
            self._by_day[one.reader, day_of(at)] += 1
            self.verdict.surplus += self._by_day[one.reader, day_of(at)] > 3
        if _was_weekly(self._book.readers[one.reader], at):
            self._by_week[one.reader, monday_of(at)] += 1
            self.verdict.promotions += self._by_week[one.reader, monday_of(at)] > 2

    def _accepted(self, at: datetime, written_at: datetime, one: Written) -> None:
        self.verdict.letters += 1
        self.verdict.streams[one.stream] += 1
        received = self._received[one.reader]
        for key in one.keys:
            number, kind, occasion, version = key
            self.verdict.told += 1
            self._once[one.reader, number, kind, occasion] += 1
            self.verdict.repeats += self._once[one.reader, number, kind, occasion] > 1
            if kind in {CHANGE, CANCELLATION}:
                self.verdict.strangers += number not in {known[0] for known in received}
            self.verdict.false += _is_false(self._book.calls[number], version, written_at, at)
        received |= one.keys


def _is_false(call: Call, version: int, written_at: datetime, at: datetime) -> bool:
    told, now = call.versions[version][1], call.said
    closed = now.closes_at is not None and written_at < now.closes_at <= at
    same = (told.status, told.closes_at, told.documents) == (
        now.status,
        now.closes_at,
        now.documents,
    )
    return closed or not same


def _was_weekly(reader: Reader, at: datetime) -> bool:
    """The reader has asked for weekly letters, and nothing faster, for so long that none is due."""
    since = at - 9 * DAY
    stays = [one for one in reader.stays if one.until is None or one.until > since]
    return bool(stays) and all(one.asked.frequency == "weekly" for one in stays)


def _was_due(call: Call, reader: Reader, at: datetime) -> bool:
    """It was open and for that reader so long at a stretch that it must have been told."""
    begins, ends = _open_between(call, at)
    return any(
        min(ends, until) - max(begins, since) >= _LONG
        for since, until in _wanted(reader, call.said.sector, at)
    )


def _open_between(call: Call, at: datetime) -> tuple[datetime, datetime]:
    """From when it was first read until it was first not open."""
    until = [moment for moment, _ in call.versions[1:]] + [at]
    for (_, said), next_at in zip(call.versions, until, strict=True):
        if said.status != ACTIVE or (said.closes_at and said.closes_at <= next_at):
            closed = said.closes_at if said.status == ACTIVE else None
            return call.versions[0][0], closed or _seen(call, said)
    return call.versions[0][0], at


def _seen(call: Call, said: object) -> datetime:
    return next(moment for moment, one in call.versions if one is said)


def _wanted(reader: Reader, sector: str, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """When the reader asked for that sector without a maximum or a pause, each stretch whole."""
    since: datetime | None = None
    until = at
    for stay in reader.stays:
        wanted = sector in stay.asked.sectors and not stay.asked.most
        wanted = wanted and stay.asked.paused_until is None
        if since is not None and (not wanted or stay.since > until + MINUTE):
            yield since, min(until, stay.since)
            since = None
        if wanted:
            since = since or stay.since
            until = stay.until or at
    if since is not None:
        yield since, until
