"""Open calls and wishes to measure matching with: real notices, wishes drawn from their words.

The calls are those of the SEAO generator, read and placed as the service does. Of the wishes 40 %
have words of their own (single, in two, between quotation marks, in capitals, a few that nobody
else looks for), 20 % excluded words, 60 % a territory, 20 % categories, 30 % days to prepare. The
same seed gives the same wishes, lot by lot, so that a million are never held at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from random import Random
from string import ascii_lowercase

from alerts.classification import NEARLY, Facts, Lexicon, classify
from alerts.matching import Wanted
from alerts.window import Candidate
from base.french import days_left
from benchmarks.seao_generator import Generator
from sources import seao
from sources.places import load, place
from sources.release import Release
from subscriptions import sectors

#: Wishes drawn at once.
LOT = 10_000
_MONDAY = date(2026, 9, 14)
_AT = datetime(2026, 9, 21, 10, tzinfo=UTC)
_MARKS = ".,;:()«»\"'/-–’"


def calls(count: int, seed: int) -> dict[int, Candidate]:
    """So many open calls of one week."""
    (week,) = Generator(seed=seed, first=_MONDAY, calls=count, contracts=0).weeks(1)
    lexicon = Lexicon.of(sectors.load())
    found = (one for one in seao.read(week.content) if isinstance(one, Release))
    return {number: _call(one, lexicon) for number, one in enumerate(found)}


def _call(release: Release, lexicon: Lexicon) -> Candidate:
    facts = Facts(
        title=release.title,
        category=release.category or "",
        codes=tuple(item.code for item in release.items),
        labels=tuple(item.label for item in release.items),
        description=release.description,
        buyer=release.buyer,
    )
    where = place(
        load(),
        buyer=release.buyer,
        municipal=release.municipal,
        locality=release.locality,
        postal_code=release.postal_code,
    )
    left = days_left(release.closes_at, _AT) if release.closes_at else None
    return Candidate(facts, classify(facts, lexicon, least=NEARLY), where, left)


@dataclass(frozen=True, slots=True)
class Words:
    """What wishes are drawn from."""

    slugs: list[str]
    words: list[str]
    pairs: list[str]
    capitals: list[str]
    places: list[str]

    @classmethod
    def of(cls, found: dict[int, Candidate], *, but: frozenset[str] = frozenset()) -> Words:
        """The words, places and sectors of those calls; no sector of `but`."""
        titles = [one.facts.title for one in found.values() if not one.facts.title.isupper()]
        words = [[w.strip(_MARKS) for w in title.split()] for title in titles]
        where = [one.place for one in found.values()]
        named = {name for one in where for name in (one.municipality, one.mrc, one.region) if name}
        return cls(
            slugs=[one.slug for one in sectors.load() if one.slug not in but],
            words=sorted({word for title in words for word in title if len(word) > 4}),
            pairs=sorted({" ".join(two) for title in words for two in pairwise(title)}),
            capitals=sorted(
                {w for title in words for w in title if w.isupper() and 1 < len(w) < 7}
            ),
            places=sorted(named),
        )

    def lot(self, seed: int, number: int, size: int = LOT) -> Iterator[Wanted]:
        """The wishes of one lot."""
        random = Random(f"{seed}:{number}")  # noqa: S311, no secret
        return (self._wanted(random) for _ in range(size))

    def _wanted(self, random: Random) -> Wanted:
        drawn = random.random
        return Wanted(
            sectors=frozenset(random.choices(self.slugs, k=2 + int(drawn() * 7))),
            own_words=self._typed(random, 8) if drawn() < 0.5 else (),
            excluded_words=self._typed(random, 2) if drawn() < 0.3 else (),
            territory=_few(random, self.places, 3) if drawn() < 0.6 else frozenset(),
            categories=_few(random, ["goods", "services", "works"], 2)
            if drawn() < 0.2
            else frozenset(),
            minimum_days_left=random.choice((3, 5, 7, 10, 14)) if drawn() < 0.3 else 0,
        )

    def _typed(self, random: Random, most: int) -> tuple[str, ...]:
        return tuple(self._word(random) for _ in range(1 + int(random.random() * most)))

    def _word(self, random: Random) -> str:
        drawn = random.random()
        if drawn < 0.6:
            return random.choice(self.words)
        if drawn < 0.85:
            return random.choice(self.pairs)
        if drawn < 0.93:
            return f"« {random.choice(self.pairs)} »"
        if drawn < 0.97:
            return random.choice(self.capitals)
        return nobody_s(random)


def nobody_s(random: Random) -> str:
    """A word that stands in no notice and that nobody else looks for."""
    return "zq" + "".join(random.choices(ascii_lowercase, k=9))


def _few(random: Random, of: list[str], most: int) -> frozenset[str]:
    return frozenset(random.choices(of, k=1 + int(random.random() * most)))
