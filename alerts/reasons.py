"""Why a notice is in a letter, in one short French line."""

from __future__ import annotations

from collections.abc import Iterable

from alerts.evidence import Evidence, Where
from base.french import NBSP

#: Longer quotes are cut: the line is read on a phone.
_LONGEST = 60
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
    seen = list(evidence)
    parts = []
    for where, place in _PLACES.items():
        quotes = [quote(one.text) for one in seen if one.where is where]
        if quotes:
            parts.append(f"{_listed(dict.fromkeys(quotes))} {place}")
    codes = [one.text for one in seen if one.where is Where.CODE]
    if codes:
        parts.append(f"code{'s' if len(codes) > 1 else ''} {_listed(dict.fromkeys(codes))}")
    return "; ".join(parts)


def quote(text: str) -> str:
    """The text between French quotation marks, with their no-break spaces."""
    inner = " ".join(text.replace("«", "").replace("»", "").split())
    if len(inner) > _LONGEST:
        inner = inner[: _LONGEST - 1].rstrip() + "…"
    return f"«{NBSP}{inner}{NBSP}»"


def _listed(parts: Iterable[str]) -> str:
    """«a», «a et b», «a, b et c»."""
    *first, last = parts
    return f"{', '.join(first)} et {last}" if first else last
