"""A ratio of two sides that took turns in one run, and how a benchmark's module is run.

Each module of this folder that measures a ratio has a function `measure(size)` and ends with
`report(measure)`. Run alone it prints its figures; `python -m benchmarks` runs them all, each in
a process of its own, and writes the table and the picture.
"""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median

#: No ratio is told from fewer rounds.
LEAST_ROUNDS = 5


class Size(StrEnum):
    """How much is measured: all of it within two minutes, or at the size that the goal names."""

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One ratio, as each round gave it."""

    name: str
    #: What is divided by what, in a few words: "ours / smtp-source, letters a second".
    what: str
    goal: float
    #: True where less is better: growth, memory.
    at_most: bool = False
    rounds: tuple[float, ...]
    #: Both sides in absolute figures, the sizes, the seed: whatever the next reader asks.
    detail: tuple[str, ...] = ()
    #: What held in the same run, without which the figure would not count.
    twin: str
    size: Size

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def is_reached(self) -> bool:
        """Whether the goal is."""
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    @property
    def line(self) -> str:
        """For scripts."""
        ok = "yes" if self.is_reached else "no"
        return f"ratio={self.name} value={self.value:.2f} goal={self.goal:g} ok={ok}"


def interleaved(
    ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int = LEAST_ROUNDS
) -> list[tuple[float, float]]:
    """What either side measured in each round; who begins alternates, garbage is taken out."""
    found = []
    for number in range(rounds):
        figures: dict[bool, float] = {}
        for first in (number % 2 == 0, number % 2 != 0):
            gc.collect()
            figures[first] = ours() if first else theirs()
        found.append((figures[True], figures[False]))
    return found


def report(measure: Callable[[Size], Iterable[Measured]]) -> None:
    """Read the command line, measure, print; `--json FILE` keeps the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help="at the size that the goal names")
    parser.add_argument("--json", type=Path, help="where the figures are kept too")
    given = parser.parse_args()
    found = []
    for one in measure(Size.FULL if given.full else Size.QUICK):
        assert len(one.rounds) >= LEAST_ROUNDS, one.name  # noqa: S101, else it is no figure
        found.append(one)
        print(f"{one.what} ({one.size})")
        for said in (*one.detail, one.twin):
            print(f"  {said}")
        print("  rounds: " + ", ".join(f"{value:.2f}" for value in one.rounds))
        print(one.line, flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(one) for one in found]), encoding="utf-8")


def kept(file: Path) -> list[Measured]:
    """What `--json` wrote."""
    return [
        Measured(
            **one
            | {
                "rounds": tuple(one["rounds"]),
                "detail": tuple(one["detail"]),
                "size": Size(one["size"]),
            }
        )
        for one in json.loads(file.read_text(encoding="utf-8"))
    ]
