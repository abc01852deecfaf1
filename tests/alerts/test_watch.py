"""What the watch finds in a simulated year, and how soon it notices what is dead."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from alerts import watch
from alerts.rhythm import EDITION_HOUR, LATEST_HOUR
from alerts.tables import Stream
from alerts.watch import EVERY, PATIENCE, Beat, Facts, Out, What, findings
from base.clock import quebec_day, wall_time
from base.heartbeat import GAP

#: A year with a day of 23 hours and one of 25, from its first Sunday's midnight.
START = datetime(2026, 1, 4, 5, tzinfo=UTC)
YEAR = timedelta(days=366)
MINUTE = timedelta(minutes=1)
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True)
class Process:
    """Something that beats every minute while it is up."""

    up: list[Stretch]

    def beat(self, at: datetime) -> Beat | None:
        """The last beat by `at`, and the first of its series, as base.heartbeat keeps them."""
        number = bisect_right(self.up, at, key=lambda one: one[0])
        if not number:
            return None
        began, ended = self.up[number - 1]
        last = began + (min(at, ended) - began) // MINUTE * MINUTE
        while number > 1 and began - self.up[number - 2][1] <= GAP - 2 * MINUTE:
            number -= 1
            began = self.up[number - 1][0]
        return Beat(last, began)


@dataclass(frozen=True)
class World:
    """What befell in that year."""

    service: Process
    pages: Process
    watcher: Process
    maintenance: list[Stretch]
    #: Minutes that each edition took until its first letter left.
    writing: Callable[[date], timedelta]

    def facts(self, at: datetime) -> Facts:
        watching = self.watcher.beat(at)
        begun = [end for start, end in self.maintenance if start <= at]
        return Facts(
            watching_since=watching.since if watching else at,
            service=self.service.beat(at),
            pages=self.pages.beat(at),
            maintenance_until=max(begun, default=None),
            editions={watch.label(one): self._out(one, at) for one in watch.due_by(at)},
        )

    def _out(self, one: watch.Due, at: datetime) -> Out:
        """Written once the service has been up for as long as the edition takes."""
        # Every other week's file is late: the weekly edition is opened at the latest hour.
        waits = one.stream is Stream.WEEKLY and int(one.label[-2:]) % 2
        due = wall_time(quebec_day(one.period.end), LATEST_HOUR if waits else EDITION_HOUR)
        owed = self.writing(quebec_day(due))
        first = max(0, bisect_right(self.service.up, due, key=lambda one: one[0]) - 1)
        for began, ended in self.service.up[first:]:
            if began > at:
                break
            worked = min(ended, at) - max(began, due)
            if worked >= owed:
                return Out.LEFT
        return Out.ABSENT

    def looks(self, start: datetime, end: datetime) -> list[datetime]:
        """When the timer fires: every five minutes while the machine is up."""
        steps = range((end - start) // EVERY + 1)
        return [at for at in (start + n * EVERY for n in steps) if self._watched(at)]

    def _watched(self, at: datetime) -> bool:
        number = bisect_right(self.watcher.up, at, key=lambda one: one[0])
        return bool(number) and at <= self.watcher.up[number - 1][1]


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311, seeded chance is to be repeated


def _less(up: list[Stretch], down: list[Stretch]) -> list[Stretch]:
    """`up` without `down`."""
    for start, end in down:
        parts = []
        for began, ended in up:
            parts += [(began, min(ended, start)), (max(began, end), ended)]
        up = [(a, b) for a, b in parts if b - a > MINUTE]
    return sorted(up)


def _stretches(chance: random.Random, many: int, least: int, most: int) -> list[Stretch]:
    starts = [START + chance.random() * YEAR for _ in range(many)]
    return [(at, at + chance.randint(least, most) * MINUTE) for at in starts]


def year(seed: int) -> World:
    """Restarts, a machine that is off, announced maintenance, also when editions are due."""
    chance = _chance(seed)
    whole = [(START - timedelta(days=7), START + YEAR + timedelta(days=7))]
    off = _stretches(chance, 8, 5, 1800)
    announced = _stretches(chance, 20, 30, 360)
    for day in (date(2026, 3, 8), date(2026, 11, 1), date(2026, 9, 21), date(2026, 12, 25)):
        announced.append((wall_time(day, 5), wall_time(day, 11)))
    # The work begins when it is announced, and may be over a little late.
    worked = [(start, end + chance.randint(-20, 8) * MINUTE) for start, end in announced]
    boots = [(start, end + chance.randint(0, 5) * MINUTE) for start, end in off]
    restarts = _stretches(chance, 150, 1, 12)
    return World(
        service=Process(_less(whole, worked + boots + restarts)),
        pages=Process(_less(whole, worked + boots + _stretches(chance, 150, 1, 12))),
        watcher=Process(_less(whole, off)),
        maintenance=announced,
        writing=cache(lambda day: _chance(day.toordinal()).randint(1, 15) * MINUTE),
    )


def test_a_year_of_restarts_and_announced_downtime_raises_0_alarms(
    record_property: Callable[[str, object], None],
) -> None:
    world = year(1)
    looks = world.looks(START, START + YEAR)

    alarms = [(at, one) for at in looks for one in findings(world.facts(at), at)]

    record_property("measured", f"watch: a year, {len(looks)} looks, {len(alarms)} alarms")
    assert alarms == []


def test_a_killed_scheduler_is_noticed_within_30_minutes(
    record_property: Callable[[str, object], None],
) -> None:
    """Whenever it is killed, machine on, no maintenance announced; it is never started again."""
    world, chance = year(3), _chance(3)
    late = []
    while len(late) < 300:
        killed = START + chance.random() * YEAR
        if any(start <= killed < end for start, end in world.maintenance):
            continue
        ended = _less(world.service.up, [(killed, START + 2 * YEAR)])
        dead = World(Process(ended), world.pages, world.watcher, [], world.writing)
        looks = dead.looks(killed - timedelta(minutes=60), killed + timedelta(minutes=60))
        if len(looks) < 25:
            continue  # the machine was off as well: nobody could look
        looks = [at for at in looks if at >= killed]
        first = next(at for at in looks if _dead(dead, at))
        late.append(first - killed)
    longest = max(late) / MINUTE
    record_property("measured", f"watch: 300 killed schedulers, noticed in {longest:.0f} min")
    assert max(late) <= timedelta(minutes=30)


def _dead(world: World, at: datetime) -> bool:
    return What.SERVICE in {one.what for one in findings(world.facts(at), at)}


def _fine(at: datetime, **changed: object) -> Facts:
    beat = Beat(at - MINUTE, at - timedelta(days=3))
    out = {watch.label(one): Out.LEFT for one in watch.due_by(at)}
    values: dict[str, object] = {
        "watching_since": at - timedelta(days=3),
        "service": beat,
        "pages": beat,
        "editions": out,
    }
    return Facts(**(values | changed))  # type: ignore[arg-type]


#: Monday 21 September 2026: a daily and a weekly edition are due.
MONDAY = date(2026, 9, 21)
BY = wall_time(MONDAY, 8, 30)


def test_an_edition_is_asked_for_from_half_past_eight_until_the_next_day() -> None:
    def found(at: datetime) -> set[str]:
        return {one.subject for one in findings(_fine(at, editions={}), at)}

    both = {"daily:2026-09-21", "weekly:2026-W39"}
    assert found(BY - MINUTE) == set()
    assert found(BY) == both
    assert found(wall_time(MONDAY, 21)) == both
    tuesday = wall_time(MONDAY + timedelta(days=1), 7)
    assert found(tuesday) == {"weekly:2026-W39"}


@pytest.mark.parametrize(
    ("out", "what"), [(Out.ABSENT, What.ABSENT), (Out.STUCK, What.STUCK), (Out.HELD, What.HELD)]
)
def test_an_edition_that_is_not_leaving_says_why(out: Out, what: What) -> None:
    editions = {"daily:2026-09-21": Out.LEFT, "weekly:2026-W39": out}
    found = findings(_fine(BY, editions=editions), BY)
    assert [(one.what, one.subject) for one in found] == [(what, "weekly:2026-W39")]


def test_silent_pages_and_a_silent_source_are_told() -> None:
    silent = {"seao": BY - timedelta(days=3)}
    pages = Beat(BY - PATIENCE - MINUTE, BY - timedelta(days=3))
    found = findings(_fine(BY, silent=silent, pages=pages), BY)
    assert {(one.what, one.subject) for one in found} == {(What.PAGES, ""), (What.SOURCE, "seao")}


def test_a_dead_service_is_told_once_and_not_by_its_consequences() -> None:
    dead = Beat(BY - timedelta(hours=5), BY - timedelta(days=3))
    silent = {"seao": BY - timedelta(days=3)}
    found = findings(_fine(BY, service=dead, editions={}, silent=silent), BY)
    assert [one.what for one in found] == [What.SERVICE]


def test_a_service_that_has_just_come_back_is_given_time_to_catch_up() -> None:
    """It was down unannounced, which was said; what is due it now writes."""

    def found(minutes: int) -> set[What]:
        back = Beat(BY, BY - minutes * MINUTE)
        return {one.what for one in findings(_fine(BY, service=back, editions={}), BY)}

    assert (found(5), found(19), found(20)) == (set(), set(), {What.ABSENT})


def test_a_beat_of_the_future_is_no_sign_of_life() -> None:
    """The clock went back: until it has caught up, nothing else would tell of a dead service."""
    future = Beat(BY + timedelta(hours=2), BY - timedelta(days=3))
    assert [one.what for one in findings(_fine(BY, service=future), BY)] == [What.SERVICE]


def test_nothing_is_told_during_announced_maintenance_and_while_things_come_back() -> None:
    dead = Beat(BY - timedelta(hours=5), BY - timedelta(days=3))

    def found(at: datetime) -> int:
        until = BY + timedelta(hours=1)
        return len(findings(_fine(at, service=dead, maintenance_until=until), at))

    assert found(BY) == 0
    assert found(BY + timedelta(hours=1) + PATIENCE - MINUTE) == 0
    assert found(BY + timedelta(hours=1) + PATIENCE) == 1
