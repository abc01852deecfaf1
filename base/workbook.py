"""Rows -> a CSV or .xlsx file that a spreadsheet opens, and computes nothing of.

What others typed may begin with a sign of a formula (OWASP, «CSV Injection»). In a CSV such a
cell gets an apostrophe, which `bare` takes away again; in a workbook it is stored as a text.
"""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

# openpyxl takes half a second to load, and numpy with it where that is installed: whoever only
# reads a roster's words does not wait for it.
if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

Value = str | date | int | float | None

#: Full-width signs are computed too by some programs.
_COMPUTED = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
DAY_FORMAT = "yyyy-mm-dd"
#: A column is at most that wide, in characters.
_WIDEST = 60


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet to be written."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Value]]


def safe(text: str) -> str:
    """The text as a CSV may hold it."""
    return f"'{text}" if _COMPUTED.match(text) else text


def bare(text: str) -> str:
    """The text that `safe` was given."""
    return text[1:] if _ESCAPED.match(text) else text


def csv_bytes(sheet: Sheet) -> bytes:
    """UTF-8 with BOM, semicolons, CRLF: Excel in Québec opens it with a double click."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerow(sheet.headings)
    writer.writerows([_text(value) for value in row] for row in sheet.rows)
    return stream.getvalue().encode("utf-8-sig")


def xlsx_bytes(sheets: Iterable[Sheet]) -> bytes:
    """A workbook with these sheets, their headings in bold and always in sight."""
    from openpyxl import Workbook  # noqa: PLC0415, see above

    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for sheet in sheets:
        fill(workbook.create_sheet(sheet.title), sheet)
    return saved(workbook)


def fill(page: Worksheet, sheet: Sheet) -> None:
    """Write headings and rows into an empty page."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415, see above

    for column, heading in enumerate(sheet.headings, start=1):
        head(page.cell(1, column), heading)
    for line, row in enumerate(sheet.rows, start=2):
        for column, value in enumerate(row, start=1):
            put(page.cell(line, column), value)
    for column, heading in enumerate(sheet.headings):
        longest = max((len(_text(row[column])) for row in sheet.rows), default=0)
        width = min(max(longest, len(heading), 8) + 2, _WIDEST)
        page.column_dimensions[get_column_letter(column + 1)].width = width
    page.freeze_panes = "A2"


def head(cell: Cell | MergedCell, heading: str) -> None:
    """A heading: bold on grey."""
    from openpyxl.styles import Alignment, Font, PatternFill  # noqa: PLC0415, see above

    put(cell, heading)
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", start_color="DDDDDD")
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def put(cell: Cell | MergedCell, value: Value) -> None:
    """A value, never a formula, also after somebody edits the cell."""
    if value is None or value == "":
        return
    # A workbook needs no apostrophe, but one that is there must survive `bare`.
    cell.value = safe(value) if isinstance(value, str) and _ESCAPED.match(value) else value
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = bool(_COMPUTED.match(value))
    elif isinstance(value, date):
        cell.number_format = DAY_FORMAT


def saved(workbook: Workbook) -> bytes:
    """The bytes of the .xlsx file."""
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def write(path: Path, content: bytes) -> None:
    """Put the file there whole, or not at all; for the one who writes it only (it holds names).

    Raises:
        OSError: it cannot be written; a file that was there stays as it was.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case date():
            return value.isoformat()
        case str():
            return safe(value)
        case _:
            return str(value)
