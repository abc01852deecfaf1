"""Reserved invitations: what a municipality hands to the co-op, which no public source has. Pure.

They come as a spreadsheet of staff, or as one line of it that a command wrote. What they say is
for active members: a reading of them names no file and no call.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from base.spreadsheet import HEADER_WITHIN, Cell, Formula, Row, Sheet, SpreadsheetUnreadable, sheets
from base.text import fold
from sources import fields
from sources.errors import SourceMalformed
from sources.invitation_words import CANCELLED, CATEGORIES, COLUMNS, HEADINGS, REQUIRED, Column
from sources.reasons import Reason
from sources.release import Fault, PassedOver, Release, Status
from sources.stored import RESERVED

NAME = RESERVED
#: Parts names of documents in one cell: no safe name has it.
BETWEEN = "|"
_HOUR = re.compile(r"([01]?[0-9]|2[0-3])\s*(?:h|:)\s*([0-5][0-9])?(?::00)?")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T](.*))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    """One line, as words; see `written`."""

    buyer: str
    title: str
    #: «2026-12-04 11:00», Québec wall time.
    closes_at: str
    number: str = ""
    description: str = ""
    #: «biens», «services» or «travaux».
    category: str = ""
    link: str = ""
    #: Safe names: see sources.attachments.
    documents: Sequence[str] = ()
    cancelled: bool = False


def written(invitation: Invitation) -> bytes:
    """The document of one line that `read` reads."""
    cells = {
        Column.BUYER: invitation.buyer,
        Column.TITLE: invitation.title,
        Column.NUMBER: invitation.number,
        Column.DAY: invitation.closes_at,
        Column.DESCRIPTION: invitation.description,
        Column.CATEGORY: invitation.category,
        Column.LINK: invitation.link,
        Column.DOCUMENTS: BETWEEN.join(invitation.documents),
        Column.STATUS: "annulée" if invitation.cancelled else "",
    }
    text = io.StringIO(newline="")
    lines = csv.writer(text, delimiter=";")
    lines.writerow([HEADINGS[name][0] for name in cells])
    lines.writerow([" ".join(cell.split()) for cell in cells.values()])
    return text.getvalue().encode()


def read(document: bytes) -> Iterator[Release | Fault | PassedOver]:
    """Yield what each line of a spreadsheet (CSV or .xlsx) is; one that is wrong is a Fault.

    What is read later is later: there is no `release_id`. An invitation is known again by its
    buyer and number, without a number by its title. The position of a fault is its line's number.

    Raises:
        SourceMalformed: no spreadsheet, or without the columns that it must have.
    """
    try:
        found = list(sheets(document, _score))
    except SpreadsheetUnreadable as error:
        raise SourceMalformed(NAME, Reason.NOT_A_SPREADSHEET.of(error)) from None
    header, rows = _table(found)
    for row in rows:
        yield _release(row, header)


def identity(buyer: str, number: str, title: str) -> str:
    """The ocid: it tells nothing of the call to who sees it."""
    told = f"{fold(buyer)}|{fold(number) or fold(title)}"
    return f"reserve-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _table(found: Sequence[Sheet]) -> tuple[dict[Column, int], Sequence[Row]]:
    """The first sheet that has the columns, and the lines under them."""
    for sheet in found:
        for place, row in enumerate(sheet.rows[:HEADER_WITHIN]):
            names = [COLUMNS.get(fold(str(cell))) for cell in row.cells]
            header = {name: n for n, name in enumerate(names) if name is not None}
            if all(name in header for name in REQUIRED):
                return header, sheet.rows[place + 1 :]
    raise SourceMalformed(NAME, Reason.NOT_A_SPREADSHEET.of("no header"))


def _score(texts: Sequence[str]) -> int:
    return len({COLUMNS.get(fold(text)) for text in texts} - {None})


def _release(row: Row, header: dict[Column, int]) -> Release | Fault:
    def cell(name: Column) -> Cell:
        place = header.get(name)
        return row.cells[place] if place is not None and place < len(row.cells) else ""

    def text(name: Column, limit: int) -> str:
        found = cell(name)
        return "" if isinstance(found, Formula) else fields.text(str(found), limit)

    buyer = fields.name(text(Column.BUYER, 500), 500)
    title, number = text(Column.TITLE, 2000), text(Column.NUMBER, 100)
    closes_at = _closing(cell(Column.DAY), text(Column.HOUR, 20))
    if not title or not buyer or closes_at is None:
        reason = Reason.NO_DEADLINE if title and buyer else Reason.NO_BUYER
        return Fault(NAME, row.number, "", str(reason if title else Reason.NO_TITLE))
    ocid = identity(buyer, number, title)
    cancelled = fold(text(Column.STATUS, 50)) in CANCELLED
    return Release(
        source=NAME,
        ocid=ocid,
        release_id="",
        published_at=None,
        changed_at=None,
        status=Status.CANCELLED if cancelled else Status.ACTIVE,
        title=title,
        buyer=buyer,
        buyer_id="",
        municipal=True,
        locality="",
        postal_code="",
        reference=number,
        number=number or f"R-{ocid[-6:].upper()}",
        category=CATEGORIES.get(fold(text(Column.CATEGORY, 50))),
        procurement_method_details="",
        closes_at=closes_at,
        items=(),
        description=text(Column.DESCRIPTION, 20_000),
        documents=tuple(filter(None, text(Column.DOCUMENTS, 5000).split(BETWEEN))),
        uri=fields.link(text(Column.LINK, 2048)),
    )


def _closing(day: Cell, hour: str) -> datetime | None:
    """The moment of a day and an hour in one cell or in two; None without either."""
    match day:
        case datetime():
            return fields.moment(day.strftime("%Y-%m-%d %H:%M"))
        case date():
            written = day.isoformat()
        case Formula():
            return None
        case _:
            parts = _DAY.fullmatch(day.strip())
            if parts is None:
                return None
            written, hour = parts[1], parts[2] or hour
    clock = _HOUR.fullmatch(hour.replace("\u00a0", " ").strip())
    if clock is None:
        return None
    return fields.moment(f"{written} {int(clock[1]):02}:{clock[2] or '00'}")
