"""One cell of a roster -> a value, or why it cannot be used (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from base.spreadsheet import Cell, Formula
from base.text import clean, fold
from base.workbook import bare
from subscriptions.addresses import normalised
from subscriptions.errors import AddressRefused
from subscriptions.roster_words import ACTIVE, BASES, FREQUENCIES, INACTIVE, NO_BASIS, Column
from subscriptions.sectors import Catalogue, Sector
from subscriptions.tables import Basis, Frequency

T = TypeVar("T")

LONGEST_NAME = 200
LONGEST_TELEPHONE = 50
LONGEST_EVIDENCE = 2000
#: Beyond these, a year is a slip of the keyboard.
YEARS = range(1900, 2200)
_APART = re.compile(r"[;|\r\n]+")


class Fault(StrEnum):
    """Why a cell is refused; an address has its own reasons (subscriptions.addresses.Fault)."""

    EMPTY = "empty"
    FORMULA = "formula"
    #: A NUL or a character that another program already lost.
    DAMAGED = "damaged"
    TOO_LONG = "too long"
    NO_WORD = "no word"
    UNKNOWN_STATUS = "unknown status"
    UNKNOWN_SECTOR = "unknown sector"
    UNKNOWN_FREQUENCY = "unknown frequency"
    UNKNOWN_BASIS = "unknown basis"
    #: Not AAAA-MM-JJ and no date of Excel: 05/11/2026 is two days.
    NO_DATE = "no date"
    DATES_REVERSED = "dates reversed"


class CellRefused(ValueError):
    """A cell cannot be used."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)


@dataclass(slots=True)
class Line:
    """The cells of one line, and what was found wrong while taking them."""

    number: int
    cells: dict[Column, Cell | None]
    faults: list[tuple[Column, CellRefused]] = field(default_factory=list)

    def take(self, column: Column, parse: Callable[[Cell], T], absent: T) -> T:
        """The value of a cell; `absent` without such a column, or with a fault, which is kept."""
        cell = self.cells.get(column)
        if cell is None:
            return absent
        try:
            return parse(cell)
        except CellRefused as fault:
            self.faults.append((column, fault))
            return absent


def text(cell: Cell, longest: int = LONGEST_EVIDENCE) -> str:
    """The text of a cell on one line, stored as it is: no formula is made of it here."""
    if isinstance(cell, Formula):
        raise CellRefused(Fault.FORMULA, cell.text)
    value = bare(clean(str(cell)).strip("\u00a0 "))
    if "\ufffd" in value:
        raise CellRefused(Fault.DAMAGED, value[:80])
    if len(value) > longest:
        raise CellRefused(Fault.TOO_LONG, str(longest))
    return value


def _due(cell: Cell, longest: int = LONGEST_NAME) -> str:
    value = text(cell, longest)
    if not value:
        raise CellRefused(Fault.EMPTY)
    return value


def enterprise(cell: Cell) -> str:
    """A name with at least one letter or digit, by which it is recognised."""
    value = _due(cell)
    if not fold(value):
        raise CellRefused(Fault.NO_WORD, value)
    return value


def name(cell: Cell) -> str | None:
    """A person's name; None where the cell is blank."""
    return text(cell, LONGEST_NAME) or None


def telephone(cell: Cell) -> str | None:
    """As written; None where the cell is blank."""
    return text(cell, LONGEST_TELEPHONE) or None


def evidence(cell: Cell) -> str:
    """Where the proof of a consent is."""
    return text(cell)


def status(cell: Cell) -> tuple[str, bool]:
    """The word as written, and whether it means an active member."""
    value = _due(cell)
    if fold(value) in ACTIVE:
        return value, True
    if fold(value) in INACTIVE:
        return value, False
    raise CellRefused(Fault.UNKNOWN_STATUS, value)


def day(cell: Cell) -> date | None:
    """A date of Excel or AAAA-MM-JJ; None where the cell is blank."""
    if isinstance(cell, date):
        found = cell.date() if isinstance(cell, datetime) else cell
    else:
        value = text(cell)
        if not value:
            return None
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            raise CellRefused(Fault.NO_DATE, value[:40])
        try:
            found = date.fromisoformat(value)
        except ValueError:
            raise CellRefused(Fault.NO_DATE, value) from None
    if found.year not in YEARS:
        raise CellRefused(Fault.NO_DATE, found.isoformat())
    return found


def last_day(starts_on: date | None) -> Callable[[Cell], date | None]:
    """The last day of a membership, which is not before its first."""

    def parse(cell: Cell) -> date | None:
        found = day(cell)
        if found and starts_on and found < starts_on:
            raise CellRefused(Fault.DATES_REVERSED, f"{starts_on} > {found}")
        return found

    return parse


def address(cell: Cell) -> str:
    """See subscriptions.addresses."""
    value = _due(cell)
    try:
        return normalised(value)
    except AddressRefused as error:
        raise CellRefused(error.reason, error.detail) from None


def names(cell: Cell) -> tuple[str, ...]:
    """Names apart by «;», «|» or a new line; blank: none, which means everywhere."""
    if isinstance(cell, Formula):
        raise CellRefused(Fault.FORMULA, cell.text)
    pieces = [text(piece, LONGEST_NAME) for piece in _APART.split(str(cell))]
    return _once(piece for piece in pieces if piece)


def sectors(catalogue: Catalogue) -> Callable[[Cell], tuple[str, ...]]:
    """Slugs, from slugs or labels; an unknown one is refused with the labels closest to it."""
    by_name = {fold(s.label): s.label for s in catalogue}
    by_name |= {fold(s.slug): s.label for s in catalogue}

    # The same wrong word stands on many lines of a list.
    @lru_cache(maxsize=1000)
    def closest(written: str) -> tuple[str, ...]:
        close = get_close_matches(fold(written), by_name, n=3, cutoff=0.5)
        return _once(by_name[one] for one in close)

    def parse(cell: Cell) -> tuple[str, ...]:
        written = names(cell)
        if not written:
            raise CellRefused(Fault.EMPTY)
        return _once(s.slug for piece in written for s in _found(piece, catalogue, closest))

    return parse


def _found(
    written: str, catalogue: Catalogue, closest: Callable[[str], tuple[str, ...]]
) -> list[Sector]:
    sector = catalogue.find(written)
    if sector:
        return [sector]
    # Labels have commas of their own, so a comma parts only what is known on both sides.
    parts = [catalogue.find(part) for part in written.split(",")]
    known = [part for part in parts if part]
    if len(known) == len(parts):
        return known
    raise CellRefused(Fault.UNKNOWN_SECTOR, " | ".join([written, *closest(written)]))


def frequency(cell: Cell) -> Frequency | None:
    """None where the cell is blank."""
    value = text(cell, LONGEST_NAME)
    if value and fold(value) not in FREQUENCIES:
        raise CellRefused(Fault.UNKNOWN_FREQUENCY, value)
    return FREQUENCIES.get(fold(value))


def basis(cell: Cell) -> Basis | None:
    """None where the cell is blank or says that there is none."""
    value = text(cell, LONGEST_NAME)
    if value and fold(value) not in BASES and fold(value) not in NO_BASIS:
        raise CellRefused(Fault.UNKNOWN_BASIS, value)
    return BASES.get(fold(value))


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
