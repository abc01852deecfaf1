"""The form of the preferences: what was typed, what is wrong with it, the wishes it makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from alerts.words import phrase
from base.text import fold
from pages.forms import Fields
from sources import municipalities
from sources.release import Category
from subscriptions.sectors import Catalogue
from subscriptions.tables import EVERY_DAY, Frequency, Subscription
from subscriptions.wishes import Wishes

#: Own or excluded expressions, and characters in one of them.
MOST_WORDS = 50
LONGEST_WORD = 80
MOST_PLACES = 200
MOST_NOTICES = 200
MOST_DAYS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What the form shows or sent, right or wrong."""

    frequency: str
    #: Bits as text: "0" is Monday.
    weekdays: tuple[str, ...]
    sectors: tuple[str, ...]
    own_words: tuple[str, ...] = ()
    excluded_words: tuple[str, ...] = ()
    territory: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    minimum_days_left: str = ""
    most_notices: str = ""
    resumes: bool = False

    @classmethod
    def sent(cls, fields: Fields) -> Typed:
        """What a form sent."""
        return cls(
            frequency=fields.one("frequence"),
            weekdays=fields.all("jour"),
            sectors=fields.all("secteur"),
            own_words=fields.lines("mots"),
            excluded_words=fields.lines("exclus"),
            territory=tuple(
                dict.fromkeys((*filter(None, fields.all("lieu")), *fields.lines("lieux")))
            ),
            categories=fields.all("nature"),
            minimum_days_left=fields.one("delai"),
            most_notices=fields.one("maximum"),
            resumes=bool(fields.one("reprendre")),
        )

    @classmethod
    def of(cls, current: Subscription) -> Typed:
        """What a subscription holds."""
        return cls(
            frequency=current.frequency,
            weekdays=tuple(str(bit) for bit in range(7) if current.weekdays >> bit & 1),
            sectors=tuple(current.sectors),
            own_words=tuple(current.own_words),
            excluded_words=tuple(current.excluded_words),
            territory=tuple(current.territory),
            categories=tuple(current.categories),
            minimum_days_left=str(current.minimum_days_left or ""),
            most_notices=str(current.most_notices or ""),
        )

    def wishes(self, old: Wishes, at: datetime) -> Wishes:
        """The wishes, where nothing is wrong; what the form does not hold stays as in `old`.

        The order of the sectors says nothing: another order is no change.
        """
        same = set(old.sectors) == set(self.sectors)
        daily = self.frequency == Frequency.DAILY
        ends = self.resumes or (old.paused_until is not None and old.paused_until <= at)
        return replace(
            old,
            frequency=self.frequency,
            weekdays=sum(1 << int(bit) for bit in self.weekdays) if daily else EVERY_DAY,
            sectors=old.sectors if same else self.sectors,
            own_words=self.own_words,
            excluded_words=self.excluded_words,
            territory=tuple(places()[fold(name)] for name in self.territory),
            categories=tuple(sorted(self.categories)),
            minimum_days_left=int(self.minimum_days_left or 0),
            most_notices=int(self.most_notices) if self.most_notices else None,
            paused_until=None if ends else old.paused_until,
        )

    def faults(self, catalogue: Catalogue) -> tuple[str, ...]:
        """Names of what is wrong; their French is in the template."""
        known = {sector.slug for sector in catalogue}
        days = set(self.weekdays)
        checks = (
            ("frequency", self.frequency not in set(Frequency)),
            ("days", self.frequency == Frequency.DAILY and not days),
            ("days", not days <= set("0123456")),
            ("no_sector", not self.sectors and not self.own_words),
            ("unknown_sector", not known.issuperset(self.sectors)),
            ("many_words", max(len(self.own_words), len(self.excluded_words)) > MOST_WORDS),
            ("long_word", any(len(w) > LONGEST_WORD for w in self._words())),
            ("empty_word", any(phrase(w[:LONGEST_WORD]) is None for w in self._words())),
            ("many_places", len(self.territory) > MOST_PLACES),
            ("unknown_place", bool(self.unknown_places())),
            ("most", not _is_number(self.most_notices, 1, MOST_NOTICES)),
            ("least", not _is_number(self.minimum_days_left, 0, MOST_DAYS)),
            ("category", not set(self.categories) <= set(Category)),
        )
        return tuple(dict.fromkeys(name for name, wrong in checks if wrong))

    def unknown_places(self) -> tuple[str, ...]:
        """The names that the municipal directory does not have, as typed."""
        return tuple(name for name in self.territory if fold(name) not in places())

    def other_places(self) -> tuple[str, ...]:
        """The names that are no MRC and no region: typed, not ticked."""
        ticked = {fold(mrc) for _, mrcs in mrcs_by_region() for mrc in mrcs}
        ticked |= {fold(region) for region, _ in mrcs_by_region()}
        return tuple(name for name in self.territory if fold(name) not in ticked)

    def ticked(self) -> frozenset[str]:
        """The places ticked, folded."""
        return frozenset(fold(name) for name in self.territory)

    def _words(self) -> Iterable[str]:
        return (*self.own_words, *self.excluded_words)[: 2 * MOST_WORDS]


def _is_number(value: str, least: int, most: int) -> bool:
    """Nothing, or a number within the limits."""
    if not value:
        return True
    return value.isascii() and value.isdigit() and least <= int(value[:9]) <= most


@cache
def places() -> dict[str, str]:
    """The names that a territory may hold, by their folded form."""
    directory = municipalities.load()
    named: dict[str, str] = {}
    for entries in directory.municipalities.values():
        for entry in entries:
            named[fold(entry.name)] = entry.name
    for region, mrcs in mrcs_by_region():
        named.update({fold(mrc): mrc for mrc in mrcs})
        named[fold(region)] = region
    return named


@cache
def mrcs_by_region() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each region with its MRC, both in the order of the alphabet."""
    found: dict[str, set[str]] = {}
    for entries in municipalities.load().municipalities.values():
        for entry in entries:
            found.setdefault(entry.region, set())
            if entry.mrc:
                found[entry.region].add(entry.mrc)
    return tuple(
        (region, tuple(sorted(found[region], key=fold))) for region in sorted(found, key=fold)
    )


def opened(region: str, mrcs: tuple[str, ...], ticked: frozenset[str]) -> bool:
    """Whether something of that region is ticked, so that it must be seen."""
    return not ticked.isdisjoint({fold(region), *map(fold, mrcs)})
