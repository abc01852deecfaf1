"""The shape of any publisher's OCDS releases: the fields that are read, and no others.

OCDS 1.0 writes the buyer whole where 1.1 refers to `parties`, so both have all the members.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct, field

from sources.seao_shape import Address, Classification, Period

_NULL = Raw(b"null")


class Package(Struct):
    """A release package, a record package, or a bare release (where `ocid` is set)."""

    releases: list[Raw] | None = None
    records: list[Raw] | None = None
    ocid: Any = None


class Record(Struct):
    compiled: Raw = field(name="compiledRelease", default=_NULL)
    #: Whole releases, or links to them: an address, a date and a tag.
    releases: list[Raw] | None = None


class Head(Struct):
    """What decides whether a release is read further; the rest stays undecoded."""

    ocid: str | None = None
    id: str | int | None = None
    date: Any = None
    tag: list[str] | None = None
    tender: Raw = _NULL
    parties: Raw = _NULL
    buyer: Raw = _NULL


class Identifier(Struct):
    scheme: str | None = None
    id: str | int | None = None


class Party(Struct):
    """An organisation, or a reference to one."""

    name: str | None = None
    id: str | int | None = None
    identifier: Identifier | None = None
    address: Address | None = None
    roles: list[str] | None = None


class Place(Struct):
    locality: str | None = None
    region: str | None = None
    country: str | None = field(name="countryName", default=None)


class Bought(Struct):
    classification: Classification | None = None
    more: list[Classification] | None = field(name="additionalClassifications", default=None)
    places: list[Place] | None = field(name="deliveryAddresses", default=None)
    place: Place | None = field(name="deliveryAddress", default=None)


class Document(Struct):
    type: str | None = field(name="documentType", default=None)
    title: str | None = None
    url: str | None = None
    format: str | None = None


class Tender(Bought):
    id: str | int | float | None = None
    title: str | int | float | None = None
    description: str | None = None
    status: str | None = None
    buyer: Party | None = field(name="procuringEntity", default=None)
    items: list[Bought] | None = None
    method: str | None = field(name="procurementMethodDetails", default=None)
    category: str | None = field(name="mainProcurementCategory", default=None)
    period: Period | None = field(name="tenderPeriod", default=None)
    documents: list[Document] | None = None
