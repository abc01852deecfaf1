"""Whether two titles, and two buyers' names, are of one call: pure.

What two sources write of one call differs in capitals, accents, abbreviations, plurals, a typing
error, the buyer's file number. What tells two calls of one buyer apart is often a single word or
number: « lot 1 », « secteur nord ». So every word and number must be on both sides; only what
says nothing may be missing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

#: Characters of a title that are looked at.
_MOST = 2000
_TOKEN = re.compile(r"([0-9a-z]+)(\.?)")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
# fmt: off
_SMALL = frozenset({
    "a", "ainsi", "au", "aux", "d", "dans", "de", "des", "du", "en", "et", "l", "la", "le",
    "les", "ou", "par", "pour", "que", "sa", "ses", "son", "sur", "un", "une",
})
#: What a publication says of itself, on one side or the other.
_EMPTY = frozenset({
    "ao", "appel", "appels", "avis", "no", "num", "numero", "offre", "offres", "public",
    "publics", "publique", "seao", "soumission", "soumissions",
})
_ABBREVIATIONS = {
    "amen": "amenagement", "arr": "arrondissement", "av": "avenue", "ave": "avenue",
    "bd": "boulevard", "bibl": "bibliotheque", "blvd": "boulevard", "boul": "boulevard",
    "ch": "chemin", "constr": "construction", "ent": "entretien", "equip": "equipement",
    "hotel": "hotel", "mtl": "montreal", "mun": "municipal", "prof": "professionnel",
    "qc": "quebec", "rte": "route", "serv": "service", "st": "saint", "ste": "sainte",
    "tech": "technique",
}
#: Words after which a letter or a Roman number tells one part from another.
_PARTS = frozenset({
    "bloc", "contrat", "lot", "lots", "partie", "phase", "phases", "secteur", "tome", "tranche",
    "volet", "zone",
})
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8"}
_DESIGNATIONS = frozenset({"ville", "municipalite", "paroisse", "village", "canton", "cantons"})
# fmt: on
_UNIT = re.compile(r"\s[-–—]\s|[(,]|\s/\s")
#: From so many letters on, one wrong letter is taken for a typing error.
_TYPED = 6


@dataclass(frozen=True, slots=True)
class Title:
    """A title as it is compared."""

    words: frozenset[str]
    #: Beginnings of words: « serv. », « aménag. ».
    cut: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two titles that say the same."""

    #: Words that both have.
    shared: int
    #: Words that are the same but for a typing error.
    mistyped: int


def title(text: str, *, without: Iterable[str] = ()) -> Title:
    """Read a title, leaving out the file numbers of `without`."""
    tokens = _without(_tokens(text), [[t for t, _ in _tokens(one)] for one in without])
    words: set[str] = set()
    cut: set[str] = set()
    numbers: set[str] = set()
    before = ""
    for token, dotted in tokens:
        part = before in _PARTS
        if any(c.isdigit() for c in token):
            numbers.add(token.lstrip("0") or "0")
        elif part and (token in _ROMAN or len(token) == 1):
            numbers.add(_ROMAN.get(token, token))
        elif token in _ABBREVIATIONS:
            words.add(_ABBREVIATIONS[token])
        elif token not in _SMALL and token not in _EMPTY:
            (cut if dotted and len(token) >= 3 else words).add(_singular(token))
        before = token
    return Title(frozenset(words), frozenset(cut), frozenset(numbers))


def alike(one: Title, other: Title, *, named: frozenset[str] = frozenset()) -> Likeness | None:
    """How two titles say the same; None where a word or a number tells them apart.

    `named` are words that either may have alone: those of the buyer's name.
    """
    if one.numbers != other.numbers:
        return None
    ours, theirs = one.words | one.cut, other.words | other.cut
    left, right = ours - theirs, set(theirs - ours)
    shared = len(ours & theirs)
    mistyped = 0
    for word in sorted(left):
        found = next((w for w in sorted(right) if _cut(word, w, one.cut, other.cut)), None)
        if found is None:
            found = next((w for w in sorted(right) if _mistyped(word, w)), None)
            mistyped += found is not None
        if found is not None:
            right.discard(found)
            left = left - {word}
            shared += 1
    if left - named or right - named or not shared:
        return None
    return Likeness(shared, mistyped)


def same_buyer(one: str, other: str) -> bool:
    """Whether two names are of one buyer: « Ville de St-Jérôme. », « SAINT-JEROME ».

    A service of a body is that body where the other name says no service.
    """
    ours, theirs = _units(one), _units(other)
    most = min(len(ours), len(theirs))
    if not most or ours[:most] != theirs[:most]:
        return False
    kinds = {_designation(one), _designation(other)} - {"", "municipalite"}
    return len(kinds) < 2


def buyer_words(*names: str) -> frozenset[str]:
    """The words of buyers' names, as titles are compared."""
    read = [title(name) for name in names]
    return frozenset(word for one in read for word in one.words | one.cut)


@lru_cache(maxsize=20_000)
def buyer_key(name: str) -> tuple[str, ...]:
    """What the names of one buyer have in common, to look it up; () for an empty name."""
    return next(iter(_units(name)), ())


@lru_cache(maxsize=20_000)
def _units(name: str) -> tuple[tuple[str, ...], ...]:
    parts = (tuple(_named(part)) for part in _UNIT.split(name[:500]))
    return tuple(part for part in parts if part)


def _named(part: str) -> list[str]:
    tokens = [_ABBREVIATIONS.get(t, t) for t, _ in _tokens(part) if t not in _SMALL]
    return tokens[1:] if tokens and tokens[0] in _DESIGNATIONS and len(tokens) > 1 else tokens


def _designation(name: str) -> str:
    first = next((t for t, _ in _tokens(name[:500]) if t not in _SMALL), "")
    return first if first in _DESIGNATIONS else ""


@lru_cache(maxsize=20_000)
def _tokens(text: str) -> list[tuple[str, bool]]:
    """Words in lower case without accents, and whether a dot follows."""
    lowered = unicodedata.normalize("NFKD", text[:_MOST].casefold().translate(_LIGATURES))
    bare = "".join(c for c in lowered if not unicodedata.combining(c))
    return [(found[1], bool(found[2])) for found in _TOKEN.finditer(bare)]


def _without(tokens: list[tuple[str, bool]], numbers: list[list[str]]) -> list[tuple[str, bool]]:
    """The tokens without those runs; a run too short to be a file number is kept."""
    for run in numbers:
        letters = "".join(run)
        if len(letters) < 5 or not any(c.isdigit() for c in letters):
            continue
        kept, place = [], 0
        while place < len(tokens):
            if [t for t, _ in tokens[place : place + len(run)]] == run:
                place += len(run)
            else:
                kept.append(tokens[place])
                place += 1
        tokens = kept
    return tokens


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] in "sx" else word


def _cut(word: str, other: str, ours: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether one is the beginning of the other, cut with a dot."""
    return (word in ours and other.startswith(word)) or (other in theirs and word.startswith(other))


def _mistyped(one: str, other: str) -> bool:
    """Whether one letter is wrong, too many, missing, or two changed places; not the first."""
    if min(len(one), len(other)) < _TYPED or one[0] != other[0] or abs(len(one) - len(other)) > 1:
        return False
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), -1)
    if start < 0:
        return True
    rest, others = one[start:], other[start:]
    swapped = rest[:2] == others[1::-1] and rest[2:] == others[2:]
    return rest[1:] == others[1:] or rest[1:] == others or rest == others[1:] or swapped
