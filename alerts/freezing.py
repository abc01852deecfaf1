"""A composed letter made a row, its bytes frozen, its notices reserved; and what was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import ledger, quarantine
from alerts.digest import Digest, Notice
from alerts.letter import Composed
from alerts.message_tables import Message
from alerts.tables import Edition, Letter, LetterState, Omission, Why
from base.database import insert
from subscriptions.tables import Contact

#: A letter that could not leave for so long is no longer worth sending.
WORTH_SENDING = timedelta(hours=72)


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A letter that is composed and is no row yet."""

    contact: Contact
    key: str
    composed: Composed
    #: Nothing of it is worth sending after this moment.
    until: datetime
    #: What it tells.
    notices: tuple[Notice, ...] = ()
    #: What is for the contact and the letter does not show: it cannot be.
    hidden: tuple[Notice, ...] = ()


def freeze_all(
    session: Session, edition: Edition, drafts: Sequence[Draft], *, at: datetime
) -> bool:
    """The rows of all those letters with their ledger rows, in few statements; or none of them.

    False where `freeze` must tell which of them another writer made, or tells of already, and
    which are letters that were set aside.
    """
    with session.begin_nested() as all_of_them:
        made = session.connection().execute(
            # Without naming the key: of two writers the message_id may collide first.
            insert(session, Letter).on_conflict_do_nothing().returning(Letter.key, Letter.id),
            [_row(edition, draft, at) for draft in drafts],
        )
        ids = dict(made.all())
        if len(ids) == len(drafts) and _reserve(session, drafts, ids, at):
            keep(session, {ids[draft.key]: draft.composed for draft in drafts})
            _leave_out(session, edition, drafts, ids, at)
            return True
        all_of_them.rollback()
    return False


def freeze(session: Session, edition: Edition, draft: Draft, *, at: datetime) -> bool:
    """The letter's row with its ledger rows, or neither.

    False when another writer made it, or tells one of its notices already. A row of that key
    that is in quarantine, or stale, becomes the letter.
    """
    with session.begin_nested() as both:
        letter_id = _again(session, draft, at) or session.scalar(
            insert(session, Letter)
            .values(_row(edition, draft, at))
            .on_conflict_do_nothing()
            .returning(Letter.id)
        )
        ids = {draft.key: letter_id} if letter_id is not None else {}
        if ids and _reserve(session, [draft], ids, at):
            keep(session, dict.fromkeys(ids.values(), draft.composed))
            _leave_out(session, edition, [draft], ids, at)
            return True
        both.rollback()
    return False


def frozen(
    composed: Composed, address: str, *, notices: int, at: datetime, until: datetime
) -> dict[str, Any]:
    """The columns of a letter that is ready to leave, but for its key and whose it is.

    Its octets are `keep`'s.
    """
    return {
        "address": address,
        "message_id": composed.message_id,
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


def keep(session: Session, composed: Mapping[int, Composed]) -> None:
    """The octets of those letters, by their numbers; those of one composed anew replace the old."""
    statement = insert(session, Message)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=[Message.id], set_={"content": statement.excluded.content}
        ),
        [{"id": number, "content": one.content} for number, one in composed.items()],
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


def worth_until(digest: Digest, at: datetime) -> datetime:
    """Until when a letter of `at` that tells this is worth sending."""
    last = at + WORTH_SENDING
    until = []
    # The last to close comes last, as a rule, and then says it all.
    for notice in reversed(digest.notices):
        moment = notice.worth_until
        if moment is None or moment >= last:
            return last
        until.append(moment)
    return max(until)


def _columns(draft: Draft, at: datetime) -> dict[str, Any]:
    told = len(draft.notices)
    return frozen(draft.composed, draft.contact.address, notices=told, at=at, until=draft.until)


def _row(edition: Edition, draft: Draft, at: datetime) -> dict[str, Any]:
    of = {"key": draft.key, "edition_id": edition.id, "contact_id": draft.contact.id}
    return of | _columns(draft, at)


def _again(session: Session, draft: Draft, at: datetime) -> int | None:
    return session.scalar(
        update(Letter)
        .where(Letter.key == draft.key, Letter.state.in_(quarantine.AGAIN))
        .values(**_columns(draft, at))
        .returning(Letter.id)
        .execution_options(synchronize_session=False)
    )


def _reserve(
    session: Session, drafts: Sequence[Draft], ids: Mapping[str, int], at: datetime
) -> bool:
    """Whether all that those letters tell is theirs."""
    carried = [(ids[one.key], one.contact.id, one.notices) for one in drafts]
    return ledger.reserve(session, carried, at=at) == sum(len(one.notices) for one in drafts)


def _leave_out(
    session: Session,
    edition: Edition,
    drafts: Iterable[Draft],
    ids: Mapping[str, int],
    at: datetime,
) -> None:
    """Say which notices that are for a contact its letter does not show."""
    for draft in drafts:
        for notice in draft.hidden:
            session.add(
                Omission(
                    at=at,
                    edition_id=edition.id,
                    letter_id=ids[draft.key],
                    contact_id=draft.contact.id,
                    why=Why.UNWRITABLE,
                    detail=f"revision {notice.revision_id}",
                )
            )
