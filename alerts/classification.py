"""Tender -> sectors, with the evidence: pure, deterministic, independent of members.

Words of the title, of the labels of its codes and of its description, and the codes themselves,
each add to a sector's score; none of them is a gate. What the contract buys (goods, works,
studies, services) weakens a sector that takes no such contract. See
docs/decisions/0006-scores-add-up.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from alerts.evidence import Evidence, Where
from alerts.lexicon import Lexicon
from alerts.reading import Read, Seen, read
from subscriptions.sectors import Nature, Sector

__all__ = ["NEARLY", "THRESHOLD", "Classified", "Evidence", "Facts", "Lexicon", "classify"]

#: A sector with this score or more is told.
THRESHOLD = 0.6
#: One with this score or more was nearly told, and may be asked about.
NEARLY = 0.3

_IN_LABEL, _IN_DESCRIPTION = 0.5, 0.45
#: SEAO's categories where the sector is found; those that buyers choose for anything say less.
_SEAO, _SEAO_ANY = 0.25, 0.1
_ANY = frozenset({"O1", "S14", "G22"})
#: What remains of a score where the title, or else the category, tells another kind of contract.
_OTHER_TITLE, _OTHER_CATEGORY, _STUDIED = 0.3, 0.65, 0.45
#: What remains of a code's weight where the title holds an exclusion.
_EXCLUDED_CODE = 0.4
#: What remains of it where the title names other sectors, one of them by a keyword, and not this.
_CONTRADICTED_CODE, _TELLING = 0.6, 0.9
#: What remains of a code where the title says nothing and the category is not the sector's.
_CODE_APART = 0.8

_SEAO_LABEL = re.compile(r"^[A-Z]{1,4}\d{1,2}\s+-\s")
_SEAO_CODE = re.compile(r"SEAO:\s*([A-Z]{1,4}\d{0,2})\s*$")
_CATEGORIES = {"goods": Nature.GOODS, "services": Nature.SERVICES, "works": Nature.WORKS}
_LETTERS = {"G": Nature.GOODS, "S": Nature.SERVICES, "C": Nature.WORKS}
#: SEAO's « Architecture et ingénierie » and « Contrôle de la qualité ».
_STUDIES = frozenset({"S3", "S8"})
#: « Ouvrages de génie civil »: works that no sector of ours takes.
_CIVIL = "C02"


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known of a tender when it is classified; texts as published."""

    title: str
    #: "goods", "services", "works" or "".
    category: str = ""
    #: "UNSPSC:72102903", "SEAO:S9".
    codes: tuple[str, ...] = ()
    #: The labels of the items and codes.
    labels: tuple[str, ...] = ()
    description: str = ""
    buyer: str = ""


@dataclass(frozen=True, slots=True)
class Classified:
    """A sector that a tender is of."""

    sector: str
    #: In [least, 1].
    score: float
    evidence: tuple[Evidence, ...]
    #: As members read it: "Entretien ménager et nettoyage de bâtiments".
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Notice:
    """What each part of a notice says."""

    title: Read
    labels: dict[str, Seen]
    description: dict[str, Seen]
    #: The best code of each sector: its weight and its digits.
    codes: dict[str, tuple[float, str]]
    #: SEAO's categories: "S9".
    categories: frozenset[str]
    #: What the category says is bought, or "".
    bought: str

    @classmethod
    def of(cls, facts: Facts, lexicon: Lexicon) -> _Notice:
        categories = frozenset(
            found[1] for code in facts.codes if (found := _SEAO_CODE.match(code))
        )
        labels = (label for label in facts.labels if not _SEAO_LABEL.match(label))
        return cls(
            read(facts.title, lexicon),
            _read_all(labels, lexicon),
            read(facts.description, lexicon).sectors if facts.description else {},
            _codes(facts.codes, lexicon),
            categories,
            _bought(categories) or _CATEGORIES.get(facts.category, ""),
        )

    @property
    def spoken_of(self) -> set[str]:
        """The sectors that anything speaks for."""
        read = (self.title.sectors, self.labels, self.description)
        return {slug for part in read for slug, seen in part.items() if seen.weight} | set(
            self.codes
        )


def classify(facts: Facts, lexicon: Lexicon, *, least: float = THRESHOLD) -> tuple[Classified, ...]:
    """The sectors whose score is at least that, best first, then by slug."""
    notice = _Notice.of(facts, lexicon)
    told = []
    for sector in map(lexicon.sectors.__getitem__, notice.spoken_of):
        said = list(_said(sector.slug, notice))
        score = _score((weight for weight, _ in said), sector, notice)
        if score >= least:
            evidence = tuple(one for _, ones in said for one in ones)
            told.append(Classified(sector.slug, round(score, 3), evidence, sector.label))
    return tuple(sorted(told, key=lambda one: (-one.score, one.sector)))


def _said(slug: str, notice: _Notice) -> Iterator[tuple[float, list[Evidence]]]:
    """What speaks for a sector, part by part: the weight, and what was seen.

    A code and its own label are one piece of evidence, the heavier of the two.
    """
    title = notice.title.sectors.get(slug, Seen())
    if title.weight:
        yield title.weight, [Evidence(Where.TITLE, quote) for quote in title.quotes]
    description = notice.description.get(slug, Seen())
    if description.weight and not title.excluded:
        quotes = [Evidence(Where.DESCRIPTION, quote) for quote in description.quotes]
        yield description.weight * _IN_DESCRIPTION, quotes
    weight, code = notice.codes.get(slug, (0.0, ""))
    label = notice.labels.get(slug, Seen())
    weight = max(weight, label.weight * _IN_LABEL)
    if weight:
        seen = [Evidence(Where.LABEL, quote) for quote in label.quotes]
        seen += [Evidence(Where.CODE, code)] if code else []
        yield weight * _trust(slug, notice), seen


def _trust(slug: str, notice: _Notice) -> float:
    """What remains of a code's weight, for what the title says."""
    title = notice.title.sectors.get(slug)
    if title and title.excluded:
        return _EXCLUDED_CODE
    told = (seen for other, seen in notice.title.sectors.items() if other != slug)
    contradicted = not title and any(seen.weight >= _TELLING for seen in told)
    return _CONTRADICTED_CODE if contradicted else 1.0


def _score(weights: Iterable[float], sector: Sector, notice: _Notice) -> float:
    """Each piece of evidence takes its share of what the others left in doubt."""
    doubt = 1.0
    for weight in weights:
        doubt *= 1 - weight
    if doubt == 1.0:
        return 0.0
    shared = notice.categories.intersection(sector.seao)
    if shared:
        doubt *= 1 - (_SEAO_ANY if shared <= _ANY else _SEAO)
    score = (1 - doubt) * _share(sector, notice)
    if notice.categories and not shared and sector.slug not in notice.title.sectors:
        score *= _CODE_APART
    return round(score, 6)


def _share(sector: Sector, notice: _Notice) -> float:
    """What remains of the score of a sector that takes no contract of this kind."""
    seen = notice.title.sectors.get(sector.slug)
    told, bought = seen.nature if seen else notice.title.nature, notice.bought
    if bought == Nature.STUDIES and bought not in sector.natures:
        return _STUDIED
    if _CIVIL in notice.categories:
        return _OTHER_CATEGORY
    if bought == Nature.GOODS and not notice.categories.intersection(sector.seao):
        return _OTHER_CATEGORY
    if told == Nature.GOODS and bought == Nature.WORKS:
        told = ""  # « Fourniture et installation de portes », bought as works
    if told:
        return 1.0 if told in sector.natures else _OTHER_TITLE
    return _OTHER_CATEGORY if bought and bought not in sector.natures else 1.0


def _bought(categories: frozenset[str]) -> str:
    """What SEAO's categories say is bought, or ""."""
    for category in sorted(categories):
        if category in _STUDIES:
            return Nature.STUDIES
        if category[1:].isdigit() and category[0] in _LETTERS:
            return _LETTERS[category[0]]
    return ""


def _read_all(texts: Iterable[str], lexicon: Lexicon) -> dict[str, Seen]:
    """What the most telling of several texts says of each sector."""
    best: dict[str, Seen] = {}
    for text in filter(None, texts):
        for slug, seen in _read(text, lexicon).sectors.items():
            if seen.weight > best.get(slug, Seen()).weight:
                best[slug] = seen
    return best


@lru_cache(maxsize=4096)
def _read(text: str, lexicon: Lexicon) -> Read:
    """Kept, since the labels of codes come again and again."""
    return read(text, lexicon)


def _codes(codes: Iterable[str], lexicon: Lexicon) -> dict[str, tuple[float, str]]:
    """The best weight of a UNSPSC code for each sector, with the code.

    Blanks and points within a code are passed over; what is no run of 2 to 10 digits is no code.
    """
    best: dict[str, tuple[float, str]] = {}
    for published in codes:
        scheme, _, value = published.partition(":")
        digits = re.sub(r"[\s.]", "", value)
        if scheme != "UNSPSC" or not re.fullmatch(r"[0-9]{2,10}", digits):
            continue
        for length in range(2, len(digits) + 1):
            for slug, weight in lexicon.prefixes.get(digits[:length], ()):
                if weight > best.get(slug, (0.0, ""))[0]:
                    best[slug] = (weight, digits)
    return best
