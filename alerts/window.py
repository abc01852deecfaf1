"""Open tenders as bits, so that what one subscription asks for is a handful of `&` and `|`.

The n-th tender is the n-th bit. A set of tenders is an int: those of a sector, those in whose
texts a phrase stands, those of a category, within a territory, open for so many days. Each
method says of one wish what alerts.matching.match says of each tender.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import TypeVar

from alerts.classification import THRESHOLD, Classified, Facts
from alerts.own_words import phrase_of, stands, texts
from alerts.territory import Name, named, names
from alerts.words import Phrase
from sources.places import Place

Key = TypeVar("Key", bound=Hashable)

#: Spellings of own or excluded words whose tenders are remembered.
_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tender ready to be matched."""

    facts: Facts
    #: From classification.NEARLY on: those under THRESHOLD make near misses only.
    classified: tuple[Classified, ...]
    place: Place
    #: base.french.days_left; None where the closing moment is unknown.
    days_left: int | None = None


class Window:
    """Tenders by all that they are found or kept away by; each part is made when first asked."""

    def __init__(self, tenders: Sequence[Candidate]) -> None:
        self._tenders = tenders
        self._whole = (1 << len(tenders)) - 1
        self._holding: dict[str, int] = {}

    def told(self, sectors: Iterable[str]) -> int:
        """Those that are told to who declared one of the sectors."""
        return _any(self._told, sectors)

    def near(self, sectors: Iterable[str]) -> int:
        """Those that are told to them or nearly are."""
        return _any(self._near, sectors)

    def holding(self, typed: Iterable[str]) -> int:
        """Those in which one of a contact's own or excluded words stands."""
        found = 0
        for word in typed:
            bits = self._holding.get(word)
            if bits is None:
                if len(self._holding) >= _REMEMBERED:
                    self._holding.clear()
                bits = self._holding[word] = self._found(phrase_of(word))
            found |= bits
        return found

    def of_categories(self, categories: Iterable[str]) -> int:
        """Those of one of the categories, or of none that is known; all where none is named."""
        wanted = ["", *categories]
        return _any(self._categories, wanted) if len(wanted) > 1 else self._whole

    def within(self, territory: Iterable[str]) -> int:
        """Those that are, or may be, in one of those places; all where none is named."""
        wanted = named(territory)
        return _any(self._places, [None, *wanted]) if wanted else self._whole

    def open_for(self, days: int) -> int:
        """Those still open for so many days, or nobody knows how many."""
        least, bits = self._days
        return bits[bisect_left(least, days)]

    @cached_property
    def _told(self) -> Mapping[str, int]:
        return self._by(
            lambda tender: (one.sector for one in tender.classified if one.score >= THRESHOLD)
        )

    @cached_property
    def _near(self) -> Mapping[str, int]:
        return self._by(lambda tender: (one.sector for one in tender.classified))

    @cached_property
    def _categories(self) -> Mapping[str, int]:
        return self._by(lambda tender: (tender.facts.category,))

    @cached_property
    def _places(self) -> Mapping[Name | None, int]:
        """By each name that means the place; by None where the place keeps nothing away."""
        return self._by(lambda tender: _named(tender.place))

    @cached_property
    def _days(self) -> tuple[list[int], list[int]]:
        """The days that some tender is still open, and those open so long; at last the rest."""
        by_days = self._by(lambda tender: (tender.days_left,))
        least = sorted(days for days in by_days if days is not None)
        bits = [by_days.get(None, 0)]
        for days in reversed(least):
            bits.append(bits[-1] | by_days[days])
        return least, bits[::-1]

    @cached_property
    def _stems(self) -> Mapping[str, int]:
        """All texts are read the first time that someone has words of its own."""
        return self._by(
            lambda tender: {word.stem for text in texts(tender.facts) for word in text.words}
        )

    def _found(self, one: Phrase | None) -> int:
        """Those in which the phrase stands: of those that have all its stems, wherever."""
        if one is None:
            return 0
        having = self._whole
        for stem in one.stems:
            having &= self._stems.get(stem, 0)
        if len(one.stems) == 1 and not one.exactly:
            return having
        return sum(1 << n for n in numbers(having) if stands(self._tenders[n].facts, one))

    def _by(self, keys: Callable[[Candidate], Iterable[Key]]) -> Mapping[Key, int]:
        found: dict[Key, int] = defaultdict(int)
        for number, tender in enumerate(self._tenders):
            for key in keys(tender):
                found[key] |= 1 << number
        return dict(found)


def numbers(bits: int) -> Iterator[int]:
    """Which bits are set, the lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _any(found: Mapping[Key, int], keys: Iterable[Key]) -> int:
    return reduce(or_, (found.get(key, 0) for key in keys), 0)


def _named(place: Place) -> Iterable[Name | None]:
    here = names(place)
    return (None,) if here is None else here
