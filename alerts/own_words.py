"""What a contact looks for in words of its own: how they are read, and where they stand. Pure."""

from __future__ import annotations

from functools import lru_cache

from alerts.classification import Facts
from alerts.evidence import Evidence, Where
from alerts.words import Index, Passage, Phrase, find, index, passage, phrase
from base.text import clean, fold

_QUOTES = (("«", "»"), ('"', '"'), ("“", "”"))
#: Longest word in capitals that is taken for an acronym.
_ACRONYM = 6


def texts(facts: Facts) -> list[Passage]:
    """What a contact's own words are looked for in."""
    return [passage(text) for text in (facts.title, *facts.labels, facts.description) if text]


def looks_for_nothing(typed: str) -> bool:
    """Whether a contact's word is but small words or marks: « de », « .* », « »."""
    return phrase_of(typed) is None


@lru_cache(maxsize=100_000)
def phrase_of(typed: str) -> Phrase | None:
    """What a contact's word looks for; None where nothing but small words or marks is left.

    Nothing of it is a pattern: a regular expression is its letters only.
    """
    word = clean(typed)
    for opening, closing in _QUOTES:
        if len(word) > 2 and word.startswith(opening) and word.endswith(closing):
            return phrase(word[1:-1], exact=True)
    acronym = word.isupper() and word.isalnum() and 2 <= len(word) <= _ACRONYM
    return phrase(word, capitals=acronym)


@lru_cache(maxsize=2_000)
def _phrases(typed: tuple[str, ...]) -> Index:
    return index(dict.fromkeys(filter(None, map(phrase_of, typed))))


def seen(facts: Facts, typed: tuple[str, ...]) -> list[Evidence]:
    """Where the contact's words stand in the notice, each once."""
    phrases = _phrases(typed) if typed else {}
    if not phrases:
        return []
    quotes: dict[str, Evidence] = {}
    for text in texts(facts):
        for hit in find(text, phrases):
            quote = text.quote(hit.start, hit.end)
            quotes.setdefault(fold(quote), Evidence(Where.OWN_WORD, quote))
    return list(quotes.values())


def stands(facts: Facts, one: Phrase) -> bool:
    """Whether that phrase stands in the notice."""
    phrases = index([one])
    return any(True for text in texts(facts) for _ in find(text, phrases))
