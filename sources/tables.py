"""The rows of what was read: readings, tenders and their revisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base


class Reading(Base):
    """One visit to a source. A visit that failed is a row too, with its `fault`."""

    __tablename__ = "reading"

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(50), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    #: The address or the file's name (without its folder).
    address: Mapped[str] = mapped_column(String(2048))
    etag: Mapped[str] = mapped_column(String(255), default="")
    last_modified: Mapped[str] = mapped_column(String(64), default="")
    sha256: Mapped[str] = mapped_column(String(64), default="", index=True)
    #: The document, compressed (zlib), kept for replay and pruned.
    document: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    #: A sources.intake.Counts.
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    #: The faults of single releases: position, ocid, reason.
    faults: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    #: Why the whole document was refused; "" where it was read.
    fault: Mapped[str] = mapped_column(Text, default="")
    #: A sources.shape.Hold where the document is not what its source usually brings, else "".
    held: Mapped[str] = mapped_column(String(20), default="")
    #: Of the open calls in it, how many there are and how many carry each field.
    carried: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    #: When each of them closes, in seconds since 1970 (0: not known): what is open is counted
    #: without reading the document again.
    closings: Mapped[list[int]] = mapped_column(JSON, default=list, deferred=True)


class Visit(Base):
    """How asking an address went, last; one row an address, so that a quiet day adds none."""

    __tablename__ = "visit"

    source: Mapped[str] = mapped_column(String(50), primary_key=True)
    address: Mapped[str] = mapped_column(String(500), primary_key=True)
    #: When it was last asked; claims the visit, so that two services do not ask at once.
    asked_at: Mapped[datetime]
    #: When it last answered something that could be read, news or not.
    answered_at: Mapped[datetime | None]
    #: Since when every question failed; None while it answers.
    failing_since: Mapped[datetime | None]
    #: A sources.reasons text of the last failure, "" while it answers.
    fault: Mapped[str] = mapped_column(Text, default="")


#: Of a tender: staff took it out of its cluster. The index of these is found by these very words.
APART = "cluster_basis = 'apart'"


class Tender(Base):
    """One invitation to bid in one source; what is known of it is its latest revision."""

    __tablename__ = "tender"
    __table_args__ = (
        UniqueConstraint("source", "ocid"),
        Index("ix_tender_apart", "id", sqlite_where=text(APART), postgresql_where=text(APART)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(50))
    ocid: Mapped[str] = mapped_column(String(255))
    #: The number the public knows it by.
    number: Mapped[str] = mapped_column(String(255), index=True)
    #: "public" or "reserved".
    visibility: Mapped[str] = mapped_column(String(10), default="public")
    #: The same call seen in two sources shares this; alone, it is the tender's own id.
    cluster_id: Mapped[int | None] = mapped_column(index=True)
    #: What joined it to its cluster: a clusters.Basis; "" where it is alone.
    cluster_basis: Mapped[str] = mapped_column(String(10), default="")
    first_seen_at: Mapped[datetime] = mapped_column(index=True)
    #: The latest revision's number, status and closing moment, to find what is open.
    latest: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    closes_at: Mapped[datetime | None] = mapped_column(index=True)
    #: True where it was first seen too late to be news: for staff, not for letters.
    backlog: Mapped[bool] = mapped_column(default=False)
    #: Since when it is missing from the lists of all that is open; None while it is in them.
    missed_at: Mapped[datetime | None]


class Revision(Base):
    """What a source said of a tender, from one reading until the next; never changed."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("tender_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tender_id: Mapped[int] = mapped_column(ForeignKey("tender.id", ondelete="CASCADE"))
    #: 1, 2, 3 … in the order of `release_id`; under one release_id, of reading.
    number: Mapped[int]
    reading_id: Mapped[int] = mapped_column(ForeignKey("reading.id"))
    release_id: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]
    #: Over what matters to a bidder; equal hashes mean that nothing material changed.
    material_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(Text)
    buyer: Mapped[str] = mapped_column(String(500))
    buyer_id: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String(255))
    #: From the municipal directory; "" where unknown. See sources.places.
    municipality: Mapped[str] = mapped_column(String(100))
    mrc: Mapped[str] = mapped_column(String(100))
    region: Mapped[str] = mapped_column(String(100))
    #: How the place was found: "name", "postal code", "to check" (provincial) or "unknown".
    place_basis: Mapped[str] = mapped_column(String(20))
    #: goods, services, works or "".
    category: Mapped[str] = mapped_column(String(20))
    procurement_method_details: Mapped[str] = mapped_column(String(255))
    closes_at: Mapped[datetime | None]
    #: [{"code": "UNSPSC:72102903", "label": "…"}, …]
    items: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    description: Mapped[str] = mapped_column(Text)
    documents: Mapped[list[str]] = mapped_column(JSON)
    uri: Mapped[str] = mapped_column(String(2048))
    #: Regions and towns of delivery, as published.
    delivery_regions: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: The sentence that `closes_at` was read in, where it was read in prose.
    closing_evidence: Mapped[str] = mapped_column(Text, default="")
    #: A sources.release.Level, or "".
    level: Mapped[str] = mapped_column(String(20), default="")
    #: True where the source said something else under the same `release_id`: to be verified there.
    conflicting: Mapped[bool] = mapped_column(default=False)


class Attachment(Base):
    """A document of a reserved invitation, whole; see docs/decisions/0009."""

    __tablename__ = "attachment"
    __table_args__ = (UniqueConstraint("tender_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tender_id: Mapped[int] = mapped_column(ForeignKey("tender.id", ondelete="CASCADE"))
    #: What an address names it by: tells nothing, and is not to be guessed.
    public_id: Mapped[str] = mapped_column(String(43), unique=True)
    #: A file's name that no system can take for a path or a command.
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(100))
