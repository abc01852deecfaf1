"""A report as one file: a page with its style and pictures within, and a workbook to sort.

Reports name people: the files are for who ran the command alone (mode 0600).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from base import french
from base.clock import QUEBEC, quebec_day
from base.text import fold
from scripts import told_words
from scripts.console import out, stop

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell

TEMPLATES = Path(__file__).parent.parent / "templates" / "reports"

Folder = Annotated[
    Path, typer.Option("--dans", metavar="DOSSIER", help="Où écrire les fichiers du rapport.")
]
Workbook = Annotated[bool, typer.Option("--classeur", help="Écrire aussi un classeur .xlsx.")]
Json = Annotated[bool, typer.Option("--json", help="Les chiffres, en un objet JSON.")]
FOLDER = Path("var/rapports")

#: What a spreadsheet takes for a formula when a cell begins so, wide forms too; and what hides it.
_COMPUTED = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BLANKS = ("\t", "\r", "\n", "\x00")

Cells = Sequence[str | int | float | date | datetime | None]


def page(name: str, words: Mapping[str, object], *, at: datetime) -> str:
    """The report's page; `name` is its template without ending."""
    return _environment().get_template(f"{name}.html").render(words, at=at)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        count=french.count,
        day=french.day,
        hour=french.hour,
        thousands=french.thousands,
        stamp=told_words.stamp,
        instant=told_words.instant,
        date=told_words.date,
        interval=told_words.interval,
        became=told_words.became,
    )
    return made


def days(start: datetime, end: datetime) -> tuple[date, date]:
    """The first and the last day, in Québec, of [start, end)."""
    return quebec_day(start), quebec_day(end - timedelta(microseconds=1))


def file_name(words: str) -> str:
    """Those words as a part of a file's name on any system: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", fold(words))[:60].strip("-") or "sans-nom"


def safe(cell: str) -> str:
    """A cell of a CSV that no spreadsheet computes (S-29)."""
    return f"'{cell}" if cell.lstrip().startswith(_COMPUTED) or cell[:1] in _BLANKS else cell


def keep(folder: Path, name: str, content: str | bytes) -> Path:
    """Write one file of a report; it ends the command where that cannot be done."""
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError:
        stop(f"{path} ne peut pas être écrit. Vérifier le dossier, vos droits et l’espace libre.")
    return path


def clear(folder: Path, pattern: str) -> None:
    """Take away the files of that pattern that an earlier command left."""
    try:
        for path in folder.glob(pattern):
            path.unlink()
    except OSError:
        stop(f"Le dossier {folder} ne peut pas être écrit. Vérifier vos droits.")


def say(*paths: Path) -> None:
    """Where the report is, on lines of their own."""
    for path in paths:
        out.print(str(path), soft_wrap=True)


def workbook(sheets: Mapping[str, tuple[Sequence[str], Sequence[Cells]]]) -> bytes:
    """An .xlsx of named sheets: headings, then rows. No cell is ever a formula."""
    import io  # noqa: PLC0415, with the next

    from openpyxl import Workbook as Book  # noqa: PLC0415, half a second that few commands need
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Book()
    book.remove(book.worksheets[0])
    for title, (headings, rows) in sheets.items():
        sheet = book.create_sheet(title[:31])
        for line, cells in enumerate([headings, *rows], start=1):
            for column, value in enumerate(cells, start=1):
                _write(sheet.cell(row=line, column=column), value)
        for column, heading in enumerate(headings, start=1):
            widest = max([len(heading), *(len(str(row[column - 1] or "")) for row in rows)])
            sheet.cell(row=1, column=column).font = Font(bold=True)
            sheet.column_dimensions[get_column_letter(column)].width = min(60, widest + 2)
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = sheet.dimensions
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _write(cell: Cell | MergedCell, value: str | float | date | datetime | None) -> None:
    """A text that begins with = stays a text; a moment is Québec's, since Excel knows no zone."""
    if isinstance(value, str):
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

        cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
        cell.data_type = "s"
        cell.quotePrefix = True
    elif isinstance(value, datetime):
        cell.value = value.astimezone(QUEBEC).replace(tzinfo=None)
        cell.number_format = "yyyy-mm-dd hh:mm"
    elif value is not None:
        cell.value = value
