"""How long 10,000 real titles take to classify, on one core.

The titles are those of tests/data/labelled, over and over with a number of their own (nothing is
remembered from one title to the next). Run: python benchmarks/classification.py
"""

from __future__ import annotations

import csv
import sys
import time
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from alerts.classification import Facts, Lexicon, classify  # noqa: E402, after the path
from subscriptions import sectors  # noqa: E402, after the path

TITLES = 10_000


def main() -> None:
    rows = [
        row
        for path in sorted((ROOT / "tests" / "data" / "labelled").glob("*.csv"))
        for row in csv.DictReader(path.open(encoding="utf-8", newline=""))
    ]
    facts = [
        Facts(
            title=f"{row['title']} {number}",
            codes=tuple(
                f"{'UNSPSC' if code[0].isdigit() else 'SEAO'}:{code}"
                for code in row["unspsc_or_category"].replace("|", ";").replace(" ", "").split(";")
                if code
            ),
        )
        for number, row in enumerate(islice(cycle(rows), TITLES))
    ]
    begun = time.process_time()
    lexicon = Lexicon.of(sectors.load())
    compiled = time.process_time()
    told = sum(bool(classify(one, lexicon)) for one in facts)
    done = time.process_time()
    print(f"catalogue compiled in {compiled - begun:.2f} s of CPU")
    print(f"{TITLES} titles ({len(rows)} different) classified in {done - compiled:.2f} s of CPU")
    print(f"{told} of them told to some sector")


if __name__ == "__main__":
    main()
