"""French as titles write it: words, stems and phrases, whatever the accents, plurals and capitals.

A word is compared by its stem; a phrase by its stems in order, small words left out, within one
segment of the text (what « - », « ; », « : », « / » or brackets set apart).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import Stemmer

#: Beyond so many characters a text is cut: bounded time for a hostile one.
MOST = 10_000
#: How many words may stand between two words of a phrase.
GAP = 1

_TOKEN = re.compile(r"[^\W_]+|[;:()\[\]/\\|–—+]|(?<=\s)-(?=\s)|[.!?](?=\s)")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "Œ": "OE", "Æ": "AE", "ß": "ss"})
# fmt: off
_SMALL = frozenset({
    "a", "ainsi", "au", "aux", "avec", "c", "ce", "ces", "cette", "chez", "d", "dans",
    "de", "des", "deux", "du", "en", "entre", "et", "l", "la", "le", "les", "leur",
    "leurs", "lorsqu", "m", "n", "nos", "notre", "ou", "par", "pour", "puis", "qu",
    "que", "qui", "s", "sa", "sans", "se", "selon", "ses", "son", "sous", "sur", "t",
    "toute", "toutes", "tous", "tout", "un", "une", "vers", "y", "the", "of", "and",
    "for", "to", "j", "lors",
})
#: After these a title tells for whom or where, no longer what.
_ASIDE = frozenset({"pour", "dans", "chez", "lors"})
_OF, _AND = frozenset({"d", "de", "des", "du"}), frozenset({"et", "ou"})
#: Prefixes that are written with or without a hyphen.
_PREFIXES = frozenset({
    "eco", "mini", "multi", "inter", "auto", "radio", "video", "tele", "micro", "bio",
    "agro", "co", "re", "geo",
})
# fmt: on
_PLURAL = re.compile(r"s$|(?:au|eu|ou)x$")
#: What the stemmer would make one with another meaning: kept as the singular.
# fmt: off
_KEPT = frozenset({
    "accord", "agencement", "alimentation", "animation", "banquet", "banquette", "berger",
    "camper", "centrale", "classement", "collecte", "collectif", "collection", "communal",
    "commune", "concertation", "conseiller", "consultation", "coupe", "cour", "cours",
    "education", "elevateur", "enseigne", "enseignement", "equipe", "equipement", "etage",
    "etagere", "format", "formation", "gouvernance", "habitation", "immigration",
    "imprimante", "livrer", "loyer", "marina", "organisme", "passage", "periodique",
    "placement", "planche", "plancher", "portable", "porte", "publication", "rangement",
    "rayonnage", "refuge", "restaurant", "secourisme", "surfaceuse", "surveillance",
    "surveillant", "terrasse", "transformateur", "usage", "villa",
})
# fmt: on


class Word(NamedTuple):
    """One word of a text, where it stands and what it is compared by."""

    stem: str
    folded: str
    start: int
    end: int
    #: Rises at each mark that sets a part of the text apart.
    segment: int
    capitals: bool
    #: After « pour », « dans » or the like in its segment: for whom or where, hardly what.
    aside: bool = False
    #: Tied to the word before by « de »: what that one is of.
    of: bool = False


@dataclass(frozen=True)
class Passage:
    """A text with its words, small words left out."""

    text: str
    words: tuple[Word, ...]

    @cached_property
    def shouted(self) -> bool:
        """True where the whole text is in capitals, so that capitals say nothing."""
        letters = [c for c in self.text if c.isalpha()]
        return bool(letters) and sum(c.isupper() for c in letters) > 0.7 * len(letters)

    def quote(self, start: int, end: int) -> str:
        """The text from one word's place to another's, as published."""
        return self.text[self.words[start].start : self.words[end - 1].end]


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is looked for: a word or several in order."""

    stems: tuple[str, ...]
    #: Spelled so, letter for letter once folded; () to compare stems.
    exactly: tuple[str, ...] = ()
    #: Only where it stands in capitals: « CPE » is not « cpe ».
    capitals: bool = False
    #: How many words may stand between two of its words; at most GAP.
    gap: int = GAP


class Hit(NamedTuple):
    """A phrase found from word `start` up to and without word `end`."""

    phrase: Phrase
    start: int
    end: int


@lru_cache(maxsize=100_000)
def _folded(word: str) -> str:
    bare = unicodedata.normalize("NFKD", word.translate(_LIGATURES))
    return "".join(c for c in bare if not unicodedata.combining(c)).casefold()


_STEMMER = Stemmer.Stemmer("french", 0)


@lru_cache(maxsize=100_000)
def stem(folded: str) -> str:
    """What a folded word is compared by: « paysagère », « paysagers » and « paysager » alike."""
    if folded.isdigit():
        return folded
    word = folded[:-1] if len(folded) > 3 and _PLURAL.search(folded) else folded
    if folded in _KEPT:
        return folded
    if word.endswith("ive"):
        word = word[:-2] + "f"  # collective, collectif
    if word in _KEPT or len(word) < 5 or word.endswith("if"):
        return word
    if word.endswith("ere"):
        word = word[:-2] + "r"
    if folded.endswith("aux") and not folded.endswith("eaux"):
        word = folded[:-3] + "al"
    short: str = _STEMMER.stemWord(word)
    return short if len(word) - len(short) <= 5 else word


@lru_cache(maxsize=20_000)
def passage(text: str) -> Passage:
    """Read a text into words, once; what is over MOST characters is left unread."""
    return _passage(text)


def _passage(text: str) -> Passage:
    read = unicodedata.normalize("NFC", text[:MOST].replace("\x92", "’"))
    words = _Words(read)
    for token in _TOKEN.finditer(read):
        words.take(token)
    return Passage(read, tuple(words.found))


class _Words:
    """The words of a text while it is read from its first token to its last."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Word] = []
        self.segment = 0
        self.aside = self.of = self.joined = False
        #: A prefix that waits for the rest of its word (« éco-centre »), and where it began.
        self.prefix: tuple[str, int] | None = None

    def take(self, token: re.Match[str]) -> None:
        value, start, end = token[0], token.start(), token.end()
        if not value[0].isalnum():
            self.segment += 1
            self.aside = self.of = self.joined = False
            return
        folded, stemmed = _known(value)
        if self.prefix:
            if self.text[start - 1] == "-":
                folded, start = self.prefix[0] + folded, self.prefix[1]
                stemmed = stem(folded)
            self.prefix = None
        if folded in _SMALL:
            self.aside = self.aside or folded in _ASIDE
            self.of = self.of or folded in _OF
            self.joined = self.joined or folded in _AND
        elif folded in _PREFIXES and self.text[end : end + 1] == "-":
            self.prefix = (folded, start)
        elif folded:
            of = self.of and not self.joined
            capitals = len(value) > 1 and value.isupper()
            self.found.append(
                Word(stemmed, folded, start, end, self.segment, capitals, self.aside, of)
            )
            self.of = self.joined = False


@lru_cache(maxsize=100_000)
def _known(value: str) -> tuple[str, str]:
    """A word folded, and its stem."""
    folded = _folded(value)
    return folded, stem(folded)


def phrase(
    spelling: str, *, exact: bool = False, capitals: bool = False, gap: int = GAP
) -> Phrase | None:
    """A phrase to look for; None where only small words or marks are left of it."""
    words = _passage(spelling).words
    if not words:
        return None
    return Phrase(
        stems=tuple(word.stem for word in words),
        exactly=tuple(word.folded for word in words) if exact or capitals else (),
        capitals=capitals,
        gap=gap,
    )


Index = Mapping[str, tuple[Phrase, ...]]


def index(phrases: Iterable[Phrase]) -> Index:
    """Phrases by their first stem, so that a text costs its own length only."""
    by_first: dict[str, list[Phrase]] = {}
    for one in phrases:
        by_first.setdefault(one.stems[0], []).append(one)
    return {first: tuple(found) for first, found in by_first.items()}


def find(read: Passage, phrases: Index) -> Iterator[Hit]:
    """Every place where one of the phrases stands."""
    for start, word in enumerate(read.words):
        begun = phrases.get(word.stem)
        if begun is None:
            continue
        after: set[str] | None = None
        for one in begun:
            if len(one.stems) > 1:
                if after is None:
                    after = {near.stem for near in read.words[start + 1 : start + 2 + GAP]}
                if one.stems[1] not in after:
                    continue
            end = _end(read, one, start)
            if end:
                yield Hit(one, start, end)


def _end(read: Passage, one: Phrase, start: int) -> int:
    """Where the phrase that begins at that word ends; 0 where it does not stand there."""
    words = read.words
    at = start
    for number, wanted in enumerate(one.stems):
        if number:
            reach = 1 if one.exactly else 1 + one.gap
            after = range(at + 1, min(at + 1 + reach, len(words)))
            found = next((n for n in after if words[n].stem == wanted), None)
            if found is None or words[found].segment != words[start].segment:
                return 0
            at = found
        if one.exactly and words[at].folded != one.exactly[number]:
            return 0
        if one.capitals and not (words[at].capitals and not read.shouted):
            return 0
    return at + 1
