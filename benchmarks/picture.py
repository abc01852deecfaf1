"""The ratios beside their goals, as one SVG: right of the line is reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from benchmarks.measured import Measured

REACHED, MISSED, ROUND = "#1b5e20", "#b3261e", "#555555"
TICKS = (0.25, 0.5, 1, 2, 4)


def draw(found: Sequence[Measured], file: Path) -> None:
    """Write the picture; the same figures make the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "ratios", "font.size": 9, "svg.fonttype": "path"}):
        figure = Figure(figsize=(8, 0.9 + 0.45 * len(found)), layout="constrained")
        axes = figure.subplots()
        for row, one in enumerate(found):
            colour = REACHED if one.is_reached else MISSED
            axes.barh(row, _beside(one, one.value) - 1, left=1, height=0.35, color=colour)
            rounds = [_beside(one, value) for value in one.rounds]
            axes.plot(rounds, [row] * len(rounds), "|", color=ROUND, markersize=11)
        axes.axvline(1, color="black", linewidth=1)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(TICKS))
        axes.xaxis.set_minor_locator(FixedLocator([]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} x"))
        axes.set_xlim(TICKS[0], TICKS[-1])
        axes.set_yticks(range(len(found)), [_label(one) for one in found])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set_xlabel("times the goal (right of the line: reached); each stroke is a round")
        axes.spines[["top", "right", "left"]].set_visible(False)
        figure.savefig(file, format="svg", metadata={"Date": None})


def _beside(one: Measured, value: float) -> float:
    """How many times as good as the goal, within the picture."""
    times = one.goal / value if one.at_most else value / one.goal
    return min(max(times, TICKS[0]), TICKS[-1])


def _label(one: Measured) -> str:
    sign = "≤" if one.at_most else "≥"
    return f"{one.name}\n{one.value:.2f} (goal {sign} {one.goal:g})"
