"""The bytes of a CSV or .xlsx file -> sheets of rows. Names and extensions are not believed.

Limits of requirement S-30; formulas are never computed, macros never run.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

LARGEST = 5 * 1024 * 1024
MOST_LINES = 65_536
#: What an .xlsx of 5 MB may hold once unpacked.
LARGEST_UNPACKED = 100 * 1024 * 1024
MOST_PARTS = 500
#: A header is looked for in that many lines: a title or two often stands above it.
HEADER_WITHIN = 20
SEPARATORS = ";,\t"


class Unreadable(StrEnum):
    """Why a whole file is refused."""

    EMPTY = "empty"
    TOO_LARGE = "too large"
    TOO_MANY_LINES = "too many lines"
    PDF = "pdf"
    #: .xls, .doc, or an .xlsx with a password: all are OLE files.
    OLD_OFFICE = "old office"
    IMAGE = "image"
    NOT_XLSX = "not xlsx"
    DAMAGED_XLSX = "damaged xlsx"
    NOT_TEXT = "not text"
    QUOTES = "quotes"
    NO_HEADER = "no header"
    MISSING_COLUMNS = "missing columns"
    COLUMN_TWICE = "column twice"
    NO_LINES = "no lines"


class SpreadsheetUnreadable(ValueError):
    """The file cannot be read; `reason` is an Unreadable, `detail` what was found and where."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell to be computed, or whose computing failed (#REF!): never a value for us."""

    text: str


#: A date with an hour is a datetime, without zone: Excel knows none.
Cell = str | date | Formula


@dataclass(frozen=True, slots=True)
class Row:
    """A line with something in it."""

    #: As a person sees it: the first is 1; a record over several lines has its first.
    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A visible sheet, or the whole of a CSV file (named "")."""

    name: str
    rows: tuple[Row, ...]


_MAGIC = {
    b"%PDF": Unreadable.PDF,
    b"\xd0\xcf\x11\xe0": Unreadable.OLD_OFFICE,
    b"\x89PNG": Unreadable.IMAGE,
    b"\xff\xd8\xff": Unreadable.IMAGE,
    b"GIF8": Unreadable.IMAGE,
}


def sheets(document: bytes, score: Callable[[Sequence[str]], int]) -> Iterator[Sheet]:
    """The sheets of a file, in order; hidden ones are passed over.

    `score` says how many headings it knows in a line: the separator is the one that makes most.

    Raises:
        SpreadsheetUnreadable: with an Unreadable.
    """
    if len(document) > LARGEST:
        raise SpreadsheetUnreadable(Unreadable.TOO_LARGE, str(len(document)))
    for magic, reason in _MAGIC.items():
        if document.startswith(magic):
            raise SpreadsheetUnreadable(reason)
    if document.startswith(b"PK"):
        yield from _xlsx(document)
    else:
        text = _decoded(document)
        if not text.strip("\ufeff\r\n\t ;,"):
            raise SpreadsheetUnreadable(Unreadable.EMPTY)
        yield Sheet("", tuple(_csv_rows(text, _separator(text, score))))


def _decoded(document: bytes) -> str:
    """UTF-8 (with or without BOM), UTF-16 with BOM, else Windows-1252, as Excel saves it."""
    if document.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            # A NUL is kept visible, so that its line is refused and not the file.
            return document.decode(encoding).replace("\x00", "\ufffd")
        except UnicodeDecodeError:
            continue
    raise SpreadsheetUnreadable(Unreadable.NOT_TEXT)


def _separator(text: str, score: Callable[[Sequence[str]], int]) -> str:
    lines = [line for _, line in zip(range(HEADER_WITHIN), io.StringIO(text), strict=False)]

    def best(separator: str) -> int:
        return max(score([c.strip('" \r\n') for c in line.split(separator)]) for line in lines)

    return max(SEPARATORS, key=best)


def _csv_rows(text: str, separator: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise SpreadsheetUnreadable(Unreadable.QUOTES, str(number)) from error
        if record is None:
            return
        if reader.line_num > MOST_LINES and any(record):
            raise SpreadsheetUnreadable(Unreadable.TOO_MANY_LINES, str(MOST_LINES))
        if any(cell.strip() for cell in record):
            yield Row(number, tuple(record))


def _xlsx(document: bytes) -> Iterator[Sheet]:
    from openpyxl import load_workbook  # noqa: PLC0415, half a second that few commands need

    _check_parts(document)
    with warnings.catch_warnings():
        # openpyxl warns of styles and validations that it drops; we read values only.
        warnings.simplefilter("ignore")
        try:
            workbook = load_workbook(io.BytesIO(document), read_only=True, keep_links=False)
            for sheet in workbook.worksheets:
                if sheet.sheet_state == "visible":
                    yield Sheet(sheet.title, tuple(_sheet_rows(sheet.iter_rows())))
        except SpreadsheetUnreadable:
            raise
        # openpyxl lets out whatever its parsers meet: there is no narrower family.
        except Exception as error:
            raise SpreadsheetUnreadable(Unreadable.DAMAGED_XLSX, type(error).__name__) from error


def _check_parts(document: bytes) -> None:
    """Refuse what is no .xlsx, unpacks without end, or declares entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(document)) as archive:
            parts = archive.infolist()
            if not any(p.filename == "xl/workbook.xml" for p in parts):
                raise SpreadsheetUnreadable(Unreadable.NOT_XLSX)
            unpacked = sum(p.file_size for p in parts)
            if len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED:
                raise SpreadsheetUnreadable(Unreadable.TOO_LARGE, str(unpacked))
            for part in parts:
                with archive.open(part) as content:
                    if re.search(rb"<!(DOCTYPE|ENTITY)", content.read(4096)):
                        raise SpreadsheetUnreadable(Unreadable.DAMAGED_XLSX, part.filename)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise SpreadsheetUnreadable(Unreadable.DAMAGED_XLSX, type(error).__name__) from error


def _sheet_rows(rows: Iterator[Sequence[Any]]) -> Iterator[Row]:
    for number, cells in enumerate(rows, start=1):
        values = tuple(_cell(c.value, c.data_type) for c in cells)
        if not any(values):
            continue
        if number > MOST_LINES:
            raise SpreadsheetUnreadable(Unreadable.TOO_MANY_LINES, str(MOST_LINES))
        yield Row(number, values)


def _cell(value: object, data_type: str) -> Cell:
    if data_type in {"f", "e"}:
        return Formula(str(value)[:80])
    match value:
        case None:
            return ""
        case datetime():
            return value if value.time() != time.min else value.date()
        case date():
            return value
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
