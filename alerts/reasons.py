"""Why a notice is in a letter, in one short French line."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from alerts.evidence import Evidence, Where
from base.french import NBSP
from base.text import fold, shortened

#: Longer quotes are cut, and more of a kind left out: the line is read on a phone.
_LONGEST = 60
_MOST = 3
#: The label of what a contact asked for in its own words.
OWN_WORDS = "Vos mots-clés"
_PLACES = {
    Where.TITLE: "dans le titre",
    Where.LABEL: "dans la classification",
    Where.DESCRIPTION: "dans la description",
    Where.OWN_WORD: "que vous suivez",
}


def line(evidence: Iterable[Evidence]) -> str:
    """«« conciergerie » dans le titre; code 91111601», the French of what was seen.

    Text that was published is quoted as it was, cut where long; the caller escapes it.
    """
    return _line(tuple(evidence))


@lru_cache(maxsize=10_000)
def _line(seen: tuple[Evidence, ...]) -> str:
    """The same for all whom a notice is for by the same words."""
    parts = []
    for where, place in _PLACES.items():
        quotes = _whole(one.text for one in seen if one.where is where)
        if quotes:
            parts.append(f"{_listed(map(quote, quotes))} {place}")
    codes = _whole(one.text for one in seen if one.where is Where.CODE)
    if codes:
        parts.append(f"code{'s' if len(codes) > 1 else ''} {_listed(codes)}")
    return "; ".join(parts)


def _whole(texts: Iterable[str]) -> list[str]:
    """The first texts, each once, without those that stand within another."""
    found = {fold(text): text for text in texts}
    return [
        text
        for key, text in found.items()
        if not any(f" {key} " in f" {other} " and key != other for other in found)
    ][:_MOST]


def quote(text: str) -> str:
    """The text between French quotation marks, with their no-break spaces."""
    inner = shortened(" ".join(text.replace("«", "").replace("»", "").split()), _LONGEST)
    return f"«{NBSP}{inner}{NBSP}»"


def _listed(parts: Iterable[str]) -> str:
    """«a», «a et b», «a, b et c»."""
    *first, last = parts
    return f"{', '.join(first)} et {last}" if first else last
