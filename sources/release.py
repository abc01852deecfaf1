"""What a reader makes of a document: releases, faults and what it passed over (values)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Category(StrEnum):
    """OCDS mainProcurementCategory."""

    GOODS = "goods"
    SERVICES = "services"
    WORKS = "works"


class Status(StrEnum):
    """What a notice is now, of the OCDS tender statuses those that matter to a reader."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    COMPLETE = "complete"
    #: Ours: gone from a source that lists everything open, without a word.
    WITHDRAWN = "withdrawn"


class Level(StrEnum):
    """Which government publishes a call, where it is none of Québec's."""

    FEDERAL = "federal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """What is bought, as the source classified it."""

    #: "SCHEME:code", e.g. "UNSPSC:72102903" or "SEAO:S9".
    code: str
    #: The label as published, e.g. "Entretien, réparation, modification …".
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """One OCDS release, reduced to what members are told.

    Field names follow OCDS 1.1, in snake case; moments are aware. A field that the source
    does not carry is None or empty: absent, not changed (design.md, section 4).
    """

    source: str
    ocid: str
    #: Orders the releases of one ocid: greater is later. For SEAO the `id` (UTC, 14 digits),
    #: because `date` stays the original date in updates (sources.md 1.2). "" where the source
    #: orders nothing: then what is read later is later.
    release_id: str
    #: When the notice was first published.
    published_at: datetime | None
    #: When this state of it was published.
    changed_at: datetime | None
    status: Status
    title: str
    #: As published but for trailing dots and blanks.
    buyer: str
    buyer_id: str
    #: True where the source says that the buyer is municipal, None where it does not say.
    municipal: bool | None
    #: The buyer's town and postal code where the source gives an address, else "".
    locality: str
    postal_code: str
    #: The buyer's own file number.
    reference: str
    #: The number the public knows the notice by (SEAO: "20170291").
    number: str
    category: Category | None
    #: As published, e.g. "Avis d’appel d’offres régionalisé".
    procurement_method_details: str
    #: OCDS tender.tenderPeriod.endDate; None where the source gives none or an absurd one.
    closes_at: datetime | None
    items: tuple[Item, ...]
    description: str
    #: Names or addresses of the documents.
    documents: tuple[str, ...]
    #: The public page; "" where there is none that may be linked.
    uri: str
    #: Regions and towns of delivery, as published; "Canada" is one. Empty where not said.
    delivery_regions: tuple[str, ...] = ()
    #: The sentence in which `closes_at` was read, where it was read in prose.
    closing_evidence: str = ""
    level: Level | None = None

    def __post_init__(self) -> None:
        for moment in (self.published_at, self.changed_at, self.closes_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{self.ocid}: {moment} has no time zone")


@dataclass(frozen=True, slots=True)
class Fault:
    """One release a source got wrong: a value, so that it does not hide the others."""

    source: str
    #: Place in the document, from 0.
    position: int
    #: The ocid where it could be read, else "".
    ocid: str
    reason: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A release that is right but no open call: an award, a contract, a closed tender."""

    source: str
    ocid: str


class Reader(Protocol):
    """How every source is read: a document in, values out, no I/O.

    Raises SourceMalformed when the document is not of the format at all.
    """

    def __call__(self, document: bytes) -> Iterator[Release | Fault | PassedOver]: ...
