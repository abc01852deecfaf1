"""A changed catalogue before it is used: what is wrong with it, line by line (pure)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from alerts.words import Phrase, phrase
from base.text import fold
from subscriptions.sectors import Nature

_TEXTS = ("slug", "libelle", "description")
_LISTS = ("unspsc", "unspsc_larges", "seao", "mots_cles", "exclure")
_KEYWORDS = ("mots_cles", "mots_faibles", "lieux")
_EXCLUSIONS = ("exclure", "exclure_faibles")
_KNOWN = frozenset((*_TEXTS, *_LISTS, *_KEYWORDS, *_EXCLUSIONS, "natures", "atteste"))
_TOP = frozenset({"version", "mise_a_jour", "contextes", "secteur"})
_CONTEXTS = frozenset(
    {"biens", "travaux", "etudes", "services", "exploitation", "ententes", "masques"}
)
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_UNSPSC = re.compile(r"[0-9]{2,8}")
_SEAO = re.compile(r"[A-Z]{1,4}[0-9]{1,2}")
_BLOCK = re.compile(r"^\s*\[\[?\s*(secteur|contextes)\s*\]\]?")
_AT_LINE = re.compile(r"\(at line (\d+)")


class Wrong(StrEnum):
    """What can be wrong with a catalogue; `Fault.detail` is what was found."""

    NOT_UTF8 = "not UTF-8"
    NOT_TOML = "not TOML"
    NO_SECTOR = "no sector"
    UNKNOWN_KEY = "unknown key"
    MISSING = "missing key"
    NOT_TEXT = "not a text"
    NOT_LIST = "not a list of texts"
    SLUG_FORM = "slug form"
    SLUG_TWICE = "slug twice"
    LABEL_TWICE = "label twice"
    EMPTY_WORD = "empty word"
    SMALL_WORDS = "small words only"
    WORD_TWICE = "word twice"
    WORD_AND_EXCLUSION = "word and exclusion"
    NOT_UNSPSC = "no UNSPSC prefix"
    NOT_SEAO = "no SEAO category"
    NOT_NATURE = "no nature"
    NOTHING_SAYS_IT = "no keyword and no code"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that a person must mend."""

    wrong: Wrong
    #: From 1; 0 where it is of no line.
    line: int = 0
    #: Of the sector; "" outside of the sectors.
    slug: str = ""
    key: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """A table of the file: a sector or the contexts."""

    entry: dict[str, Any]
    #: Where it begins, from 1, and its lines.
    begins: int
    lines: tuple[str, ...]

    @property
    def slug(self) -> str:
        return str(self.entry.get("slug", ""))

    def fault(self, wrong: Wrong, key: str = "", detail: object = "") -> Fault:
        return Fault(wrong, self._line(key, str(detail)), self.slug, key, str(detail))

    def _line(self, key: str, detail: str) -> int:
        """The line of a value within its key, else of the key, else of the table."""
        named = re.compile(rf"\s*{re.escape(key)}\s*=")
        start = next((n for n, line in enumerate(self.lines) if key and named.match(line)), None)
        if start is None:
            return self.begins
        for n in range(start, len(self.lines)):
            if f'"{detail}"' in self.lines[n] or f"'{detail}'" in self.lines[n]:
                return self.begins + n
            if self.lines[n].rstrip().endswith("]"):
                break
        return self.begins + start


def faults(document: bytes) -> list[Fault]:
    """All that is wrong with a catalogue, in the order of its lines; nothing where it may be used.

    What these let pass, `subscriptions.sectors.load` reads.
    """
    try:
        text = document.decode("utf-8")
        tables = tomllib.loads(text)
    except UnicodeDecodeError:
        return [Fault(Wrong.NOT_UTF8)]
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        line = int(at[1]) if at else len(text.splitlines())
        return [Fault(Wrong.NOT_TOML, line, detail=str(error))]
    found = [Fault(Wrong.UNKNOWN_KEY, key=key, detail=key) for key in tables.keys() - _TOP]
    sectors, contexts = _parts(tables, text.splitlines())
    if not sectors:
        found.append(Fault(Wrong.NO_SECTOR))
    for part in contexts:
        found += _of_contexts(part)
    for part in sectors:
        found += _of_sector(part)
    found += _twice(sectors)
    return sorted(found, key=lambda fault: fault.line)


def _parts(tables: dict[str, Any], lines: list[str]) -> tuple[list[_Part], list[_Part]]:
    """The sectors and the contexts, each with its lines."""
    starts = [(n, at[1]) for n, line in enumerate(lines) if (at := _BLOCK.match(line))]
    ends = [*(n for n, _ in starts), len(lines)][1:]
    spans: dict[str, list[tuple[int, tuple[str, ...]]]] = {"secteur": [], "contextes": []}
    for (start, name), end in zip(starts, ends, strict=True):
        spans[name].append((start + 1, tuple(lines[start:end])))
    made: dict[str, list[_Part]] = {}
    for name, found in spans.items():
        value = tables.get(name, [])
        entries = value if isinstance(value, list) else [value]
        spare = [(0, ())] * (len(entries) - len(found))
        made[name] = [
            _Part(entry if isinstance(entry, dict) else {}, *span)
            for entry, span in zip(entries, [*found, *spare], strict=False)
        ]
    return made["secteur"], made["contextes"]


def _of_contexts(part: _Part) -> Iterator[Fault]:
    for key in part.entry:
        if key not in _CONTEXTS:
            yield part.fault(Wrong.UNKNOWN_KEY, key, key)
        else:
            yield from _of_words(part, key)


def _of_sector(part: _Part) -> Iterator[Fault]:
    yield from (part.fault(Wrong.UNKNOWN_KEY, key, key) for key in part.entry if key not in _KNOWN)
    for key in (*_TEXTS, *_LISTS):
        if key not in part.entry:
            yield part.fault(Wrong.MISSING, key, key)
    for key in _TEXTS:
        value = part.entry.get(key, "-")
        if not isinstance(value, str) or not value.strip():
            yield part.fault(Wrong.NOT_TEXT, key, value)
    if isinstance(part.entry.get("slug"), str) and not _SLUG.fullmatch(part.slug):
        yield part.fault(Wrong.SLUG_FORM, "slug", part.slug)
    yield from _of_codes(part)
    for key in (*_KEYWORDS, *_EXCLUSIONS):
        yield from _of_words(part, key)
    yield from _against_itself(part)
    if not any(part.entry.get(key) for key in ("mots_cles", "mots_faibles", "unspsc")):
        yield part.fault(Wrong.NOTHING_SAYS_IT)


def _texts(part: _Part, key: str) -> list[str]:
    """The texts of a list, as far as they are texts."""
    value = part.entry.get(key, [])
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _of_list(part: _Part, key: str) -> Iterator[Fault]:
    value = part.entry.get(key, [])
    if not isinstance(value, list):
        yield part.fault(Wrong.NOT_LIST, key, value)
        return
    yield from (part.fault(Wrong.NOT_LIST, key, one) for one in value if not isinstance(one, str))


def _of_codes(part: _Part) -> Iterator[Fault]:
    natures = {nature.value for nature in Nature}
    for key, right, wrong in (
        ("unspsc", _UNSPSC.fullmatch, Wrong.NOT_UNSPSC),
        ("unspsc_larges", _UNSPSC.fullmatch, Wrong.NOT_UNSPSC),
        ("seao", _SEAO.fullmatch, Wrong.NOT_SEAO),
        ("natures", natures.__contains__, Wrong.NOT_NATURE),
    ):
        yield from _of_list(part, key)
        for value in _texts(part, key):
            if not right(value):
                yield part.fault(wrong, key, value)


def _of_words(part: _Part, key: str) -> Iterator[Fault]:
    yield from _of_list(part, key)
    seen: set[str] = set()
    for value in _texts(part, key):
        if not value.strip():
            yield part.fault(Wrong.EMPTY_WORD, key, value)
        elif _phrase(value) is None:
            yield part.fault(Wrong.SMALL_WORDS, key, value)
        elif value in seen:
            yield part.fault(Wrong.WORD_TWICE, key, value)
        seen.add(value)


def _phrase(value: str) -> Phrase | None:
    exact = len(value) > 2 and value[0] == value[-1] == '"'
    return phrase(value, exact=exact)


def _against_itself(part: _Part) -> Iterator[Fault]:
    """A word that speaks for the sector and takes itself away."""
    words = {_phrase(one) for key in _KEYWORDS for one in _texts(part, key)} - {None}
    for key in _EXCLUSIONS:
        for value in _texts(part, key):
            if _phrase(value) in words:
                yield part.fault(Wrong.WORD_AND_EXCLUSION, key, value)


def _twice(sectors: list[_Part]) -> Iterator[Fault]:
    for key, wrong in (("slug", Wrong.SLUG_TWICE), ("libelle", Wrong.LABEL_TWICE)):
        seen: set[str] = set()
        for part in sectors:
            value = part.entry.get(key)
            if isinstance(value, str):
                if fold(value) in seen:
                    yield part.fault(wrong, key, value)
                seen.add(fold(value))
