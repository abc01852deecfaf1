"""Print what finding the notices of subscriptions costs: by the shelf, and over all pairs.

    python -m benchmarks.matching

The notices are the real titles of tests/sources/data/notices.csv, the subscriptions drawn from
the catalogue and the titles' own words (seeded).
"""

from __future__ import annotations

import random
from time import perf_counter

from alerts.classification import NEARLY, Facts, Lexicon, classify
from alerts.matching import Match, Shelf, Wanted, match
from alerts.window import Candidate
from sources.places import Place
from subscriptions import sectors
from tests.variants import notices

SUBSCRIPTIONS = 2000
PLACE = Place(municipality="", mrc="", region="", basis="unknown")


def main() -> None:
    catalogue = sectors.load()
    lexicon = Lexicon.of(catalogue)
    titles = [Facts(title=one.title, buyer=one.buyer) for one in notices()]
    begun = perf_counter()
    calls = {
        number: Candidate(facts, classify(facts, lexicon, least=NEARLY), PLACE)
        for number, facts in enumerate(titles)
    }
    print(f"{len(calls)} notices classified in {perf_counter() - begun:.2f} s")
    chosen = random.Random(7)  # noqa: S311, no secret
    slugs = [sector.slug for sector in catalogue]
    words = sorted({word for facts in titles for word in facts.title.split() if len(word) > 5})
    wanted = [
        Wanted(
            sectors=frozenset(chosen.sample(slugs, 3)),
            own_words=tuple(chosen.sample(words, number % 3)),
        )
        for number in range(SUBSCRIPTIONS)
    ]
    begun = perf_counter()
    shelf = Shelf(calls)
    made = sum(isinstance(m, Match) for one in wanted for _, m in shelf.decide(one))
    by_shelf = perf_counter() - begun
    sample = wanted[: SUBSCRIPTIONS // 20]
    begun = perf_counter()
    every = sum(
        isinstance(match(c.facts, c.classified, one, place=c.place), Match)
        for one in sample
        for c in calls.values()
    )
    by_pairs = (perf_counter() - begun) * SUBSCRIPTIONS / len(sample)
    same = sum(isinstance(m, Match) for one in sample for _, m in shelf.decide(one))
    assert every == same  # noqa: S101, else the figures are of two things
    print(f"{SUBSCRIPTIONS} subscriptions, {made} matches: shelf {by_shelf:.2f} s, ", end="")
    print(f"all pairs {by_pairs:.2f} s (from {len(sample)}), ratio {by_pairs / by_shelf:.0f}")


if __name__ == "__main__":
    main()
