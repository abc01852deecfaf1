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

import Stemmer

#: Beyond so many characters a text is cut: bounded time for a hostile one.
MOST = 20_000
#: Words that may stand between two words of a phrase.
GAP = 2

_TOKEN = re.compile(r"[^\W_]+|[;:()\[\]/\\|–—+]|(?<=\s)-(?=\s)|[.!?](?=\s)")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "Œ": "OE", "Æ": "AE", "ß": "ss"})
# fmt: off
_SMALL = frozenset({
    "a", "ainsi", "au", "aux", "avec", "c", "ce", "ces", "cette", "chez", "d", "dans",
    "de", "des", "deux", "du", "en", "entre", "et", "l", "la", "le", "les", "leur",
    "leurs", "lorsqu", "m", "n", "nos", "notre", "ou", "par", "pour", "puis", "qu",
    "que", "qui", "s", "sa", "sans", "se", "selon", "ses", "son", "sous", "sur", "t",
    "toute", "toutes", "tous", "tout", "un", "une", "vers", "y", "the", "of", "and",
    "for", "to", "j",
})
#: Prefixes that are written with or without a hyphen.
_PREFIXES = frozenset({
    "eco", "mini", "multi", "inter", "auto", "radio", "video", "tele", "micro", "bio",
    "agro", "co", "re", "geo",
})
# fmt: on
#: What the stemmer would make one with another meaning: kept as the singular.
_KEPT = frozenset({"formation", "format", "habitation", "commune", "communal", "portable"})


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text, where it stands and what it is compared by."""

    stem: str
    folded: str
    start: int
    end: int
    #: Rises at each mark that sets a part of the text apart.
    segment: int
    capitals: bool


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


@dataclass(frozen=True, slots=True)
class Hit:
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
    word = folded[:-1] if len(folded) > 3 and folded[-1] in "sx" else folded
    if word in _KEPT or len(word) < 5:
        return word
    if word.endswith("ere"):
        word = word[:-2] + "r"
    if word.endswith("aux"[:-1]) and not word.endswith("eau") and folded.endswith("x"):
        word = word[:-2] + "al"
    short: str = _STEMMER.stemWord(word)
    return short if len(word) - len(short) <= 5 else word


def passage(text: str) -> Passage:
    """Read a text into words; what is over MOST characters is left unread."""
    text = unicodedata.normalize("NFC", text[:MOST].replace("\x92", "’"))
    words: list[Word] = []
    segment = 0
    joined: tuple[str, int] | None = None
    for token in _TOKEN.finditer(text):
        value = token.group()
        if not value[0].isalnum():
            segment += 1
            continue
        folded, start = _folded(value), token.start()
        if joined and text[token.start() - 1] == "-":
            folded, start = joined[0] + folded, joined[1]
        joined = None
        if folded in _PREFIXES and text[token.end() : token.end() + 1] == "-":
            joined = (folded, start)
            continue
        if folded and folded not in _SMALL:
            capitals = len(value) > 1 and value.isupper()
            words.append(Word(stem(folded), folded, start, token.end(), segment, capitals))
    return Passage(text, tuple(words))


def phrase(spelling: str, *, exact: bool = False, capitals: bool = False) -> Phrase | None:
    """A phrase to look for; None where only small words or marks are left of it."""
    words = passage(spelling).words
    if not words:
        return None
    return Phrase(
        stems=tuple(word.stem for word in words),
        exactly=tuple(word.folded for word in words) if exact or capitals else (),
        capitals=capitals,
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
        for one in phrases.get(word.stem, ()):
            end = _end(read, one, start)
            if end:
                yield Hit(one, start, end)


def _end(read: Passage, one: Phrase, start: int) -> int:
    """Where the phrase that begins at that word ends; 0 where it does not stand there."""
    words = read.words
    at = start
    for number, wanted in enumerate(one.stems):
        if number:
            reach = 1 if one.exactly else 1 + GAP
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
