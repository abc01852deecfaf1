"""Tender x subscription -> Match with its reasons, or NearMiss with what lacked: pure.

`match` alone decides. `Shelf` spares work: it holds the open tenders as bits (alerts.window), finds
the same ones by `&` and `|`, and asks `match` only for the reasons of those that are asked for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from alerts import reasons
from alerts.classification import THRESHOLD, Classified, Facts
from alerts.digest import Reason
from alerts.own_words import seen
from alerts.territory import OPEN, within
from alerts.window import Candidate, Window, numbers
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


@lru_cache(maxsize=5_000)
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


#: Answers of `match` that are remembered.
_MOST = 50_000
#: A tender, and all of the wishes that its answer depends on.
_Met = tuple[int, tuple[str, ...], tuple[str, ...], tuple[str, ...], Wanted]
_NOTHING = Wanted()


class Shelf(Generic[TenderId]):
    """Open tenders by all that they are found by; made once for many subscriptions."""

    def __init__(self, tenders: Mapping[TenderId, Candidate]) -> None:
        self._ids = tuple(tenders)
        self._numbers = {tender_id: number for number, tender_id in enumerate(tenders)}
        self._tenders = tuple(tenders.values())
        self._sectors = [[one.sector for one in each.classified] for each in self._tenders]
        self._window = Window(self._tenders)
        self._said: dict[_Met, Match | NearMiss] = {}

    def matching(self, wanted: Wanted) -> list[TenderId]:
        """The tenders that are for it, in the order they were given; no reason is made."""
        return [self._ids[number] for number in numbers(self._told(wanted))]

    def matches(
        self, wanted: Wanted, tender_ids: Iterable[TenderId]
    ) -> Iterator[tuple[TenderId, Match]]:
        """Why those, which `matching` found, are for it."""
        for tender_id in tender_ids:
            made = self._judged(self._numbers[tender_id], wanted, _NOTHING)
            if isinstance(made, Match):
                yield tender_id, made

    def missing(self, wanted: Wanted) -> Iterator[tuple[TenderId, NearMiss]]:
        """The tenders that nearly are for it, with a score."""
        limits = replace(wanted, sectors=frozenset(), own_words=(), excluded_words=())
        for number in numbers(self._near(wanted) & ~self._told(wanted)):
            made = self._judged(number, wanted, limits)
            if isinstance(made, NearMiss) and made.score > 0:
                yield self._ids[number], made

    def _near(self, wanted: Wanted) -> int:
        window = self._window
        return window.near(wanted.sectors) | window.holding(wanted.own_words)

    def _told(self, wanted: Wanted) -> int:
        window = self._window
        found = window.told(wanted.sectors)
        if wanted.own_words:
            found |= window.holding(wanted.own_words)
        if wanted.excluded_words:
            found &= ~window.holding(wanted.excluded_words)
        if wanted.categories:
            found &= window.of_categories(wanted.categories)
        if wanted.territory:
            found &= window.within(wanted.territory)
        return found & window.open_for(wanted.minimum_days_left)

    def _judged(self, number: int, wanted: Wanted, limits: Wanted) -> Match | NearMiss:
        """What `match` says of that tender, asked once for all whose wishes meet it alike.

        It is asked of the sectors that the tender has, the words that stand in it, and `limits`,
        the rest of the wishes: nothing where the tender is known to lack nothing of it.
        """
        tender, standing = self._tenders[number], self._window.standing
        sectors = tuple([one for one in self._sectors[number] if one in wanted.sectors])
        own, out = standing(number, wanted.own_words), standing(number, wanted.excluded_words)
        met = (number, sectors, own, out, limits)
        made = self._said.get(met)
        if made is None:
            if len(self._said) >= _MOST:
                self._said.clear()
            asked = replace(limits, sectors=frozenset(sectors), own_words=own, excluded_words=out)
            made = self._said[met] = match(
                tender.facts,
                tender.classified,
                asked,
                place=tender.place,
                days_left=tender.days_left,
            )
        return made


def matches(
    tenders: Mapping[TenderId, Candidate], subscriptions: Mapping[SubscriptionId, Wanted]
) -> Iterator[tuple[SubscriptionId, TenderId, Match]]:
    """Every match, subscription by subscription."""
    shelf = Shelf(tenders)
    for subscription_id, wanted in subscriptions.items():
        for tender_id, made in shelf.matches(wanted, shelf.matching(wanted)):
            yield subscription_id, tender_id, made
