"""Days left to bid, in heaps that a person takes in: the picture and the table of two reports."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from scripts import reports_charts as charts

#: The first day of each heap of days left, and its name.
HEAPS = ((0, "0 à 2"), (3, "3 à 7"), (8, "8 à 14"), (15, "15 à 21"), (22, "22 et plus"))
NAMES = tuple(name for _, name in HEAPS)


def heaps(notices: Mapping[int, int]) -> list[int]:
    """Of notices by the days they left, how many are in each of HEAPS.

    What closed before is in the first.
    """
    found = [0] * len(HEAPS)
    for days, number in notices.items():
        found[sum(days >= least for least, _ in HEAPS[1:])] += number
    return found


def picture(series: Mapping[str, Mapping[int, int]]) -> Markup:
    """One column a heap, of the series one upon the other."""
    alt = "Avis reçus, selon les jours qui restaient pour soumissionner"
    shown = {name: heaps(notices) for name, notices in series.items()}
    return charts.columns("jours", [f"{name} j" for name in NAMES], shown, alt=alt)
