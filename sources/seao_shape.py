"""The shape of SEAO's releases: the fields that are read, and no others.

All are optional here: what must be there is said by the reader, in words that staff understand.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct, field

_NULL = Raw(b"null")


class Head(Struct):
    """What decides whether a release is read further; the rest stays undecoded."""

    ocid: str | None = None
    id: str | int | None = None
    date: Any = None
    tag: list[str] | None = None
    tender: Raw = _NULL
    parties: Raw = _NULL
    buyer: Raw = _NULL


class Heads(Struct):
    """A package whose releases are all sound."""

    releases: list[Head]


class Named(Struct):
    name: str | None = None
    id: str | int | None = None


class Address(Struct):
    locality: str | None = None
    postal_code: str | None = field(name="postalCode", default=None)


class Party(Struct):
    name: str | None = None
    id: str | int | None = None
    roles: list[str] | None = None
    address: Address | None = None
    details: dict[str, Any] | None = None


class Classification(Struct):
    scheme: str | None = None
    id: str | int | None = None
    description: str | None = None


class Bought(Struct):
    id: str | int | None = None
    description: str | None = None
    classification: Classification | None = None
    more: list[Classification] | None = field(name="additionalClassifications", default=None)


class Document(Struct):
    title: str | None = None
    url: str | None = None


class Period(Struct):
    end: Any = field(name="endDate", default=None)


class Tender(Struct):
    id: str | int | float | None = None
    title: str | int | float | None = None
    description: str | None = None
    status: str | None = None
    buyer: Named | None = field(name="procuringEntity", default=None)
    items: list[Bought] | None = None
    method: str | None = field(name="procurementMethodDetails", default=None)
    category: str | None = field(name="mainProcurementCategory", default=None)
    period: Period | None = field(name="tenderPeriod", default=None)
    documents: list[Document] | None = None
