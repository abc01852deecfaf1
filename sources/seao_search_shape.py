"""The shape of SEAO's search API, as public clients of it read it: the fields that are read.

It is not documented. An answer is `{"apiData": {"results": […], "total": n}}`, or in some years
`listeAvis` for `results`; a detail is `{"apiData": {"avisResumeDescription": {…}}}`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct, field

NULL = Raw(b"null")


class Exchange(Struct):
    """One question and its answer, with what the next question of it is to be sent with."""

    url: str
    answer: Raw
    etag: str = ""
    last_modified: str = ""


class Exchanges(Struct):
    """A whole visit: the pages of the list, then the details."""

    exchanges: list[Exchange]
    #: Why the list could not be read to its end, "" where it was.
    cut: str = ""


class _Listing(Struct):
    results: list[Raw] | None = None
    notices: list[Raw] | None = field(name="listeAvis", default=None)
    total: Any = None


class _Answer(Struct):
    data: Raw = field(name="apiData", default=NULL)


class Notice(Struct):
    id: Any = None
    uuid: str | None = None
    #: The buyer's file number.
    number: str | int | None = field(name="numero", default=None)
    title: str | int | float | None = field(name="titre", default=None)
    buyer: str | None = field(name="nomDonneurOuvrage", default=None)
    buyer_id: str | int | None = field(name="donneurOuvrageUUID", default=None)
    status: Any = field(name="statutAvisId", default=None)
    category: Any = field(name="categorieId", default=None)
    published: Any = field(name="datePublicationUtc", default=None)
    closing: Any = field(name="dateFermetureUtc", default=None)


class _Html(Struct):
    html: str | None = field(name="descriptionHtml", default=None)


class _Detail(Struct):
    description: _Html | None = field(name="avisResumeDescription", default=None)


class _DetailAnswer(Struct):
    data: _Detail | None = field(name="apiData", default=None)


_EXCHANGES = msgspec.json.Decoder(Exchanges)
_ANSWER = msgspec.json.Decoder(_Answer)
_LISTING = msgspec.json.Decoder(_Listing | None)
_NOTICE = msgspec.json.Decoder(Notice)
_DETAIL = msgspec.json.Decoder(_DetailAnswer)


def exchanges(document: bytes) -> Exchanges:
    """A visit; a single answer of the list is a visit of one exchange. Raises msgspec's errors."""
    try:
        return _EXCHANGES.decode(document)
    except msgspec.ValidationError:
        return Exchanges([Exchange(url="", answer=msgspec.json.decode(document, type=Raw))])


def listing(answer: Raw) -> tuple[list[Raw], int | None]:
    """The notices of one page, undecoded, and how many the whole list has, where that is said.

    Raises ValueError where it is no such answer.
    """
    found = _LISTING.decode(_ANSWER.decode(answer).data)
    notices = found and (found.results if found.results is not None else found.notices)
    if found is None or notices is None:
        raise ValueError("no apiData.results")
    total = found.total
    said = isinstance(total, int) and not isinstance(total, bool) and total >= 0
    return notices, total if said else None


def notice(raw: Raw) -> Notice:
    """One notice of a page. Raises ValueError where its shape is another."""
    return _NOTICE.decode(raw)


def description(answer: Raw) -> str:
    """The HTML of a detail's description, "" where it has none or is no detail."""
    try:
        data = _DETAIL.decode(answer).data
    except (ValueError, RecursionError):
        return ""
    return (data.description.html or "") if data and data.description else ""
