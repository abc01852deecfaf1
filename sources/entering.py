"""An invitation entered by staff: the call and its documents, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from base.clock import QUEBEC
from sources import attachments, catalogue, invitations
from sources.invitation_words import CATEGORIES
from sources.invitations import Invitation
from sources.reasons import Reason
from sources.release import Fault, Release
from sources.stored import RESERVED
from sources.tables import Revision, Tender
from sources.tenders import by_number
from sources.visits import Document, new_reading, store_in


@dataclass(frozen=True, kw_only=True, slots=True)
class Entered:
    """What became of an invitation."""

    tender_id: int
    number: str
    #: "new", "amended", "cancelled", or "" where nothing material changed.
    what: str


def enter(
    session: Session,
    invitation: Invitation,
    documents: Mapping[str, bytes],
    *,
    by: str,
    at: datetime,
) -> Entered | Fault:
    """Store an invitation and keep its documents; the same one again changes nothing.

    One of the same buyer and number (without number: and title) is another revision of it, and
    keeps the documents it has. A Fault where something is missing from it.

    Raises AttachmentRefused: nothing is stored.
    """
    names = [attachments.checked(name, content) for name, content in documents.items()]
    found = _read(invitation)
    if isinstance(found, Fault):
        return found
    held = session.scalar(
        select(Tender).where(Tender.source == RESERVED, Tender.ocid == found.ocid)
    )
    before = [one.name for one in attachments.of_tender(session, held.id)] if held else []
    invitation = replace(invitation, documents=sorted({*before, *names}))
    counts = _store(session, invitation, at)
    tender = session.scalars(
        select(Tender).where(Tender.source == RESERVED, Tender.ocid == found.ocid)
    ).one_or_none()
    if tender is None:  # intake passes over what had closed before it was seen
        return Fault(RESERVED, 0, found.ocid, str(Reason.CLOSED))
    for name, content in documents.items():
        attachments.attach(session, tender.id, name, content, by=by, at=at)
    what = next((kind for kind in ("new", "amended", "cancelled") if counts.get(kind)), "")
    return Entered(tender_id=tender.id, number=tender.number, what=what)


def cancel(session: Session, number: str, *, at: datetime) -> int | None:
    """Cancel the open invitation of that number; its tender's id, None where there is none."""
    for tender, latest in by_number(session, number):
        if tender.visibility == "reserved" and tender.status == "active":
            _store(session, _again(latest, cancelled=True), at)
            return tender.id
    return None


def _read(invitation: Invitation) -> Release | Fault:
    (only,) = invitations.read(invitations.written(invitation))
    assert isinstance(only, Release | Fault)  # noqa: S101, narrows for the type checker
    return only


def _store(session: Session, invitation: Invitation, at: datetime) -> dict[str, int]:
    content = invitations.written(invitation)
    document = Document(
        source=catalogue.found(RESERVED),
        address=RESERVED,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    results = list(invitations.read(content))
    reading = new_reading(document, at, results)
    store_in(session, reading, document, results, at)
    return reading.counts or {}


def _again(latest: Revision, *, cancelled: bool) -> Invitation:
    """What the latest revision says, as it was entered."""
    words = {category.value: word for word, category in reversed(CATEGORIES.items())}
    closes_at = latest.closes_at
    return Invitation(
        buyer=latest.buyer,
        title=latest.title,
        closes_at=closes_at.astimezone(QUEBEC).strftime("%Y-%m-%d %H:%M") if closes_at else "",
        number=latest.reference,
        description=latest.description,
        category=words.get(latest.category, ""),
        link=latest.uri,
        documents=latest.documents,
        cancelled=cancelled,
    )
