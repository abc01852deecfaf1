"""Readers by what they look for, so that a new call costs those whom it may concern.

It only spares work: whom it names is asked of alerts.matching, whom it does not name has nothing
of what the call is of, neither one of its sectors nor a word of its own that stands in it. What
keeps a call away, territory, excluded words and the like, is not looked at here: the reader who
nearly had it is to be found too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from alerts.classification import Classified, Facts
from alerts.matching import Wanted
from alerts.own_words import phrase_of, texts
from alerts.words import GAP, Passage

Key = TypeVar("Key", bound=Hashable)

#: A sector's slug, or the first stem or two of a phrase.
_Mark = str | tuple[str, ...]


class Readership(Generic[Key]):
    """Who looks for what; a reader whose wishes change is taken out and put in again."""

    def __init__(self) -> None:
        self._by_mark: dict[_Mark, set[Key]] = defaultdict(set)

    def put(self, key: Key, wanted: Wanted) -> None:
        """From now on that reader looks for this. What is raised leaves it out."""
        for mark in tuple(_wanted(wanted)):
            self._by_mark[mark].add(key)

    def take_out(self, key: Key, wanted: Wanted) -> None:
        """That reader, put in with these wishes, looks for nothing any more."""
        for mark in set(_wanted(wanted)):
            readers = self._by_mark[mark]
            readers.discard(key)
            if not readers:
                del self._by_mark[mark]

    def concerned(self, facts: Facts, classified: Iterable[Classified]) -> set[Key]:
        """All for whom that call is or nearly is, and some for whom it is not."""
        marks: set[_Mark] = {one.sector for one in classified}
        for text in texts(facts):
            marks.update(_marks(text))
        return set().union(*(self._by_mark.get(mark, ()) for mark in marks))


def _wanted(wanted: Wanted) -> Iterator[_Mark]:
    yield from wanted.sectors
    for one in filter(None, map(phrase_of, wanted.own_words)):
        yield one.stems[:2]


def _marks(text: Passage) -> Iterator[_Mark]:
    """Where a phrase may begin: at any word, its second word being one of the next."""
    stems = [word.stem for word in text.words]
    for number, stem in enumerate(stems):
        yield (stem,)
        for second in stems[number + 1 : number + 2 + GAP]:
            yield (stem, second)
