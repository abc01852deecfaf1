"""Where a buyer is: municipality, MRC and region, from its name, then from its address.

The region-code trap: SEAO files of 2013 number the regions after SEAO's own list (14 Laurentides,
15 Montérégie, 16 Lanaudière), files of 2018-2021 after the official one (14 Lanaudière,
15 Laurentides, 16 Montérégie), and those of 2026 carry no region of delivery at all. So a bare
number is never read as a region here, and never returned: only names are.

A wrong place hides a notice from those who would answer it, and an unknown one does not: what
stays ambiguous is unknown.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from base.text import fold

_FILES = Path(__file__).with_name("directory")

#: No name of the directory has more words, articles included.
_LONGEST = 9
_ARTICLES = frozenset({"l", "le", "la", "les"})
_LINKS = _ARTICLES | {"d", "de", "du", "des"}
_SHORT = {"st": "saint", "ste": "sainte", "n": "notre"}
_DESIGNATIONS = {
    "ville": "Ville",
    "cite": "Ville",
    "paroisse": "Paroisse",
    "canton": "Canton",
    "cantons": "Cantons unis",
    "village": "Village",
}
_HEAD = frozenset(_DESIGNATIONS) | {"municipalite", "unis"}
#: Designations of territories and communities: a homonym that is a municipality comes first.
_ORGANISED = frozenset({"Municipalité", *_DESIGNATIONS.values()})
#: Parts of a region's name by which its public bodies are called, folded.
_REGION_ALIASES = {
    "gaspesie": "Gaspésie–Îles-de-la-Madeleine",
    "iles de la madeleine": "Gaspésie–Îles-de-la-Madeleine",
    "bas st laurent": "Bas-Saint-Laurent",
}
#: Bodies of the province or of Canada, folded: their address is not where the work is.
_PROVINCIAL = re.compile(
    r"\b(?:ministere|mtq|mtmdet|mtmd|mamh|sqi|sante quebec|cisss|ciusss|cusm|chum|crdi"
    r"|centre (?:integre|d'acquisitions|de services partages|de gestion de l'equipement)"
    r"|centre (?:de sante|hospitalier)|chu|cger|sepaq|hydro quebec|revenu quebec|loto quebec"
    r"|surete du quebec|societe (?:quebecoise|de l'assurance|des traversiers|des alcools"
    r"|des etablissements|du plan nord|d'habitation du quebec|de developpement de la baie)"
    r"|secretariat|assemblee nationale|bureau du coroner|curateur|cnesst|retraite quebec"
    r"|regie (?:de l'assurance|du batiment|de l'energie)|office (?:de la|des|quebecois)"
    r"|conseil de gestion|commission (?:des (?:services juridiques|normes)|de la construction)"
    r"|financiere agricole|transition energetique|hema quebec|investissement quebec|canada)\b"
)
_PARTS = re.compile(r"\s+[-–—]\s*|[,;(/]|\s+\.\s+")
_HYPHEN = re.compile(r"\s*[-–—]\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a buyer is, in names a reader knows; "" for what is not known or does not apply."""

    municipality: str
    mrc: str
    region: str
    #: "name", "postal code" (locality or code of the address), "to check" or "unknown".
    basis: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of the municipal directory."""

    name: str
    designation: str
    mrc: str
    region: str
    #: Of the town hall, without blank, e.g. "J7Z7Z7".
    postal_code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """The municipal directory, indexed by folded words. Not to be changed after `load`."""

    municipalities: Mapping[str, tuple[Entry, ...]]
    #: The same without the leading article, to be tried after « Ville de » only.
    bare: Mapping[str, tuple[Entry, ...]]
    #: The beginnings of names, for « Municipalité de Saint-Majorique » (-de-Grantham).
    beginnings: Mapping[str, tuple[Entry, ...]]
    #: An MRC's name without article -> some entry of it.
    mrcs: Mapping[str, Entry]
    regions: Mapping[str, str]
    codes: Mapping[str, tuple[Entry, ...]]
    #: Forward sortation area -> its region, where all its town halls are in one.
    areas: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Words:
    """A part of a name: its words, and whether each is tied to the one before by a hyphen."""

    words: tuple[str, ...]
    tied: tuple[bool, ...]

    def slices(self, start: int) -> Iterator[tuple[str, int]]:
        """The runs of words from `start` that cut no hyphenated name, longest first."""
        if self.tied[start]:
            return
        for stop in range(min(len(self.words), start + _LONGEST), start, -1):
            if stop == len(self.words) or not self.tied[stop]:
                yield " ".join(self.words[start:stop]), stop


@lru_cache(maxsize=1)
def load() -> Directory:
    """The directory that ships with the service, read once."""
    by_code: dict[str, Entry] = {}
    for row in _rows("municipalities.csv"):
        by_code[row["code"]] = Entry(
            name=row["name"],
            designation=row["designation"],
            mrc=row["mrc"],
            region=row["region"],
            postal_code=row["postal_code"].replace(" ", ""),
        )
    named = [(_key(entry.name), entry) for entry in by_code.values()]
    named += [(_key(row["former"]), by_code[row["code"]]) for row in _rows("former_names.csv")]
    return _index(named)


def place(
    directory: Directory, *, buyer: str, municipal: bool | None, locality: str, postal_code: str
) -> Place:
    """Place a buyer: by its name, else by its address, else nowhere.

    The name wins over the address because the address may be an agent's or a head office's. A body
    of the province or of Canada has "to check": the region that its name tells, or none.
    """
    parts = [_split(part) for part in _PARTS.split(buyer) if fold(part)]
    if municipal is not True and _PROVINCIAL.search(fold(buyer)):
        return Place(municipality="", mrc="", region=_region(directory, parts), basis="to check")
    area = _area(directory, postal_code)
    return (
        _by_name(directory, parts, area, postal_code)
        or _by_address(directory, locality, area, postal_code)
        or Place(municipality="", mrc="", region="", basis="unknown")
    )


def _by_name(
    directory: Directory, parts: list[_Words], area: str, postal_code: str
) -> Place | None:
    for part in parts:
        found = _mrc(directory, part)
        if found:
            return Place(municipality="", mrc=found.mrc, region=found.region, basis="name")
        entries = _named(directory, part)
        if entries:
            return _common(_decide(entries, part, area, postal_code), "name")
    region = _region(directory, parts)
    return Place(municipality="", mrc="", region=region, basis="name") if region else None


def _mrc(directory: Directory, part: _Words) -> Entry | None:
    """The MRC of « MRC des Laurentides », or of a body that bears an MRC's whole name."""
    words = part.words
    marks = [n for n, word in enumerate(words) if word == "mrc"]
    if words[:3] == ("municipalite", "regionale", "de"):
        marks.append(3)
    for mark in marks:
        start = _skip(words, mark + 1, _LINKS)
        for run, _ in part.slices(start) if start < len(words) else ():
            if run in directory.mrcs:
                return directory.mrcs[run]
    return None


def _named(directory: Directory, part: _Words) -> tuple[Entry, ...]:
    """The municipalities a part of a name can mean: those of its longest match."""
    words = part.words
    start = 1 if words[0] in _ARTICLES and words[1:2] and words[1] in _HEAD else 0
    if words[start] in _HEAD:
        return _headed(directory, part, start)
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length + 1):
            run = " ".join(words[start : start + length])
            if run in directory.municipalities and _stands_apart(part, start, start + length):
                return directory.municipalities[run]
    for start in range(len(words)):
        for run, _ in part.slices(start):
            entry = directory.mrcs.get(run)
            if entry and ("-" in entry.mrc or len(words) == 1):
                return (
                    Entry(
                        name="", designation="", mrc=entry.mrc, region=entry.region, postal_code=""
                    ),
                )
    return ()


def _headed(directory: Directory, part: _Words, start: int) -> tuple[Entry, ...]:
    """After « Ville de », « Municipalité du Canton de » …: the name, with or without article."""
    words = part.words
    while start < len(words):
        for run, _ in part.slices(start):
            found = directory.municipalities.get(run)
            if found is None and words[start - 1] in _LINKS:
                found = directory.bare.get(run)
            if found:
                return found
        if words[start] not in _HEAD | _LINKS:
            return directory.beginnings.get(" ".join(words[start:]), ())
        start += 1
    return ()


def _stands_apart(part: _Words, start: int, stop: int) -> bool:
    """Whether a run is a place's name here: no piece of a longer one, and not « … du Québec »."""
    words, tied = part.words, part.tied
    if tied[start] or (stop < len(words) and tied[stop]):
        return False
    if words[start:stop] == ("quebec",):
        return False
    whole = (start, stop) == (0, len(words))
    return whole or (start > 0 and words[start - 1] in {"de", "d", "a", "du"} | set(_KINDS))


#: Bodies that bear a municipality's name without « de », folded.
_KINDS = ("cegep", "college", "omh", "oh")


def _decide(
    entries: tuple[Entry, ...], part: _Words, area: str, postal_code: str
) -> tuple[Entry, ...]:
    """Of homonyms, those that the town hall's code, the area's region or the designation point to.

    « Municipalité » says little: parishes and townships call themselves so, but cities do not.
    """
    said = {_DESIGNATIONS[w] for w in part.words[:4] if w in _DESIGNATIONS}
    organised = tuple(e for e in entries if e.designation in _ORGANISED)
    entries = organised or entries
    for kept in (
        [e for e in entries if e.postal_code == _compact(postal_code)],
        [e for e in entries if e.region == area],
        [e for e in entries if e.designation in said],
        [e for e in entries if e.designation != "Ville" and "municipalite" in part.words[:2]],
    ):
        entries = tuple(kept) or entries
        if len(entries) == 1:
            break
    return entries


def _by_address(directory: Directory, locality: str, area: str, postal_code: str) -> Place | None:
    entries = directory.municipalities.get(_key(locality), ())
    if entries:
        return _common(_decide(entries, _split(locality), area, postal_code), "postal code")
    entries = directory.codes.get(_compact(postal_code), ())
    if entries:
        return _common(entries, "postal code")
    return Place(municipality="", mrc="", region=area, basis="postal code") if area else None


def _common(entries: Iterable[Entry], basis: str) -> Place | None:
    """What all the entries say; None where not even the region is the same."""
    names, mrcs, regions = zip(*((e.name, e.mrc, e.region) for e in entries), strict=True)
    if len(set(regions)) > 1:
        return None
    mrc = mrcs[0] if len(set(mrcs)) == 1 else ""
    municipality = names[0] if len(set(names)) == 1 and len(set(mrcs)) == 1 else ""
    return Place(municipality=municipality, mrc=mrc, region=regions[0], basis=basis)


def _region(directory: Directory, parts: list[_Words]) -> str:
    """The one region that a name tells; "" where it tells none or several."""
    text = f" {' '.join(' '.join(part.words) for part in parts)} "
    found = {name for key, name in directory.regions.items() if f" {key} " in text}
    return found.pop() if len(found) == 1 else ""


def _area(directory: Directory, postal_code: str) -> str:
    return directory.areas.get(_compact(postal_code)[:3], "")


def _compact(postal_code: str) -> str:
    return "".join(postal_code.split()).upper()


def _skip(words: tuple[str, ...], start: int, passed: frozenset[str]) -> int:
    while start < len(words) and words[start] in passed:
        start += 1
    return start


def _split(part: str) -> _Words:
    words: list[str] = []
    tied: list[bool] = []
    for n, piece in enumerate(_HYPHEN.split(part.strip())):
        for k, word in enumerate(fold(piece).replace("'", " ").split()):
            words.append(_SHORT.get(word, word))
            tied.append(n > 0 and k == 0)
    return _Words(tuple(words), tuple(tied))


def _key(name: str) -> str:
    return " ".join(_split(name).words)


def _bare(key: str) -> str:
    words = key.split()
    return " ".join(words[_skip(tuple(words), 0, _LINKS) :])


def _rows(name: str) -> list[dict[str, str]]:
    with (_FILES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _index(named: list[tuple[str, Entry]]) -> Directory:
    names: dict[str, tuple[Entry, ...]] = defaultdict(tuple)
    bare: dict[str, tuple[Entry, ...]] = defaultdict(tuple)
    beginnings: dict[str, tuple[Entry, ...]] = defaultdict(tuple)
    codes: dict[str, tuple[Entry, ...]] = defaultdict(tuple)
    areas: dict[str, set[str]] = defaultdict(set)
    mrcs: dict[str, Entry] = {}
    for key, entry in named:
        names[key] += (entry,)
        bare[_bare(key)] += (entry,)
        words = key.split()
        for stop in range(2, len(words)):
            beginnings[" ".join(words[:stop])] += (entry,)
        if entry.mrc:
            mrcs.setdefault(_bare(_key(entry.mrc.removeprefix("MRC "))), entry)
        if entry.postal_code:
            codes[entry.postal_code] += (entry,)
            areas[entry.postal_code[:3]].add(entry.region)
    regions = {_key(entry.region): entry.region for _, entry in named} | _REGION_ALIASES
    return Directory(
        municipalities=dict(names),
        bare=dict(bare),
        beginnings={key: found for key, found in beginnings.items() if len(found) == 1},
        mrcs=mrcs,
        regions=regions,
        codes=dict(codes),
        areas={area: found.pop() for area, found in areas.items() if len(found) == 1},
    )
