"""The year lived through, by both implementations side by side."""

from __future__ import annotations

import random
from datetime import date

from alerts import outcomes
from alerts.classification import THRESHOLD, Facts, classify
from alerts.writing import Desk
from base.database import Database
from campaigns.crash.worker import desk
from campaigns.year.drawing import make
from campaigns.year.naive import Naive
from campaigns.year.office import Office
from campaigns.year.verdict import Verdict, Watch
from campaigns.year.world import TITLES, World

#: Both changes of clock are within a year from then.
START = date(2026, 9, 1)


class _Steady:
    """No spread between the attempts, so that both implementations know when the next one is."""

    def random(self) -> float:
        return 0.0


def run(
    database: Database,
    *,
    seed: int,
    readers: int,
    days: int,
    start: date = START,
    grid: int = 60,
    share: float = 1.0,
) -> Verdict:
    """A year, or less of one, on an empty database."""
    world, made = make(seed, readers, start, days, grid=grid, share=share), desk()
    _check(made)
    before = vars(outcomes)["random"]
    setattr(outcomes, "random", _Steady())  # noqa: B010, replaced from outside
    try:
        return _live(Office(database, made, world), Naive(world), world)
    finally:
        setattr(outcomes, "random", before)  # noqa: B010, the same


def _live(office: Office, naive: Naive, world: World) -> Verdict:
    watch, dice = Watch(naive.book), random.Random(world.seed)
    office.open()
    waiting = list(reversed(world.happenings))
    for at in world.ticks:
        while waiting and waiting[-1].at <= at:
            one = waiting.pop()
            office.happens(one, naive.happens(one))
        watch.wrote(at, office.tick(at, dice), naive.tick(at))
        watch.decided(at, office.hand_over(at), naive.hand_over(at))
        watch.verdict.ticks += 1
    watch.verdict.brakes = office.brakes
    return watch.ends(world.ticks[-1])


def _check(made: Desk) -> None:
    """Each title says its own sector and no other, to the classifier that letters use."""
    for sector, title in TITLES.items():
        for shown in (f"{title}, lot 20170001", f"{title}, lot 20170001, précision".upper()):
            facts = Facts(
                title=shown, category="services", codes=(), labels=(), description="", buyer=""
            )
            found = [one.sector for one in classify(facts, made.lexicon, least=THRESHOLD)]
            if found != [sector]:
                raise RuntimeError(f"« {shown} » says {found}, not {sector}")
