"""A roster, the list of members that staff keep in a spreadsheet -> its entries (pure).

A line that cannot be used is a RefusedLine, so that it does not hide the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from base import spreadsheet
from base.progress import Progress, untold
from base.spreadsheet import (
    HEADER_WITHIN,
    Cell,
    Row,
    Sheet,
    SpreadsheetUnreadable,
    Unreadable,
)
from base.text import fold
from subscriptions import cells
from subscriptions.cells import CellRefused
from subscriptions.errors import RosterUnreadable
from subscriptions.members import name_key
from subscriptions.roster_words import REQUIRED, Column, column, one_more_sector
from subscriptions.sectors import Catalogue
from subscriptions.stretches import Declared
from subscriptions.tables import Basis, Frequency

#: Lines between two signs of progress.
_STRIDE = 100


class Reason(StrEnum):
    """Why a line is refused as a whole; why a cell is refused is a subscriptions.cells.Fault."""

    HEADER_AGAIN = "header again"
    #: The enterprise has another standing or other dates on an earlier line.
    TWO_STANDINGS = "two standings"
    ADDRESS_TWICE = "address twice"
    #: One address for two enterprises.
    TWO_ENTERPRISES = "two enterprises"
    #: The contact of that address was merged with another one.
    MERGED = "merged"


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedLine:
    """Nothing of this line is taken."""

    line: int
    #: None where the line as a whole is refused.
    column: Column | None
    #: A Reason, or a subscriptions.cells.Fault.
    reason: str
    #: What was found, or what is close to it.
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One contact of one enterprise. None: the roster does not say, what is known stays."""

    line: int
    enterprise: str
    telephone: str | None
    #: As written: "Démissionnaire".
    status: str
    membership: Declared
    contact: str | None
    address: str
    sectors: tuple[str, ...]
    frequency: Frequency | None
    territory: tuple[str, ...] | None
    basis: Basis | None
    evidence: str
    consented_on: date | None

    @property
    def key(self) -> str:
        """The enterprise's name folded: how it is recognised."""
        return name_key(self.enterprise)


@dataclass(frozen=True, slots=True)
class Roster:
    """A file as it was understood."""

    entries: tuple[Entry, ...]
    refused: tuple[RefusedLine, ...]
    #: Headings that mean nothing to us; their columns were passed over.
    unknown_headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Header:
    places: dict[Column, int]
    unknown: tuple[str, ...]
    #: More columns of sectors.
    sectors: tuple[int, ...] = ()

    def cell(self, row: Row, name: Column) -> Cell | None:
        """None where the file has no such column; "" where the line is shorter."""
        place = self.places.get(name)
        if place is None:
            return None
        found = _at(row, place)
        return self._joined(row, found) if name is Column.SECTORS and self.sectors else found

    def _joined(self, row: Row, first: Cell) -> Cell:
        """All the sectors of a line, as one cell; a formula where one of them is."""
        every = [first, *(_at(row, place) for place in self.sectors)]
        wrong = next((one for one in every if isinstance(one, spreadsheet.Formula)), None)
        return wrong or "|".join(str(one) for one in every)


def _at(row: Row, place: int) -> Cell:
    return row.cells[place] if place < len(row.cells) else ""


def read(document: bytes, catalogue: Catalogue, progress: Progress = untold) -> Roster:
    """Read a roster from the bytes of a CSV or .xlsx file.

    Raises:
        RosterUnreadable: the file is of another type, has no header, or nothing under it.
    """
    header, rows = _table(document)
    if not rows:
        raise RosterUnreadable(Unreadable.NO_LINES)
    sectors = cells.sectors(catalogue)
    entries: list[Entry] = []
    refused: list[RefusedLine] = []
    for place, row in enumerate(rows):
        if place % _STRIDE == 0:
            progress(place, len(rows))
        entry, faults = _entry(row, header, sectors)
        refused += faults
        if entry is not None:
            entries.append(entry)
    kept, clashing = _apart(entries)
    ordered = sorted([*refused, *clashing], key=lambda r: r.line)
    return Roster(tuple(kept), tuple(ordered), header.unknown)


def _table(document: bytes) -> tuple[_Header, Sequence[Row]]:
    """The first sheet with a header, and the lines under it."""
    lacking: tuple[Column, ...] = ()
    for sheet in _sheets(document):
        place = _header_place(sheet)
        if place is None:
            continue
        header = _header(sheet.rows[place])
        lacking = tuple(c for c in REQUIRED if c not in header.places)
        if not lacking:
            return header, sheet.rows[place + 1 :]
    if lacking:
        raise RosterUnreadable(Unreadable.MISSING_COLUMNS, ", ".join(lacking))
    raise RosterUnreadable(Unreadable.NO_HEADER)


def _sheets(document: bytes) -> Iterator[Sheet]:
    try:
        yield from spreadsheet.sheets(document, _score)
    except SpreadsheetUnreadable as error:
        raise RosterUnreadable(error.reason, error.detail) from error


def _score(texts: Sequence[str]) -> int:
    return len({column(fold(t)) for t in texts} - {None})


def _header_place(sheet: Sheet) -> int | None:
    """Where most headings are; a line with fewer than two is no header."""
    scores = [_score([str(c) for c in row.cells]) for row in sheet.rows[:HEADER_WITHIN]]
    best = max(scores, default=0)
    return scores.index(best) if best >= 2 else None


def _header(row: Row) -> _Header:
    places: dict[Column, int] = {}
    unknown: list[str] = []
    sectors: list[int] = []
    for place, cell in enumerate(row.cells):
        heading = cells.text(cell) if not isinstance(cell, spreadsheet.Formula) else ""
        name = column(fold(heading))
        if name in places and one_more_sector(fold(heading)):
            sectors.append(place)
        elif name in places:
            raise RosterUnreadable(Unreadable.COLUMN_TWICE, f"{heading} ({row.number})")
        elif name is not None:
            places[name] = place
        elif heading:
            unknown.append(heading)
    return _Header(places, tuple(unknown), tuple(sectors))


def _entry(
    row: Row, header: _Header, sectors: Callable[[Cell], tuple[str, ...]]
) -> tuple[Entry | None, list[RefusedLine]]:
    """The entry of a line, or all that is wrong with it."""
    if _is_header(row, header):
        again = RefusedLine(line=row.number, column=None, reason=Reason.HEADER_AGAIN)
        return None, [again]
    taken = cells.Line(row.number, {name: header.cell(row, name) for name in header.places})
    status = taken.take(Column.STATUS, cells.status, ("", False))
    starts_on = taken.take(Column.STARTS, cells.day, None)
    ends_on = taken.take(Column.ENDS, cells.last_day(starts_on), None)
    entry = Entry(
        line=row.number,
        enterprise=taken.take(Column.ENTERPRISE, cells.enterprise, ""),
        telephone=taken.take(Column.TELEPHONE, cells.telephone, None),
        status=status[0],
        membership=Declared(status[1], starts_on, ends_on),
        contact=taken.take(Column.CONTACT, cells.name, None),
        address=taken.take(Column.ADDRESS, cells.address, ""),
        sectors=taken.take(Column.SECTORS, sectors, ()),
        frequency=taken.take(Column.FREQUENCY, cells.frequency, None),
        territory=taken.take(Column.TERRITORY, cells.names, None),
        basis=taken.take(Column.BASIS, cells.basis, None),
        evidence=taken.take(Column.EVIDENCE, cells.evidence, ""),
        consented_on=taken.take(Column.CONSENTED, cells.day, None),
    )
    faults = [_refused(row.number, fault) for fault in taken.faults]
    return (None if faults else entry), faults


def _is_header(row: Row, header: _Header) -> bool:
    """Whether the headings are repeated; no address is one."""
    address = header.cell(row, Column.ADDRESS)
    if isinstance(address, str) and "@" in address:
        return False
    return _score([str(c) for c in row.cells]) >= len(REQUIRED)


def _refused(line: int, fault: tuple[Column, CellRefused]) -> RefusedLine:
    name, refusal = fault
    return RefusedLine(line=line, column=name, reason=refusal.reason, detail=refusal.detail)


def _apart(entries: Sequence[Entry]) -> tuple[list[Entry], list[RefusedLine]]:
    """The entries that do not contradict an earlier line, and those that do."""
    kept: list[Entry] = []
    refused: list[RefusedLine] = []
    of_address: dict[str, Entry] = {}
    of_enterprise: dict[str, Entry] = {}
    for entry in entries:
        same_address = of_address.get(entry.address)
        first = of_enterprise.get(entry.key, entry)
        if same_address is not None:
            refused.append(_twice(entry, same_address))
        elif entry.membership != first.membership:
            refused.append(clash(entry, Reason.TWO_STANDINGS, Column.STATUS, str(first.line)))
        else:
            of_address[entry.address] = entry
            of_enterprise[entry.key] = first
            kept.append(entry)
    return kept, refused


def _twice(entry: Entry, earlier: Entry) -> RefusedLine:
    if entry.key == earlier.key:
        return clash(entry, Reason.ADDRESS_TWICE, Column.ADDRESS, str(earlier.line))
    return two_enterprises(entry, earlier.enterprise)


def two_enterprises(entry: Entry, holder: str) -> RefusedLine:
    """The refusal of a line whose address is already `holder`'s."""
    names = f"{holder} | {entry.enterprise}"
    return clash(entry, Reason.TWO_ENTERPRISES, Column.ADDRESS, names)


def clash(entry: Entry, reason: Reason, name: Column, detail: str) -> RefusedLine:
    """The refusal of a line that agrees with itself, but not with another or what is known."""
    return RefusedLine(line=entry.line, column=name, reason=reason, detail=detail)
