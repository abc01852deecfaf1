"""The municipal directory: municipalities, MRC and regions, found by their folded names."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from base.text import fold

_FILES = Path(__file__).with_name("directory")

#: No name of the directory has more words, articles included.
_LONGEST = 9
#: What may stand between « Ville » and the name, and before the name of an MRC.
LINKS = frozenset({"l", "le", "la", "les", "d", "de", "du", "des"})
_SHORT = {"st": "saint", "ste": "sainte"}
#: Parts of a region's name by which its public bodies are called, folded.
_REGION_ALIASES = {
    "gaspesie": "Gaspésie–Îles-de-la-Madeleine",
    "iles de la madeleine": "Gaspésie–Îles-de-la-Madeleine",
}
_HYPHEN = re.compile(r"\s*[-–—]\s*")


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
class Words:
    """A part of a name: its words, and whether each is tied to the one before by a hyphen."""

    words: tuple[str, ...]
    tied: tuple[bool, ...]

    def runs(self, start: int) -> Iterator[str]:
        """The runs of words from `start` that cut no hyphenated name, longest first."""
        if start >= len(self.words) or self.tied[start]:
            return
        for stop in range(min(len(self.words), start + _LONGEST), start, -1):
            if stop == len(self.words) or not self.tied[stop]:
                yield " ".join(self.words[start:stop])


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
    named = [(folded(entry.name), entry) for entry in by_code.values()]
    named += [(folded(row["former"]), by_code[row["code"]]) for row in _rows("former_names.csv")]
    return _index(named)


def compact(postal_code: str) -> str:
    """A postal code in capitals without blanks."""
    return "".join(postal_code.split()).upper()


def skip(words: tuple[str, ...], start: int) -> int:
    """Where the articles and prepositions from `start` end."""
    while start < len(words) and words[start] in LINKS:
        start += 1
    return start


def split(part: str) -> Words:
    """The folded words of a part of a name; « St » is « Saint »."""
    words: list[str] = []
    tied: list[bool] = []
    for n, piece in enumerate(_HYPHEN.split(part.strip())):
        for k, word in enumerate(fold(piece).replace("'", " ").split()):
            words.append(_SHORT.get(word, word))
            tied.append(n > 0 and k == 0)
    return Words(tuple(words), tuple(tied))


def folded(name: str) -> str:
    """A name as the directory is indexed by it."""
    return " ".join(split(name).words)


def _bare(name: str) -> str:
    words = tuple(name.split())
    return " ".join(words[skip(words, 0) :])


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
            mrcs.setdefault(_bare(folded(entry.mrc.removeprefix("MRC "))), entry)
        if entry.postal_code:
            codes[entry.postal_code] += (entry,)
            areas[entry.postal_code[:3]].add(entry.region)
    regions = {folded(entry.region): entry.region for _, entry in named} | _REGION_ALIASES
    return Directory(
        municipalities=dict(names),
        bare=dict(bare),
        beginnings={key: found for key, found in beginnings.items() if len(found) == 1},
        mrcs=mrcs,
        regions=regions,
        codes=dict(codes),
        areas={area: found.pop() for area, found in areas.items() if len(found) == 1},
    )
