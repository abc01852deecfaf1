"""When two notices are one call, seen in two sources: pure. See docs/decisions/0007.

Within one source two ocids are two calls, whatever their titles: that is its publisher's word.
Between sources the SEAO number decides where it is given; else the buyer, the closing moment and
the title. What stays doubtful stays apart: a call that is shown twice costs a minute, a call that
is hidden behind another costs a contract.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sources import titles

#: SEAO's ocids; the number follows.
_SEAO = "ocds-ec9k95-"
#: Of seven digits until 2024, then of eight beginning with 20.
_NUMBER = re.compile(r"(?<![\w-])(?:20\d{6}|1\d{6})(?![\w-])")
_ITEM = re.compile(r"ItemId=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_DATE = re.compile(r"20[12]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
#: How far from the word SEAO its number stands.
_NEAR = 80
#: Closing moments of one call, as two sources give them: where its number is said, where the
#: titles say the same word for word, where they differ by a typing error or are short.
_FAR, _CLOSE, _SAME = timedelta(days=45), timedelta(days=7), timedelta(days=1)
#: Titles of fewer words need the same closing moment.
_SHORT = 3


class Basis(StrEnum):
    """Why a tender is in its cluster."""

    OCID = "ocid"  #: another source publishes the same ocid
    NUMBER = "number"  #: the SEAO number, or the address of its page
    TITLE = "title"  #: buyer, closing moment and title
    APART = "apart"  #: staff separated it: never joined again


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A call as one source shows it, reduced to what tells it from another."""

    source: str
    ocid: str
    #: The number the public knows it by.
    number: str
    #: The buyer's file number, or "".
    reference: str
    title: str
    buyer: str
    closes_at: datetime | None
    #: What else is published of it: description, links.
    text: str = ""

    @property
    def official(self) -> str:
        """The SEAO number where SEAO is the source, else ""."""
        return self.number if self.ocid.lower().startswith(_SEAO) else ""

    @property
    def mentioned(self) -> frozenset[str]:
        """The numbers that stand near the word SEAO."""
        if self.official:
            return frozenset({self.official})
        whole = f"{self.title} {self.text}"
        places = [m.start() for m in re.finditer("seao", whole, re.IGNORECASE)]
        return frozenset(
            found[0]
            for found in (_NUMBER.finditer(whole) if places else ())
            if any(abs(found.start() - place) <= _NEAR for place in places)
        )

    @property
    def items(self) -> frozenset[str]:
        """The ids in addresses of SEAO's pages."""
        return frozenset(found.lower() for found in _ITEM.findall(self.text))


def same_call(one: Seen, other: Seen) -> Basis | None:
    """Why two notices are one call; None where they are not, or where it stays doubtful."""
    if one.source == other.source:
        return None
    if one.ocid.lower() == other.ocid.lower() and one.ocid.lower().startswith("ocds-"):
        return Basis.OCID
    said = _by_number(one, other)
    if said is not None:
        apart = _apart(one, other)
        return Basis.NUMBER if said and (apart is None or apart <= _FAR) else None
    return Basis.TITLE if _by_title(one, other) else None


def _by_number(one: Seen, other: Seen) -> bool | None:
    """What SEAO's number or page says; None where it says nothing."""
    if one.official and other.official:
        return one.official == other.official
    ours, theirs = one.mentioned, other.mentioned
    if one.items and other.items:
        shared, several = one.items & other.items, max(len(one.items), len(other.items)) > 1
        return _by_title(one, other) if shared and several else bool(shared)
    if ours & theirs:
        several = max(len(ours), len(theirs)) > 1
        return _by_title(one, other) if several else True
    # A day written in eight digits looks like a number.
    certain = [{n for n in numbers if not _DATE.fullmatch(n)} for numbers in (ours, theirs)]
    given = [n or {s.official} - {""} for n, s in zip(certain, (one, other), strict=True)]
    return False if all(given) else None


def _by_title(one: Seen, other: Seen) -> bool:
    """Whether buyer, closing moment and title are the same; each must be known."""
    apart = _apart(one, other)
    if apart is None or apart > _CLOSE or not titles.same_buyer(one.buyer, other.buyer):
        return False
    numbers = tuple(filter(None, (one.reference, other.reference, one.number, other.number)))
    named = titles.buyer_words(one.buyer, other.buyer)
    found = titles.alike(
        titles.title(one.title, without=numbers),
        titles.title(other.title, without=numbers),
        named=named,
    )
    if found is None or _references_differ(one.reference, other.reference):
        return False
    if found.shared < _SHORT:
        return found.mistyped == 0 and apart == timedelta(0)
    return not found.mistyped or (apart <= _SAME and found.mistyped <= found.shared // 3)


def _references_differ(one: str, other: str) -> bool:
    """Whether both give a file number, and not the same."""
    ours, theirs = ("".join(c for c in r.casefold() if c.isalnum()) for r in (one, other))
    return min(len(ours), len(theirs)) >= 5 and ours != theirs


def _apart(one: Seen, other: Seen) -> timedelta | None:
    if one.closes_at is None or other.closes_at is None:
        return None
    return abs(one.closes_at - other.closes_at)
