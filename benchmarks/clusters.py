"""Print how many pairs of one call are found, by what was changed, and how many false ones.

    python -m benchmarks.clusters

The pairs are real notices and the same notices as another source would write them
(tests.variants); the false ones are looked for among all pairs of one buyer's notices.
"""

from __future__ import annotations

from collections import Counter

from sources.same_call import same_call
from tests.variants import CLOSES_AT, pairs, strangers


def main() -> None:
    found: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for pair in pairs():
        change = pair.changes[0] if len(pair.changes) == 1 else "two changes"
        asked[change] += 1
        found[change] += same_call(pair.one, pair.other) is not None
    for change, number in sorted(asked.items()):
        print(f"{change:20} {found[change]:5} of {number:5} {found[change] / number:6.1%}")
    print(f"{'all':20} {found.total():5} of {asked.total():5} {found.total() / asked.total():6.1%}")
    for name, closes_at in (("as they closed", None), ("all closing at once", CLOSES_AT)):
        looked_at = merged = reworded = 0
        for one, other in strangers(closes_at=closes_at):
            looked_at += 1
            if same_call(one, other):
                merged += 1
                reworded += one.title.casefold().split() != other.title.casefold().split()
        print(
            f"distinct notices of one buyer, {name}: {looked_at} pairs, {merged} merged, "
            f"of which {reworded} with titles that differ"
        )


if __name__ == "__main__":
    main()
