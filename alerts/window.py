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
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import TypeVar

from alerts.classification import THRESHOLD, Classified, Facts
from alerts.own_words import phrase_of, stands, texts
from alerts.territory import Name, named, names
from alerts.words import GAP, Passage, Phrase, Word
from sources.places import Place

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

#: A word, or two that stand near enough for a phrase.
_Run = tuple[str, ...]

#: Spellings whose tenders are remembered.
_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tender ready to be matched."""

    facts: Facts
    #: From classification.NEARLY on: those under THRESHOLD make near misses only.
    classified: tuple[Classified, ...]
    place: Place
    #: base.french.days_left; None where the closing moment is unknown.
    days_left: int | None = None


class _Kept(dict[str, Value]):
    """What was found for what people typed."""

    def __init__(self, find: Callable[[str], Value]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, typed: str) -> Value:
        if len(self) >= _MOST:
            self.clear()
        found = self[typed] = self._find(typed)
        return found


class Window:
    """Tenders by all that they are found or kept away by; each part is made when first asked."""

    def __init__(self, tenders: Sequence[Candidate]) -> None:
        self._tenders = tenders
        self._whole = (1 << len(tenders)) - 1
        #: Those in which a word stands, as somebody typed it, and those of a place so named.
        self._holding = _Kept(lambda word: self._found(phrase_of(word)))
        self._named = _Kept(self._placed)

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
            found |= self._holding[word]
        return found

    def standing(self, number: int, typed: tuple[str, ...]) -> tuple[str, ...]:
        """Of such words those that stand in that tender."""
        return tuple([word for word in typed if self._holding[word] >> number & 1])

    def of_categories(self, categories: Iterable[str]) -> int:
        """Those of one of the categories, or of none that is known; all where none is named."""
        wanted = ["", *categories]
        return _any(self._categories, wanted) if len(wanted) > 1 else self._whole

    def within(self, territory: Iterable[str]) -> int:
        """Those that are, or may be, in one of those places; all where none is named."""
        found, said = self._places.get(None, 0), False
        for name in territory:
            bits = self._named[name]
            if bits is not None:
                found, said = found | bits, True
        return found if said else self._whole

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
        return self._by(lambda tender: _names(tender.place))

    def _placed(self, name: str) -> int | None:
        """None for a name that names nothing."""
        (one,) = named([name]) or (None,)
        return None if one is None else self._places.get(one, 0)

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
    def _stems(self) -> Mapping[_Run, int]:
        """All texts are read the first time that someone has words of its own."""
        return self._by_runs(attrgetter("stem"), 1 + GAP)

    @cached_property
    def _spellings(self) -> Mapping[_Run, int]:
        return self._by_runs(attrgetter("folded"), 1)

    def _by_runs(self, said: Callable[[Word], str], reach: int) -> Mapping[_Run, int]:
        return self._by(
            lambda tender: {run for text in texts(tender.facts) for run in _runs(text, said, reach)}
        )

    def _found(self, one: Phrase | None) -> int:
        """Those in which the phrase stands: of those that have each two of its words so near."""
        if one is None:
            return 0
        words, by_run = (one.exactly, self._spellings) if one.exactly else (one.stems, self._stems)
        having = self._whole
        for run in pairwise(words) if len(words) > 1 else [words]:
            having &= by_run.get(run, 0)
        if len(words) <= 2 and not one.capitals and (one.exactly or one.gap == GAP):
            return having
        return sum(1 << n for n in numbers(having) if stands(self._tenders[n].facts, one))

    def _by(self, keys: Callable[[Candidate], Iterable[Key]]) -> Mapping[Key, int]:
        found: dict[Key, int] = defaultdict(int)
        for number, tender in enumerate(self._tenders):
            for key in keys(tender):
                found[key] |= 1 << number
        return dict(found)


def numbers(bits: int) -> list[int]:
    """Which bits are set, the lowest first."""
    found = []
    while bits:
        highest = bits.bit_length() - 1
        found.append(highest)
        bits ^= 1 << highest
    found.reverse()
    return found


def _any(by_key: Mapping[Key, int], keys: Iterable[Key]) -> int:
    found = 0
    for key in keys:
        found |= by_key.get(key, 0)
    return found


def _runs(read: Passage, said: Callable[[Word], str], reach: int) -> Iterator[_Run]:
    """Each word of a text, and each with those that a phrase of two may have after it."""
    words = [(said(word), word.segment) for word in read.words]
    for number, (one, segment) in enumerate(words):
        yield (one,)
        for other, after in words[number + 1 : number + 1 + reach]:
            if after == segment:
                yield (one, other)


def _names(place: Place) -> Iterable[Name | None]:
    here = names(place)
    return (None,) if here is None else here
