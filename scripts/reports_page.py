"""A report as one file: a page with its style and pictures within, and a workbook to sort.

Reports name people: the files are for who ran the command alone (mode 0600).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from base import french
from base.clock import QUEBEC, quebec_day
from base.text import fold
from base.workbook import Sheet, Value, xlsx_bytes
from scripts import told_words
from scripts.console import out, stop

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

#: What XML cannot hold.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

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
    return xlsx_bytes(
        Sheet(title[:31], headings, [[_plain(cell) for cell in row] for row in rows])
        for title, (headings, rows) in sheets.items()
    )


def _plain(value: str | float | date | datetime | None) -> Value:
    """A moment is a text of Québec's time that sorts, since Excel knows no zone."""
    if isinstance(value, datetime):
        return f"{value.astimezone(QUEBEC):%Y-%m-%d %H:%M:%S}"
    return _UNWRITABLE.sub("\ufffd", value) if isinstance(value, str) else value
