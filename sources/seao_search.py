"""SEAO's search, read daily: the open calls as soon as they are published, with descriptions.

Experimental: the API is not documented (sources.seao_search_shape). Where the weekly file
(sources.seao) has a notice too, the two share the address of its page, and that file is what
counts: see docs/decisions/0008-search-beside-weekly-file.md.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Raw

from base.text import clean
from sources import fields, prose, seao_names
from sources import seao_search_shape as shape
from sources.errors import SourceMalformed
from sources.reasons import Reason
from sources.release import Category, Fault, Item, PassedOver, Release, Status

NAME = seao_names.SEARCH
PAGE = "https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId="

_CATEGORIES = Path(__file__).with_name("directory") / "seao_categories.csv"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DETAIL = re.compile(rf"/avis/({_UUID.pattern})/consulter$")
#: SEAO's public numbers: 1527600 in older years, 20042093 since.
_NUMBER = re.compile(r"1[0-9]{6}|20[0-9]{6}")
#: statutAvisId; 7 is closed, 8 awarded.
_STATUSES = {6: Status.ACTIVE, 9: Status.CANCELLED}
_KINDS = {"G": Category.GOODS, "S": Category.SERVICES, "C": Category.WORKS}
#: A closing at midnight UTC, 19:00 or 20:00 in Québec, is a day whose hour was left out.
_DAY_ALONE = re.compile(r"T00:00(:00(\.0+)?)?Z?$")


def read(document: bytes) -> Iterator[Release | Fault | PassedOver]:
    """Yield each notice of a visit once, in the list's order, then what the list lacks.

    The document is what `seao_pages.collect` gives, or one answer of the list. The API says
    nothing of when a notice changed: releases have no order but that of their reading. Moments
    without zone are UTC, as their names say.

    Raises:
        SourceMalformed: no answer of the search (before the first value is yielded).
    """
    if not document.strip():
        raise SourceMalformed(NAME, Reason.EMPTY)
    if document.lstrip()[:1] == b"<":
        raise SourceMalformed(NAME, Reason.HTML)
    try:
        visit = shape.exchanges(document)
        pages = [shape.listing(one.answer) for one in visit.exchanges if not _uuid_of(one.url)]
    except RecursionError:
        raise SourceMalformed(NAME, Reason.TOO_DEEP) from None
    except ValueError as error:
        raise SourceMalformed(NAME, Reason.NOT_AN_ANSWER.of(error)) from None
    if not pages:
        raise SourceMalformed(NAME, Reason.NOT_AN_ANSWER.of("no list"))
    details = {uuid: one.answer for one in visit.exchanges if (uuid := _uuid_of(one.url))}
    yield from _notices([raw for notices, _ in pages for raw in notices], details)
    yield from _lacking(pages, visit.cut)


def uuid_of(raw: Raw) -> str:
    """A notice's uuid, "" where it has none."""
    try:
        written = clean(shape.notice(raw).uuid or "").lower()
    except (ValueError, RecursionError):
        return ""
    return written if _UUID.fullmatch(written) else ""


def _uuid_of(url: str) -> str:
    """The notice that an address asks the detail of, "" for one that asks for the list."""
    found = _DETAIL.search(urlsplit(url).path)
    return found[1] if found else ""


def _notices(notices: list[Raw], details: dict[str, Raw]) -> Iterator[Release | Fault | PassedOver]:
    """Each once: a list that grows while it is paged through shows some twice."""
    seen: set[str] = set()
    for position, raw in enumerate(notices):
        uuid = uuid_of(raw)
        if uuid in seen:
            continue
        seen |= {uuid} - {""}
        try:
            if uuid:
                yield _release(shape.notice(raw), uuid, details.get(uuid, shape.NULL))
            else:
                yield Fault(NAME, position, "", _why_none(raw))
        except (ValueError, RecursionError) as error:
            yield Fault(NAME, position, _ocid(uuid), Reason.WRONG_TYPE.of(error))


def _why_none(raw: Raw) -> str:
    try:
        shape.notice(raw)
    except (ValueError, RecursionError) as error:
        return Reason.WRONG_TYPE.of(error)
    return Reason.NO_REFERENCE.of("uuid")


def _lacking(pages: list[tuple[list[Raw], int | None]], cut: str) -> Iterator[Fault]:
    """A fault where fewer notices came than the list announced, or its end was not reached."""
    listed = {uuid_of(raw) or bytes(raw) for notices, _ in pages for raw in notices}
    announced = min((total for _, total in pages if total is not None), default=0)
    if len(listed) < announced or cut:
        found = f"{len(listed)}/{announced or '?'} {cut}".strip()
        yield Fault(NAME, len(listed), "", Reason.NOT_ALL.of(found))


def _ocid(uuid: str) -> str:
    return f"seao-avis-{uuid}"


def _release(notice: shape.Notice, uuid: str, detail: Raw) -> Release | PassedOver:
    status = _STATUSES.get(notice.status) if isinstance(notice.status, int) else None
    if status is None:
        return PassedOver(NAME, _ocid(uuid))
    published_at = _moment(notice.published)
    number = str(notice.id)
    page = f"{PAGE}{uuid}"
    items = tuple(_items(notice.category))
    return Release(
        source=NAME,
        ocid=_ocid(uuid),
        release_id="",
        published_at=published_at,
        changed_at=None,
        status=status,
        title=fields.text(notice.title, 2000),
        buyer=fields.name(notice.buyer, 500),
        buyer_id=fields.text(notice.buyer_id, 64),
        municipal=None,
        locality="",
        postal_code="",
        reference=fields.text(notice.number, 255),
        number=number if _NUMBER.fullmatch(number) else "",
        category=_KINDS.get(items[0].code[5]) if items else None,
        procurement_method_details="",
        closes_at=_closing(notice.closing, after=published_at),
        items=items,
        description=prose.text(shape.description(detail)),
        documents=(page,),
        uri=page,
    )


def _moment(written: object, *, after: datetime | None = None) -> datetime | None:
    """A moment in UTC, whether its Z is written or not."""
    if not isinstance(written, str):
        return None
    zoned = re.search(r"(Z|[+-][0-9]{2}:[0-9]{2})$", written.strip())
    return fields.moment(written.strip() if zoned else f"{written.strip()}Z", after=after)


def _closing(written: object, *, after: datetime | None) -> datetime | None:
    """The closing moment; None for a day without hour, which the weekly file will tell."""
    if isinstance(written, str) and _DAY_ALONE.search(written.strip()):
        return None
    return _moment(written, after=after)


def _items(category: object) -> Iterator[Item]:
    found = _categories().get(str(category))
    if found:
        yield Item(code=f"SEAO:{found[0]}", label=found[1])


@lru_cache(maxsize=1)
def _categories() -> dict[str, tuple[str, str]]:
    """SEAO's code and label by the search's number."""
    with _CATEGORIES.open(encoding="utf-8", newline="") as file:
        return {row["category_id"]: (row["code"], row["label"]) for row in csv.DictReader(file)}
