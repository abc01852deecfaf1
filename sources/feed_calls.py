"""Which entries of a feed are calls for tenders, whose, and under which numbers. Pure.

A municipal feed has news of all kinds: the words of the title, the categories and the channel tell
a call; words of the text alone do only where a closing moment stands there too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from base.text import fold

#: Folded words that call for bids.
_CALL = re.compile(
    r"\bappels? d'(offre|interet|proposition)s?\b|\bavis d'appel\b|\binvitations? a soumission"
    r"|\bappels? (public|de|aux) (soumission|proposition|prestataire|fournisseur|candidature)s?\b"
    r"|\b(demand|sollicit)(e|es|ent|ant) (publiques? )?(de|des|une|les) "
    r"(soumission|prix|offre|proposition|qualification)s?\b"
    r"|\b(soumissions? (demandee|publique|recherchee)|soumissionner)s?\b"
)
#: Words of what comes after a call.
_AFTER = re.compile(
    r"\b(resultats?|octrois?|adjudications?|adjuges?|attributions?|attribues?|octroyes?)\b"
    r"|\b(ouverture|proces verbal) (d'ouverture )?des soumissions\b|\b(ferme|termine|clos)e?s?$"
    r"|^(ferme|termine|clos)e?s?\b|\bliste des contrats\b"
)
_CANCELLED = re.compile(r"\bannul(e|es|ee|ees|ation)\b")

_PARTS = re.compile(r"\s+[-–—|:•»]+\s+|\s*:\s+|\s*[|•»]\s*")
#: «Ville de Mont-Tremblant», «MRC des Laurentides», as the words of a text.
_ORGANISATION = re.compile(
    r"\b(?:Ville|Municipalité|MRC|Canton|Paroisse|Village|Régie|Agglomération|Office|Cité)"
    r"(?: (?:régionale|municipale?|intermunicipale|d’habitation|de comté|de paroisse)){0,4}"
    r"(?: (?:de|des|du|d’|d'))(?: ?(?:la|le|les|l’|l'))?"
    r" ?[A-ZÀ-Ý][\w’'-]*(?: (?:de|des|du|la|le|les|en|sur|aux?) [A-ZÀ-Ý][\w’'-]*"
    r"| [A-ZÀ-Ý][\w’'-]*){0,5}"
)
#: «S2025-02», «AO-2025-014», «2025-07-TP».
_REFERENCE = re.compile(
    r"(?<![\w/-])(?=[A-Z0-9./-]{0,12}[0-9])(?:[A-Z]{1,5}[-.]?)?[0-9]{2,4}[-.][0-9A-Z]{1,6}"
    r"(?:[-.][0-9A-Z]{1,6})?(?![\w/])|(?<![\w/-])[A-Z]{1,5}-?[0-9]{4,8}(?![\w/-])"
)
_SEAO_NUMBER = re.compile(
    r"\bSEAO\b[^.]{0,80}?(?<![0-9])([0-9]{7,8})(?![0-9])"
    r"|num[ée]ro de r[ée]f[ée]rence[^.]{0,40}?(?<![0-9])([0-9]{7,8})(?![0-9])"
)


def is_call(text: str) -> bool:
    """Whether a title, a category or a text calls for bids."""
    return _CALL.search(fold(text)) is not None


def is_over(title: str) -> bool:
    """Whether a title is about what comes after a call: results, a contract awarded."""
    return _AFTER.search(fold(title)) is not None


def is_cancelled(title: str) -> bool:
    """Whether a title says that its call is cancelled."""
    return _CANCELLED.search(fold(title)) is not None


def buyer(title: str, channel: str, lines: Iterable[str]) -> str:
    """The organisation that calls: named in the title, by the channel or in the text.

    Where none is recognised, the channel's own name without «Appels d’offres».
    """
    for text in (title, channel, *list(lines)[:20]):
        if found := _ORGANISATION.search(text):
            return found[0]
    parts = [part for part in _PARTS.split(channel) if part and not is_call(part)]
    return parts[-1] if parts else ""


def reference(title: str, lines: Iterable[str]) -> str:
    """The buyer's file number, "" where none is recognised."""
    for text in (title, *list(lines)[:5]):
        if found := _REFERENCE.search(text):
            return found[0]
    return ""


def seao_number(lines: Iterable[str]) -> str:
    """The number under which a text says that the call stands on SEAO, else ""."""
    for line in lines:
        if found := _SEAO_NUMBER.search(line):
            return found[1] or found[2]
    return ""
