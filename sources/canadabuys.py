"""CanadaBuys' tender notices: the federal government's calls, as a CSV file of 67 columns.

Open data of Public Services and Procurement Canada, Open Government Licence - Canada. Columns are
found by name, since their order differs between copies.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from sources import canadabuys_regions as regions
from sources import fields, prose
from sources.errors import SourceMalformed
from sources.reasons import Reason
from sources.release import Category, Fault, Item, Level, PassedOver, Release, Status

NAME = "canadabuys"
#: Bytes and rows of a file; that of a whole fiscal year has some 20,000 rows.
LARGEST = 128 * 1024 * 1024
MOST_ROWS = 100_000

_TITLE = "title-titre"
_REFERENCE = "referenceNumber-numeroReference"
_AMENDMENT = "amendmentNumber-numeroModification"
_FILE_NUMBER = "solicitationNumber-numeroSollicitation"
_PUBLISHED = "publicationDate-datePublication"
_CLOSING = "tenderClosingDate-appelOffresDateCloture"
_AMENDED = "amendmentDate-dateModification"
_STATUS = "tenderStatus-appelOffresStatut"
_CATEGORY = "procurementCategory-categorieApprovisionnement"
_NOTICE = "noticeType-avisType"
_DELIVERY = "regionsOfDelivery-regionsLivraison"
_OPPORTUNITY = "regionsOfOpportunity-regionAppelOffres"
_BUYER = "contractingEntityName-nomEntitContractante"
_PROVINCE = "contractingEntityAddressProvince-entiteContractanteAdresseProvince"
_POSTAL_CODE = "contractingEntityAddressPostalCode-entiteContractanteAdresseCodePostal"
_URL = "noticeURL-URLavis"
_ATTACHMENTS = "attachment-piecesJointes"
_DESCRIPTION = "tenderDescription-descriptionAppelOffres"
#: Without these a file is not CanadaBuys', or its shape has changed.
_REQUIRED = frozenset({_REFERENCE, _CLOSING, f"{_TITLE}-fra", f"{_STATUS}-eng", f"{_DELIVERY}-fra"})

_CATEGORIES = {
    "GD": Category.GOODS,
    "SRV": Category.SERVICES,
    "SRVTGD": Category.SERVICES,
    "CNST": Category.WORKS,
}
_STATUSES = {
    "open": Status.ACTIVE,
    "ouvert": Status.ACTIVE,
    "active": Status.ACTIVE,
    "actif": Status.ACTIVE,
    "cancelled": Status.CANCELLED,
    "canceled": Status.CANCELLED,
    "annule": Status.CANCELLED,
    "annulé": Status.CANCELLED,
}
_PAGE = "https://canadabuys.canada.ca/fr/occasions-de-marche/appels-d-offres/"
_PLAIN_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,99}")
_ATTACHMENT_ENDS = re.compile(r"[\r\n]+|,\s*(?=https?:)")
_MOST = 200

Row = Mapping[str, str]


def read(document: bytes) -> Iterator[Release | Fault | PassedOver]:
    """Yield what each row is, in the file's order.

    A call that is not delivered in Québec or everywhere, and one that ended, is passed over. The
    French columns are read, the English ones where they are empty. Times have no zone there, and
    none is stated: they are taken as Québec's.

    Raises:
        SourceMalformed: no such table, not UTF-8, cut short within a cell, too large (all but the
            first two after what could be read was yielded).
    """
    rows = csv.reader(io.StringIO(_text(document), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if not set(header) >= _REQUIRED or len(set(header)) < len(header):
            missing = ", ".join(sorted(_REQUIRED - set(header))) or "a column twice"
            raise SourceMalformed(NAME, Reason.NOT_A_TABLE.of(missing))
        for position, cells in enumerate(rows):
            if position >= MOST_ROWS:
                raise SourceMalformed(NAME, Reason.TOO_LARGE.of(f"> {MOST_ROWS} rows"))
            if any(cell.strip() for cell in cells):
                yield _read_row(position, header, cells)
    except csv.Error as error:
        raise SourceMalformed(NAME, _refusal(error).of(error)) from None


def _refusal(error: csv.Error) -> Reason:
    match str(error):
        case "unexpected end of data":
            return Reason.CUT_SHORT
        case written if written.startswith("field larger"):
            return Reason.TOO_LARGE
        case _:
            return Reason.NOT_A_TABLE


def _text(document: bytes) -> str:
    if len(document) > LARGEST:
        raise SourceMalformed(NAME, Reason.TOO_LARGE.of(f"{len(document)} > {LARGEST}"))
    document = document.removeprefix(codecs.BOM_UTF8)
    start = document.lstrip()[:1]
    if not start:
        raise SourceMalformed(NAME, Reason.EMPTY)
    if start == b"<":
        raise SourceMalformed(NAME, Reason.HTML)
    try:
        return document.decode()
    except UnicodeDecodeError as error:
        raise SourceMalformed(NAME, Reason.NOT_UTF8.of(error.reason)) from None


def _read_row(position: int, header: list[str], cells: list[str]) -> Release | Fault | PassedOver:
    row = dict(zip(header, cells, strict=False))
    reference = fields.text(row.get(_REFERENCE), 200)
    ocid = f"canadabuys-{reference}" if reference else ""
    if len(cells) != len(header):
        return Fault(NAME, position, ocid, Reason.WRONG_CELLS.of(f"{len(cells)}/{len(header)}"))
    if not reference:
        return Fault(NAME, position, "", Reason.NO_REFERENCE)
    status = _status(row)
    if status is None or not _is_for_quebec(row):
        return PassedOver(NAME, ocid)
    return _release(row, ocid, reference, status)


def _release(row: Row, ocid: str, reference: str, status: Status) -> Release:
    published_at = _day(row.get(_PUBLISHED))
    changed_at = _day(row.get(_AMENDED)) or published_at
    delivered = _several(row, _DELIVERY)
    return Release(
        source=NAME,
        ocid=ocid,
        release_id=_release_id(row, changed_at, status),
        published_at=published_at,
        changed_at=changed_at,
        status=status,
        title=prose.text(_either(row, _TITLE), 2000),
        buyer=fields.name(_either(row, _BUYER), 500),
        buyer_id="",
        municipal=False,
        # The buyer's seat is not where the work is: Ottawa buys for Longueuil.
        locality=regions.town(delivered),
        postal_code="",
        reference=fields.text(row.get(_FILE_NUMBER), 255),
        number=reference,
        category=next(
            (_CATEGORIES[c] for c in _stars(row.get(_CATEGORY, "")) if c in _CATEGORIES), None
        ),
        procurement_method_details=fields.text(_either(row, _NOTICE), 255),
        closes_at=_moment(row.get(_CLOSING), after=published_at),
        items=tuple(_items(row)),
        description=prose.text(_either(row, _DESCRIPTION)),
        documents=tuple(_documents(row)),
        uri=_page(row, reference),
        delivery_regions=delivered,
        level=Level.FEDERAL,
    )


def _status(row: Row) -> Status | None:
    """What the call is, None for one that is expired or awarded; one without status is open."""
    written = " ".join(_stars(row.get(f"{_STATUS}-eng", ""))) or row.get(f"{_STATUS}-fra", "")
    key = fields.text(written, 50).casefold()
    return _STATUSES.get(key) if key else Status.ACTIVE


def _is_for_quebec(row: Row) -> bool:
    return regions.reaches_quebec(
        _several(row, _DELIVERY),
        _several(row, _OPPORTUNITY),
        _either(row, _PROVINCE),
        row.get(_POSTAL_CODE, ""),
    )


def _release_id(row: Row, changed_at: datetime | None, status: Status) -> str:
    """«000001-2024-12-10-0»: the amendment, its day, and 1 for a cancellation, which comes last."""
    digits = re.sub(r"\D", "", row.get(_AMENDMENT, ""))[:6]
    day = changed_at.strftime("%Y-%m-%d") if changed_at else ""
    return f"{digits:0>6}-{day}-{int(status is Status.CANCELLED)}"


def _items(row: Row) -> Iterator[Item]:
    """The UNSPSC codes with their labels, which stand in the same order in another cell."""
    codes = _stars(row.get("unspsc", ""))
    labels = _several(row, "unspscDescription")
    if len(labels) != len(codes):
        labels = ("",) * len(codes)
    for code, label in dict(zip(codes[:_MOST], labels[:_MOST], strict=True)).items():
        if code.isascii() and code.isdigit() and len(code) <= 8:
            yield Item(code=f"UNSPSC:{code:0>8}", label=fields.text(label, 500))


def _documents(row: Row) -> Iterator[str]:
    """The attachments' addresses, one a line or parted by commas."""
    for one in _ATTACHMENT_ENDS.split(_either(row, _ATTACHMENTS))[:_MOST]:
        if address := fields.link(one.strip(" *")):
            yield address


def _page(row: Row, reference: str) -> str:
    """The notice's page; its address is often missing, and made of the reference then."""
    written = fields.link(_either(row, _URL).strip())
    return written or (f"{_PAGE}{reference}" if _PLAIN_REFERENCE.fullmatch(reference) else "")


def _either(row: Row, column: str) -> str:
    """The French cell, or the English one where that is empty."""
    return row.get(f"{column}-fra", "").strip() or row.get(f"{column}-eng", "")


def _several(row: Row, column: str) -> tuple[str, ...]:
    return _stars(_either(row, column))[:_MOST]


def _stars(cell: str) -> tuple[str, ...]:
    r"""The values of «*a\n*b», each once and clean; without stars, the one value."""
    values = (fields.text(one, 2048).removeprefix("*").strip(" ") for one in re.split(r"\n", cell))
    return tuple(dict.fromkeys(filter(None, values)))


def _day(written: str | None) -> datetime | None:
    """The beginning of a day in Québec, or the moment where a time is given."""
    day = (written or "").strip()
    return fields.moment(f"{day}T00:00:00" if len(day) == 10 else day)


def _moment(written: str | None, *, after: datetime | None) -> datetime | None:
    return fields.moment((written or "").strip(), after=after)
