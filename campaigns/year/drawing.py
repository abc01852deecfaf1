"""The dice thrown: calls and their amendments, readers and their changes of mind, ticks."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from campaigns.year.world import (
    CANCELLED,
    DAY,
    HOUR,
    MINUTE,
    RHYTHMS,
    TITLES,
    Asked,
    Chance,
    Happening,
    Interest,
    Reading,
    Said,
    Wish,
    World,
    outages,
    relay_outages,
    wall,
)

#: Wall-clock moments of every day at which the service looks, beside what happened lately.
HOURS = ((1, 0), (5, 30), (6, 0), (6, 30), (8, 0), (9, 0), (20, 0), (22, 0))
#: Days between two changes of mind of one reader.
STEADY = 25


def make(seed: int, readers: int, start: date, days: int, *, grid: int, share: float) -> World:
    """The same world for the same arguments.

    By day the service looks every `grid` minutes, and whenever something may be due; of all that
    so large a `share` is kept, as if the service were slow.
    """
    chance = Chance(random.Random(seed), start, days)
    chance.out = outages(chance)
    readings = _readings(chance)
    wishes = [wish for number in range(readers) for wish in _wishes(chance, number)]
    interests = _interests(chance, readers)
    happenings: list[Happening] = [*readings, *wishes, *interests]
    happenings.sort(key=lambda one: one.at)
    return World(
        seed=seed,
        readers=readers,
        happenings=tuple(happenings),
        ticks=tuple(at for at in _ticks(chance, happenings, grid) if chance.dice.random() < share),
        relay_out=tuple(relay_outages(chance)),
    )


def _readings(chance: Chance) -> list[Reading]:
    """Each call with what becomes of it, at the moments at which the service reads."""
    said: dict[datetime, dict[str, Said]] = defaultdict(dict)
    weeks: dict[datetime, date] = {}
    number = 20_170_000
    for first, week, how_many in _visits(chance):
        if week:
            weeks[first] = week
        for _ in range(how_many):
            number += 1
            call = _call(chance, number, first)
            said[first][call.number] = call
            for at, amended in _amendments(chance, call, first):
                # Of what changed during an outage the last is read.
                said[at][call.number] = amended
    return [
        Reading(at, tuple(said[at].values()), weeks.get(at))
        for at in sorted(said.keys() | weeks.keys())
    ]


def _visits(chance: Chance) -> Iterator[tuple[datetime, date | None, int]]:
    """When something new is read, and how much: some every day, the weekly file on Mondays."""
    dice = chance.dice
    for day in chance.all_days():
        if day.weekday() == 0:
            # Some weeks the file is late, or never comes.
            at = wall(day, *dice.choice(((5, 40), (5, 50), (6, 25), (7, 10), (11, 30))))
            yield chance.running(at), day, dice.randrange(4, 14)
        for _ in range(dice.choice((0, 1, 1, 2, 3)) if day.weekday() < 5 else dice.choice((0, 1))):
            yield chance.running(chance.minute(day, 1, 23)), None, dice.choice((1, 1, 1, 2, 4))


def _call(chance: Chance, number: int, at: datetime) -> Said:
    dice = chance.dice
    sector = dice.choice(tuple(TITLES))
    days = dice.choice((0, 1, 2, 3, 5, 8, 11, 14, 15, 20, 30, 45))
    closes_at = None
    if dice.random() > 0.03:
        closes_at = wall(
            at.date() + days * DAY, *dice.choice(((11, 0), (14, 30), (15, 0), (23, 0)))
        )
        if closes_at <= at:
            closes_at = at + dice.randrange(2, 30) * HOUR
    return Said(
        number=str(number), sector=sector, title=f"{TITLES[sector]}, lot {number}",
        closes_at=closes_at, documents=("Devis",) if dice.random() < 0.7 else (),
    )  # fmt: skip


def _amendments(chance: Chance, call: Said, at: datetime) -> Iterator[tuple[datetime, Said]]:
    """What its source says of it later, as long as it has not closed."""
    dice, now = chance.dice, call
    while dice.random() < 0.35:
        until = now.closes_at or at + 40 * DAY
        left = int((until - at) / MINUTE)
        at += dice.randrange(1, max(2, left)) * MINUTE
        at = chance.running(at)
        if at >= until:
            return
        now = _amended(chance, now, at)
        yield at, now


def _amended(chance: Chance, now: Said, at: datetime) -> Said:
    dice = chance.dice
    what = dice.random()
    if what < 0.2:
        # SEAO gives a cancelled call the moment of its cancellation as its closing.
        closes_at = at if now.closes_at and dice.random() < 0.5 else now.closes_at
        return replace(now, status=CANCELLED, closes_at=closes_at)
    if what < 0.6 and now.closes_at:
        by = dice.choice((-6, -2, -1, 1, 4, 7, 14)) * DAY
        return replace(now, status="active", closes_at=max(now.closes_at + by, at + 5 * HOUR))
    if what < 0.85:
        return replace(now, documents=(*now.documents, f"Addenda {len(now.documents)}"))
    title = now.title.upper() if what < 0.92 else f"{now.title}, précision"
    return replace(now, title=title)


def _wishes(chance: Chance, reader: int) -> Iterator[Wish]:
    """What one reader asks for, from before the beginning; one in ten arrives later."""
    dice = chance.dice
    begin = wall(chance.start, 0) - 30 * DAY
    if dice.random() < 0.1:
        begin = chance.minute(chance.start + dice.randrange(1, chance.days) * DAY)
    now: Asked | None = _asked(chance)
    asked = now
    yield Wish(begin, reader, now)
    at = max(begin, wall(chance.start, 0))
    while True:
        at += timedelta(minutes=dice.expovariate(1 / (STEADY * 1440)) // 1 + 1)
        if at >= wall(chance.start, 0) + chance.days * DAY:
            return
        now = _next(chance, now, at)
        if now is None:
            yield Wish(at, reader, None)
        elif now != asked:
            yield Wish(at, reader, now)
        asked = now


def _asked(chance: Chance) -> Asked:
    dice = chance.dice
    return Asked(
        frequency=dice.choice(RHYTHMS),
        sectors=tuple(sorted(dice.sample(tuple(TITLES), dice.choice((1, 1, 2, 3))))),
        weekdays=dice.choice((0b1111111, 0b1111111, 0b0011111, 0b0010001, 0b0000100)),
        most=dice.choice((None, None, None, 5, 2)),
    )


def _next(chance: Chance, now: Asked | None, at: datetime) -> Asked | None:
    """Most often another rhythm; a return after leaving, soon after."""
    dice, what = chance.dice, chance.dice.random()
    if now is None or what < 0.15:
        return _asked(chance)
    if what < 0.65:
        others = [one for one in RHYTHMS if one != now.frequency]
        return replace(now, frequency=dice.choice(others), paused_until=None)
    if what < 0.8:
        return replace(now, sectors=_asked(chance).sectors)
    if what < 0.9:
        return replace(now, paused_until=at + dice.choice((1, 5, 20)) * DAY)
    return None


def _interests(chance: Chance, readers: int) -> Iterator[Interest]:
    dice = chance.dice
    for day in chance.all_days():
        for _ in range(max(1, readers // 20)):
            reader = dice.randrange(readers)
            yield Interest(chance.minute(day, 7, 23), reader, dice.random())


def _ticks(chance: Chance, happenings: list[Happening], grid: int) -> Iterator[datetime]:
    """By day every `grid` minutes, and whenever something may be due."""
    end = wall(chance.start, 0) + chance.days * DAY
    read = [one.at for one in happenings if isinstance(one, Reading)]
    moments = {at + 10 * MINUTE for at in read} | {at for at in read if chance.dice.random() < 0.3}
    for day in chance.all_days():
        moments |= {wall(day, *hour) for hour in HOURS}
        first, last = wall(day, 6), wall(day, 20)
        moments |= {first + n * grid * MINUTE for n in range((last - first) // (grid * MINUTE))}
    moments |= {span.end for span in chance.out}
    for at in sorted(moments):
        if chance.running(at) == at and wall(chance.start, 0) <= at < end:
            yield at
