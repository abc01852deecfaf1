"""A catalogue made ready for looking up: its phrases with what each does, its codes, its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from alerts.spelling import Spellings
from alerts.words import GAP, Hit, Index, Passage, Phrase, Word, find, index, passage, phrase, stem
from subscriptions.sectors import Catalogue, Contexts, Nature, Sector

#: Weights of a precise UNSPSC prefix and of a broad or misused one.
CODE, BROAD_CODE = 0.7, 0.3
_SERVICE = stem("service")


class Role(StrEnum):
    """What a phrase does for the sector that owns it."""

    STRONG = "strong"
    WEAK = "weak"
    PLACE = "place"
    #: Takes away the words of the sector.
    NOT = "not"
    #: Takes away the weak words only.
    NOT_WEAK = "not weak"


class Context(StrEnum):
    """What a phrase does for all sectors, apart from telling a Nature."""

    MASK = "mask"
    RUNNING = "running"
    AGREEMENT = "agreement"


class Found(NamedTuple):
    """A phrase that stands in a text, and what it does there for whom ("": for all)."""

    hit: Hit
    owner: str
    role: Role | Context | Nature


_Use = tuple[str, Role | Context | Nature]
_MASK: _Use = ("", Context.MASK)


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """A catalogue made ready for looking up; compared by identity."""

    catalogue: Catalogue
    words: Index
    uses: dict[Phrase, tuple[_Use, ...]]
    prefixes: dict[str, tuple[tuple[str, float], ...]]
    spellings: Spellings
    #: By their slugs.
    sectors: dict[str, Sector]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Lexicon:
        """Compile a catalogue; done once a process."""
        uses: dict[Phrase, list[_Use]] = {}
        folded: set[str] = set()
        for spelling, owner, role in _spellings(catalogue):
            folded.update(word.folded for word in passage(spelling).words)
            for one in _phrases(spelling, gap=GAP if owner else 0):
                if (owner, role) not in uses.setdefault(one, []):
                    uses[one].append((owner, role))
        return cls(
            catalogue,
            index(uses),
            {one: tuple(found) for one, found in uses.items()},
            _prefixes(catalogue),
            Spellings(folded),
            {sector.slug: sector for sector in catalogue},
        )

    def read(self, text: str) -> tuple[Passage, list[Found]]:
        """A text's words, typing errors mended, and what of the catalogue stands in it.

        What lies within a mask is not told.
        """
        read = passage(text)
        mended = tuple(map(self._mended, read.words))
        if mended != read.words:
            read = replace(read, words=mended)
        hits = [(hit, self.uses[hit.phrase]) for hit in find(read, self.words)]
        masks = [hit for hit, uses in hits if _MASK in uses]
        seen = [
            Found(hit, owner, role)
            for hit, uses in hits
            if not masks or not any(within(hit, mask) for mask in masks)
            for owner, role in uses
        ]
        return read, seen

    def _mended(self, word: Word) -> Word:
        right = self.spellings.right(word.folded)
        return word if right == word.folded else word._replace(folded=right, stem=stem(right))


def within(inner: Hit, outer: Hit) -> bool:
    """True where every word of one hit is one of the other's."""
    return outer.start <= inner.start and inner.end <= outer.end


def overlaps(one: Hit, other: Hit) -> bool:
    """True where two hits share a word."""
    return one.start < other.end and other.start < one.end


def _phrases(spelling: str, gap: int = GAP) -> Iterator[Phrase]:
    """What a spelling of the catalogue looks for; two words also the other way round.

    Between quotation marks it is looked for letter for letter; a word in capitals, in capitals.
    """
    exact = len(spelling) > 2 and spelling[0] == spelling[-1] == '"'
    capitals = spelling.isupper() and " " not in spelling and not exact
    one = phrase(spelling, exact=exact, capitals=capitals, gap=gap)
    if one is None:
        return
    if one.stems[0] == _SERVICE:
        one = replace(one, gap=0)  # « services » stands before anything
    yield one
    if len(one.stems) == 2 and not one.exactly:
        yield Phrase(stems=one.stems[::-1], gap=0)


def _spellings(catalogue: Catalogue) -> Iterator[tuple[str, str, Role | Context | Nature]]:
    """Each phrase of the catalogue, whose it is ("" for all) and what it does."""
    for sector in catalogue:
        for role, spellings in _of_sector(sector).items():
            yield from ((one, sector.slug, role) for one in spellings)
    for context, spellings in _of_all(catalogue.contexts).items():
        yield from ((one, "", context) for one in spellings)


def _of_sector(sector: Sector) -> dict[Role, tuple[str, ...]]:
    return {
        Role.STRONG: sector.keywords,
        Role.WEAK: sector.weak_keywords,
        Role.PLACE: sector.places,
        Role.NOT: sector.exclusions,
        Role.NOT_WEAK: sector.weak_exclusions,
    }


def _of_all(contexts: Contexts) -> dict[Context | Nature, tuple[str, ...]]:
    return {
        Nature.GOODS: contexts.goods,
        Nature.WORKS: contexts.works,
        Nature.STUDIES: contexts.studies,
        Nature.SERVICES: contexts.services,
        Context.RUNNING: contexts.running,
        Context.AGREEMENT: contexts.agreements,
        Context.MASK: contexts.masks,
    }


def _prefixes(catalogue: Catalogue) -> dict[str, tuple[tuple[str, float], ...]]:
    prefixes: dict[str, list[tuple[str, float]]] = {}
    for sector in catalogue:
        for weight, codes in ((CODE, sector.unspsc), (BROAD_CODE, sector.broad_unspsc)):
            for code in codes:
                prefixes.setdefault(code, []).append((sector.slug, weight))
    return {code: tuple(found) for code, found in prefixes.items()}
