"""Tender x subscription -> Match with its reasons, or NearMiss with what lacked: pure.

`Shelf` holds the open tenders by what they are found by, their sectors and words, so that a
subscription costs what it finds and not what there is. `match` alone decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from alerts import reasons
from alerts.classification import THRESHOLD, Classified, Facts
from alerts.digest import Reason
from alerts.own_words import phrase_of, seen, texts
from alerts.territory import OPEN, within
from alerts.words import Phrase
from sources.places import Place

TenderId = TypeVar("TenderId", bound=Hashable)
SubscriptionId = TypeVar("SubscriptionId", bound=Hashable)


class Lacked(StrEnum):
    """Why a notice is not for a subscription; of several, the first of these."""

    SECTOR = "sector"
    EXCLUDED_WORD = "excluded word"
    CATEGORY = "category"
    TERRITORY = "territory"
    DAYS_LEFT = "days left"


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
    @property
    def categories(self) -> Iterable[str]: ...
    @property
    def minimum_days_left(self) -> int: ...


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
    @property
    def delivery_regions(self) -> Iterable[str]: ...


def place_of(revision: Placed) -> Place:
    """The place of a revision's row."""
    return Place(
        municipality=revision.municipality,
        mrc=revision.mrc,
        region=revision.region,
        basis=revision.place_basis,
        delivery=tuple(revision.delivery_regions),
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
    #: goods, services, works; empty: all.
    categories: frozenset[str] = frozenset()
    #: Québec calendar days that a notice must still be open; 0: any.
    minimum_days_left: int = 0

    @classmethod
    def of(cls, subscription: Asked) -> Wanted:
        """The wishes of a subscription's row."""
        return cls(
            sectors=frozenset(subscription.sectors),
            own_words=tuple(subscription.own_words),
            excluded_words=tuple(subscription.excluded_words),
            territory=frozenset(subscription.territory),
            categories=frozenset(subscription.categories),
            minimum_days_left=subscription.minimum_days_left,
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
    #: The sector's slug that came nearest, the excluded word as published, the category, the
    #: place or the days left; "" where no sector came near.
    detail: str
    score: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tender ready to be matched."""

    facts: Facts
    #: From classification.NEARLY on: those under THRESHOLD make near misses only.
    classified: tuple[Classified, ...]
    place: Place
    #: base.french.days_left; None where the closing moment is unknown.
    days_left: int | None = None


def match(
    facts: Facts,
    classified: Iterable[Classified],
    wanted: Wanted,
    *,
    place: Place,
    days_left: int | None = None,
) -> Match | NearMiss:
    """Whether a notice is for a subscription, and why or why not.

    What is unknown keeps nothing away, be it place, category or closing moment: the letter
    says that it is.
    """
    known = [one for one in classified if one.sector in wanted.sectors]
    found = [one for one in known if one.score >= THRESHOLD]
    own = seen(facts, wanted.own_words)
    if not found and not own:
        best = max(known, key=lambda one: one.score, default=None)
        return NearMiss(Lacked.SECTOR, best.sector, best.score) if best else _FAR
    score = 1.0 if own else max(one.score for one in found)
    lacked = _lacked(facts, wanted, place, days_left)
    if lacked is not None:
        return NearMiss(*lacked, score)
    why = [_reason(one) for one in found]
    if own:
        why.append(Reason("", reasons.OWN_WORDS, reasons.line(own)))
    return Match(tuple(why), score)


@lru_cache(maxsize=20_000)
def _reason(one: Classified) -> Reason:
    """The same for every reader of the sector."""
    return Reason(one.sector, one.label, reasons.line(one.evidence))


_FAR = NearMiss(Lacked.SECTOR, "", 0.0)


def _lacked(
    facts: Facts, wanted: Wanted, place: Place, days_left: int | None
) -> tuple[Lacked, str] | None:
    """What keeps away a notice of the right sector or words, and what it is."""
    excluded = seen(facts, wanted.excluded_words)
    if excluded:
        return Lacked.EXCLUDED_WORD, excluded[0].text
    if facts.category and wanted.categories and facts.category not in wanted.categories:
        return Lacked.CATEGORY, facts.category
    if not within(place, wanted.territory):
        where = ", ".join(place.delivery) if place.basis in OPEN else ""
        return Lacked.TERRITORY, where or place.municipality or place.mrc or place.region
    if days_left is not None and days_left < wanted.minimum_days_left:
        return Lacked.DAYS_LEFT, str(days_left)
    return None


class Shelf(Generic[TenderId]):
    """Open tenders by their sectors and words; made once for many subscriptions."""

    def __init__(self, tenders: Mapping[TenderId, Candidate]) -> None:
        self._tenders = tenders
        self._order = {tender_id: place for place, tender_id in enumerate(tenders)}
        self._by_sector: dict[str, list[TenderId]] = defaultdict(list)
        self._by_stem: dict[str, set[TenderId]] = {}
        for tender_id, tender in tenders.items():
            for one in tender.classified:
                self._by_sector[one.sector].append(tender_id)

    def decide(self, wanted: Wanted) -> Iterator[tuple[TenderId, Match | NearMiss]]:
        """Each tender that has something of what is wanted, in the order they were given.

        The same matches as `match` of all of them; near misses with a score only.
        """
        found = {i for sector in wanted.sectors for i in self._by_sector.get(sector, ())}
        phrases = set(filter(None, map(phrase_of, wanted.own_words)))
        if phrases:
            found.update(*map(self._with, phrases))
        for tender_id in sorted(found, key=self._order.__getitem__):
            tender = self._tenders[tender_id]
            made = match(
                tender.facts,
                tender.classified,
                wanted,
                place=tender.place,
                days_left=tender.days_left,
            )
            if isinstance(made, Match) or made.score > 0:
                yield tender_id, made

    def _with(self, one: Phrase) -> set[TenderId]:
        """The tenders that have all the phrase's words, wherever."""
        if not self._by_stem:
            self._read()
        first, *rest = sorted((self._by_stem.get(s, set()) for s in one.stems), key=len)
        return first.intersection(*rest)

    def _read(self) -> None:
        """Read all texts, the first time that someone has words of its own."""
        by_stem: dict[str, set[TenderId]] = defaultdict(set)
        for tender_id, tender in self._tenders.items():
            for text in texts(tender.facts):
                for word in text.words:
                    by_stem[word.stem].add(tender_id)
        self._by_stem = by_stem


def matches(
    tenders: Mapping[TenderId, Candidate], subscriptions: Mapping[SubscriptionId, Wanted]
) -> Iterator[tuple[SubscriptionId, TenderId, Match]]:
    """Every match, subscription by subscription."""
    shelf = Shelf(tenders)
    for subscription_id, wanted in subscriptions.items():
        for tender_id, made in shelf.decide(wanted):
            if isinstance(made, Match):
                yield subscription_id, tender_id, made
