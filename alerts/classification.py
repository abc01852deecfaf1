"""Tender -> sectors, with the evidence: pure, deterministic, independent of members.

Words of the title, of the labels of its codes and of its description, and the codes themselves,
each add to a sector's score; none of them is a gate. What the contract buys (goods, works,
studies, services) weakens a sector that takes no such contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from alerts.evidence import Evidence, Where
from alerts.words import Hit, Index, Passage, Phrase, find, index, passage, phrase
from subscriptions.sectors import Catalogue, Nature, Sector

#: A sector with this score or more is told.
THRESHOLD = 0.6

_STRONG, _WEAK, _PLACE, _RUN = 0.9, 0.5, 0.25, 0.9
_IN_LABEL, _IN_DESCRIPTION = 0.5, 0.45
_CODE, _BROAD_CODE, _SEAO = 0.7, 0.3, 0.1
#: What remains of a score where the title, or else the category, tells another kind of contract.
_OTHER_TITLE, _OTHER_CATEGORY, _EXCLUDED_CODE = 0.3, 0.65, 0.4

_SEAO_LABEL = re.compile(r"^[A-Z]{1,4}\d{1,2}\s+-\s")
_CATEGORIES = {"goods": Nature.GOODS, "services": Nature.SERVICES, "works": Nature.WORKS}
_LETTERS = {"G": Nature.GOODS, "S": Nature.SERVICES, "C": Nature.WORKS}
#: SEAO's « Architecture et ingénierie » and « Contrôle de la qualité ».
_STUDIES = frozenset({"S3", "S8"})


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
    #: In [THRESHOLD, 1].
    score: float
    evidence: tuple[Evidence, ...]
    #: As members read it: "Entretien ménager et nettoyage de bâtiments".
    label: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A catalogue made ready for looking up."""

    catalogue: Catalogue
    words: Index
    uses: dict[Phrase, tuple[tuple[str, str], ...]]
    prefixes: dict[str, tuple[tuple[str, float], ...]]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Lexicon:
        """Compile a catalogue; done once a process."""
        uses: dict[Phrase, list[tuple[str, str]]] = {}
        for spelling, owner, role in _spellings(catalogue):
            capitals = spelling.isupper() and " " not in spelling
            one = phrase(spelling, capitals=capitals)
            if one:
                uses.setdefault(one, []).append((owner, role))
        prefixes: dict[str, list[tuple[str, float]]] = {}
        for sector in catalogue:
            for weight, codes in ((_CODE, sector.unspsc), (_BROAD_CODE, sector.broad_unspsc)):
                for code in codes:
                    prefixes.setdefault(code, []).append((sector.slug, weight))
        return cls(
            catalogue,
            index(uses),
            {one: tuple(found) for one, found in uses.items()},
            {code: tuple(found) for code, found in prefixes.items()},
        )


def _spellings(catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    """Each phrase of the catalogue, whose it is ("" for all) and what it does."""
    for sector in catalogue:
        for role, spellings in (
            ("strong", sector.keywords),
            ("weak", sector.weak_keywords),
            ("place", sector.places),
            ("not", sector.exclusions),
        ):
            yield from ((one, sector.slug, role) for one in spellings)
    contexts = catalogue.contexts
    for role, spellings in (
        (Nature.GOODS.value, contexts.goods),
        (Nature.WORKS.value, contexts.works),
        (Nature.STUDIES.value, contexts.studies),
        (Nature.SERVICES.value, contexts.services),
        ("running", contexts.running),
        ("mask", contexts.masks),
    ):
        yield from ((one, "", role) for one in spellings)


@dataclass
class _Seen:
    """What one text says of one sector."""

    weight: float = 0.0
    quotes: list[str] = field(default_factory=list)
    excluded: bool = False


def classify(facts: Facts, lexicon: Lexicon) -> tuple[Classified, ...]:
    """The sectors at or above the threshold, best first, then by slug."""
    title = passage(facts.title)
    hits = _unmasked(find(title, lexicon.words), lexicon)
    told = _nature(hits, lexicon)
    bought = _bought(facts)
    in_title = _read(title, hits, lexicon)
    in_labels = _read_all((t for t in facts.labels if not _SEAO_LABEL.match(t)), lexicon)
    in_description = _read_all((facts.description,), lexicon)
    codes = _codes(facts, lexicon)
    scored = []
    for sector in lexicon.catalogue:
        slug = sector.slug
        seen = in_title.get(slug, _Seen())
        weights = [seen.weight]
        evidence = [Evidence(Where.TITLE, quote) for quote in seen.quotes]
        for found, share, where in (
            (in_labels, _IN_LABEL, Where.LABEL),
            (in_description, _IN_DESCRIPTION, Where.DESCRIPTION),
        ):
            if slug in found and not seen.excluded:
                weights.append(found[slug].weight * share)
                evidence += [Evidence(where, quote) for quote in found[slug].quotes]
        weight, code = codes.get(slug, (0.0, ""))
        if weight:
            weights.append(weight * (_EXCLUDED_CODE if seen.excluded else 1))
            evidence.append(Evidence(Where.CODE, code))
        score = _combined(weights, facts, sector) * _share(sector, told, bought)
        if score >= THRESHOLD:
            scored.append(Classified(slug, round(score, 3), tuple(evidence), sector.label))
    return tuple(sorted(scored, key=lambda one: (-one.score, one.sector)))


def _unmasked(hits: Iterable[Hit], lexicon: Lexicon) -> list[Hit]:
    """The hits without those that lie within a mask or a longer exclusion's words."""
    found = list(hits)
    masks = [h for h in found if ("", "mask") in lexicon.uses[h.phrase]]
    return [h for h in found if not any(m.start <= h.start and h.end <= m.end for m in masks)]


def _nature(hits: Iterable[Hit], lexicon: Lexicon) -> str:
    """What the title says is bought: the first word that tells, but studies wherever; or ""."""
    first = (10**9, "")
    for hit in hits:
        for owner, role in lexicon.uses[hit.phrase]:
            if owner:
                continue
            if role == Nature.STUDIES:
                return role
            if role in tuple(Nature) and hit.start < first[0]:
                first = (hit.start, role)
    return first[1]


def _bought(facts: Facts) -> str:
    """What the category says is bought, or ""."""
    for code in facts.codes:
        if code.startswith("SEAO:"):
            bare = code.removeprefix("SEAO:").strip()
            if bare in _STUDIES:
                return Nature.STUDIES
            if bare[1:].isdigit() and bare[0] in _LETTERS:
                return _LETTERS[bare[0]]
    return _CATEGORIES.get(facts.category, "")


def _read(read: Passage, hits: list[Hit], lexicon: Lexicon) -> dict[str, _Seen]:
    """What a text says of each sector it says anything of."""
    by_sector: dict[str, _Seen] = {}
    ran = [h.end for h in hits if ("", "running") in lexicon.uses[h.phrase]]
    weights = {"strong": _STRONG, "weak": _WEAK, "place": _PLACE}
    for hit in hits:
        for slug, role in lexicon.uses[hit.phrase]:
            if not slug:
                continue
            seen = by_sector.setdefault(slug, _Seen())
            if role == "not":
                seen.excluded = True
                continue
            weight = weights[role]
            if role == "place" and any(end <= hit.start <= end + 1 for end in ran):
                weight = _RUN
            seen.weight = max(seen.weight, weight)
            seen.quotes.append(read.quote(hit.start, hit.end))
    for seen in by_sector.values():
        if seen.excluded:
            seen.weight, seen.quotes = 0.0, []
    return by_sector


def _read_all(texts: Iterable[str], lexicon: Lexicon) -> dict[str, _Seen]:
    best: dict[str, _Seen] = {}
    for text in texts:
        if not text:
            continue
        read = passage(text)
        hits = _unmasked(find(read, lexicon.words), lexicon)
        for slug, seen in _read(read, hits, lexicon).items():
            if seen.weight > best.get(slug, _Seen()).weight:
                best[slug] = seen
    return best


def _codes(facts: Facts, lexicon: Lexicon) -> dict[str, tuple[float, str]]:
    """The best weight of a UNSPSC code for each sector, with the code."""
    best: dict[str, tuple[float, str]] = {}
    for published in facts.codes:
        scheme, _, value = published.partition(":")
        digits = "".join(c for c in value if c.isdigit())[:10]
        if scheme != "UNSPSC":
            continue
        for length in range(2, len(digits) + 1):
            for slug, weight in lexicon.prefixes.get(digits[:length], ()):
                if weight > best.get(slug, (0.0, ""))[0]:
                    best[slug] = (weight, digits)
    return best


def _combined(weights: Iterable[float], facts: Facts, sector: Sector) -> float:
    left = 1.0
    for weight in weights:
        left *= 1 - weight
    score = 1 - left
    if score and any(f"SEAO:{one}" in facts.codes for one in sector.seao):
        score = 1 - (1 - score) * (1 - _SEAO)
    return score


def _share(sector: Sector, told: str, bought: str) -> float:
    if told:
        return 1.0 if told in sector.natures else _OTHER_TITLE
    if bought and bought not in sector.natures:
        return _OTHER_CATEGORY
    return 1.0
