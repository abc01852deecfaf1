"""A composed letter made a row, its bytes frozen, its notices reserved; and what was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import ledger, quarantine
from alerts.digest import Digest, Notice
from alerts.letter import Composed
from alerts.tables import Edition, Letter, LetterState, Omission, Why
from base.database import insert
from subscriptions.tables import Contact

#: A letter that could not leave for so long is no longer worth sending.
WORTH_SENDING = timedelta(hours=72)


def freeze(
    session: Session,
    edition: Edition,
    contact: Contact,
    digest: Digest,
    composed: Composed,
    *,
    key: str,
    at: datetime,
) -> int | None:
    """The letter's row with its ledger rows, or neither.

    None when another writer made it, or tells one of its notices already. A row of that key
    that is in quarantine, or stale, becomes the letter.
    """
    with session.begin_nested() as both:
        until = _worth_until(digest, at)
        values = frozen(composed, contact.address, notices=len(digest.notices), at=at, until=until)
        letter_id = _row(session, edition, contact, values, key=key)
        if letter_id is not None:
            reserved = ledger.reserve(
                session, letter_id=letter_id, contact_id=contact.id, notices=digest.notices, at=at
            )
            if reserved == len(digest.notices):
                return letter_id
        both.rollback()
    return None


def freeze_note(
    session: Session,
    edition: Edition,
    contact: Contact,
    composed: Composed,
    *,
    key: str,
    at: datetime,
    until: datetime,
) -> int | None:
    """The row of a letter that tells no notice; None when another writer made it."""
    values = frozen(composed, contact.address, notices=0, at=at, until=until)
    return _row(session, edition, contact, values, key=key)


def frozen(
    composed: Composed, address: str, *, notices: int, at: datetime, until: datetime
) -> dict[str, Any]:
    """The columns of a letter that is ready to leave, but for its key and whose it is."""
    return {
        "address": address,
        "message_id": composed.message_id,
        "content": composed.content,
        "sha256": hashlib.sha256(composed.content).hexdigest(),
        "size": len(composed.content),
        "notices": notices,
        "state": LetterState.WRITTEN,
        "why": "",
        "reply": "",
        "attempts": 0,
        "written_at": at,
        "expires_at": until,
        "next_attempt_at": at,
    }


def leave_out(
    session: Session,
    edition: Edition,
    contact: Contact,
    letter_id: int,
    notices: Iterable[Notice],
    *,
    at: datetime,
) -> None:
    """Say which notices that are for the contact its letter does not show: they cannot be."""
    for notice in notices:
        session.add(
            Omission(
                at=at,
                edition_id=edition.id,
                letter_id=letter_id,
                contact_id=contact.id,
                why=Why.UNWRITABLE,
                detail=f"revision {notice.revision_id}",
            )
        )


def omit(session: Session, edition: Edition, omitted: dict[int, Why], *, at: datetime) -> None:
    """Say why those contacts get no letter; whoever said so first is right.

    One whom another writer has written to meanwhile, so that nothing is left to tell, has one.
    """
    written = select(Letter.contact_id).where(
        Letter.edition_id == edition.id,
        Letter.contact_id.in_(omitted),
        Letter.state.not_in(quarantine.AGAIN),
    )
    for contact_id in session.scalars(written).all():
        omitted.pop(contact_id)
    if not omitted:
        return
    rows = [
        {"at": at, "edition_id": edition.id, "contact_id": contact_id, "why": why, "detail": ""}
        for contact_id, why in omitted.items()
    ]
    session.execute(
        insert(session, Omission)
        .values(rows)
        .on_conflict_do_nothing(
            index_elements=[Omission.edition_id, Omission.contact_id],
            index_where=Omission.letter_id.is_(None),
        )
    )


def _worth_until(digest: Digest, at: datetime) -> datetime:
    closings = [notice.worth_until for notice in digest.notices]
    last = at + WORTH_SENDING
    if None in closings:
        return last
    return min(last, max(moment for moment in closings if moment is not None))


def _row(
    session: Session, edition: Edition, contact: Contact, values: dict[str, Any], *, key: str
) -> int | None:
    again = session.scalar(
        update(Letter)
        .where(Letter.key == key, Letter.state.in_(quarantine.AGAIN))
        .values(**values)
        .returning(Letter.id)
        .execution_options(synchronize_session=False)
    )
    if again is not None:
        return again
    return session.scalar(
        insert(session, Letter)
        .values(
            key=key,
            edition_id=edition.id,
            contact_id=contact.id,
            **values,
        )
        # Without naming the key: of two writers the message_id may collide first.
        .on_conflict_do_nothing()
        .returning(Letter.id)
    )
