"""Tender x subscription -> Match with its reasons, or NearMiss with what lacked: pure.

`matches` goes through an inverted index, sector or word -> subscriptions, so that the cost grows
with the matches and not with the members.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import Protocol, TypeVar

from alerts import reasons
from alerts.classification import Classified, Facts
from alerts.digest import Reason
from alerts.evidence import Evidence, Where
from alerts.words import Passage, Phrase, find, index, passage, phrase
from base.text import fold
from sources.places import Place

TenderId = TypeVar("TenderId", bound=Hashable)
SubscriptionId = TypeVar("SubscriptionId", bound=Hashable)

_QUOTES = (("«", "»"), ('"', '"'), ("“", "”"))
#: Longest word in capitals that is taken for an acronym.
_ACRONYM = 6


class Lacked(StrEnum):
    """Why a notice is not for a subscription."""

    SECTOR = "sector"
    EXCLUDED_WORD = "excluded word"
    TERRITORY = "territory"


class Asked(Protocol):
    """What a subscription's row holds of wishes."""

    @property
    def sectors(self) -> Iterable[str]: ...
    @property
    def own_words(self) -> Iterable[str]: ...
    @property
    def excluded_words(self) -> Iterable[str]: ...
    @property
    def territory(self) -> Iterable[str]: ...


class Placed(Protocol):
    """What a revision's row holds of its place."""

    @property
    def municipality(self) -> str: ...
    @property
    def mrc(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def place_basis(self) -> str: ...


def place_of(revision: Placed) -> Place:
    """The place of a revision's row."""
    return Place(
        municipality=revision.municipality,
        mrc=revision.mrc,
        region=revision.region,
        basis=revision.place_basis,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a subscription asks for."""

    #: Slugs of the catalogue.
    sectors: frozenset[str] = frozenset()
    #: As typed: « "mots exacts" », SIGLE in capitals, or words in any form.
    own_words: tuple[str, ...] = ()
    excluded_words: tuple[str, ...] = ()
    #: Names of municipalities, MRC or regions in any spelling; empty: everywhere.
    territory: frozenset[str] = frozenset()

    @classmethod
    def of(cls, subscription: Asked) -> Wanted:
        """The wishes of a subscription's row."""
        return cls(
            sectors=frozenset(subscription.sectors),
            own_words=tuple(subscription.own_words),
            excluded_words=tuple(subscription.excluded_words),
            territory=frozenset(subscription.territory),
        )


@dataclass(frozen=True, slots=True)
class Match:
    """A notice for a subscription: its sectors best first, then the contact's own words."""

    reasons: tuple[Reason, ...]
    score: float


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A notice that is not for a subscription, and the best it had."""

    lacked: Lacked
    #: The excluded word as published, or the place known; "" where no sector fits.
    detail: str
    score: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tender ready to be matched."""

    facts: Facts
    classified: tuple[Classified, ...]
    place: Place


def match(
    facts: Facts, classified: Iterable[Classified], wanted: Wanted, *, place: Place
) -> Match | NearMiss:
    """Whether a notice is for a subscription, and why or why not.

    A place that is unknown or to check keeps nothing away: the letter says that it is.
    """
    found = [one for one in classified if one.sector in wanted.sectors]
    own = _seen(facts, wanted.own_words)
    if not found and not own:
        return NearMiss(Lacked.SECTOR, "", 0.0)
    score = 1.0 if own else max(one.score for one in found)
    excluded = _seen(facts, wanted.excluded_words)
    if excluded:
        return NearMiss(Lacked.EXCLUDED_WORD, excluded[0].text, score)
    if not _within(place, wanted.territory):
        return NearMiss(Lacked.TERRITORY, place.municipality or place.mrc or place.region, score)
    why = [Reason(one.sector, one.label, reasons.line(one.evidence)) for one in found]
    if own:
        why.append(Reason("", reasons.OWN_WORDS, reasons.line(own)))
    return Match(tuple(why), score)


def matches(
    tenders: Mapping[TenderId, Candidate], subscriptions: Mapping[SubscriptionId, Wanted]
) -> Iterator[tuple[SubscriptionId, TenderId, Match]]:
    """Every match, tender by tender; the same as `match` of all pairs, without going over them."""
    by_sector: dict[str, list[SubscriptionId]] = defaultdict(list)
    by_phrase: dict[Phrase, list[SubscriptionId]] = defaultdict(list)
    for subscription_id, wanted in subscriptions.items():
        for sector in wanted.sectors:
            by_sector[sector].append(subscription_id)
        for one in filter(None, map(_own_phrase, wanted.own_words)):
            by_phrase[one].append(subscription_id)
    words = index(by_phrase)
    for tender_id, tender in tenders.items():
        found = [by_sector.get(known.sector, []) for known in tender.classified]
        for text in _texts(tender.facts) if words else ():
            found += [by_phrase[hit.phrase] for hit in find(text, words)]
        for subscription_id in dict.fromkeys(chain.from_iterable(found)):
            wanted = subscriptions[subscription_id]
            made = match(tender.facts, tender.classified, wanted, place=tender.place)
            if isinstance(made, Match):
                yield subscription_id, tender_id, made


@lru_cache(maxsize=4096)
def _read(text: str) -> Passage:
    return passage(text)


def _texts(facts: Facts) -> list[Passage]:
    """What a contact's own words are looked for in."""
    return [_read(text) for text in (facts.title, *facts.labels, facts.description) if text]


@lru_cache(maxsize=100_000)
def _own_phrase(typed: str) -> Phrase | None:
    """What a contact's word looks for; None where nothing but small words or marks is left.

    Nothing of it is a pattern: a regular expression is its letters only.
    """
    word = typed.strip()
    for opening, closing in _QUOTES:
        if len(word) > 2 and word.startswith(opening) and word.endswith(closing):
            return phrase(word[1:-1], exact=True)
    acronym = word.isupper() and word.isalnum() and 2 <= len(word) <= _ACRONYM
    return phrase(word, capitals=acronym)


def _seen(facts: Facts, typed: tuple[str, ...]) -> list[Evidence]:
    """Where the contact's words stand in the notice, each once."""
    phrases = [one for one in map(_own_phrase, typed) if one]
    if not phrases:
        return []
    words = index(phrases)
    quotes: dict[str, Evidence] = {}
    for text in _texts(facts):
        for hit in find(text, words):
            quote = text.quote(hit.start, hit.end)
            quotes.setdefault(fold(quote), Evidence(Where.OWN_WORD, quote))
    return list(quotes.values())


def _within(place: Place, territory: frozenset[str]) -> bool:
    if not territory or place.basis in {"unknown", "to check"}:
        return True
    wanted = {_named(name) for name in territory}
    return any(_named(n) in wanted for n in (place.municipality, place.mrc, place.region) if n)


@lru_cache(maxsize=20_000)
def _named(name: str) -> str:
    """A name as it is compared: « MRC des Laurentides » is « laurentides » with its kind kept."""
    return fold(name)
