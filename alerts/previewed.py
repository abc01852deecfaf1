"""Letters as staff look at them before they leave; and those that are written and wait."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import outbox
from alerts.tables import Edition, Letter, Told
from base.french import days_left
from sources.tables import Revision, Tender
from subscriptions.tables import Contact, Member

#: Letters that are in memory at a time.
_LOT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A notice in a letter."""

    number: str
    title: str
    buyer: str
    closes_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsed:
    """One letter as it will be."""

    contact_id: int
    contact: str
    address: str
    member: str
    #: True where it is a row already, and waits: for its turn, or for staff to lift a hold.
    waiting: bool
    #: An alerts.tables.Stream; "" where it belongs to no edition.
    stream: str
    edition: str
    leaves_at: datetime
    subject: str
    content: bytes
    notices: tuple[Shown, ...]

    @property
    def days_left(self) -> int | None:
        """Whole days from the moment it leaves to the nearest closing."""
        moments = [one.closes_at for one in self.notices if one.closes_at]
        return days_left(min(moments), self.leaves_at) if moments else None


def waiting(session: Session, *, contact_id: int | None = None) -> Iterator[Rehearsed]:
    """The letters that are written and wait, oldest first; some of them in memory at a time."""
    asked = select(Letter.id).where(Letter.state.in_(outbox.WAITING), Letter.content.is_not(None))
    if contact_id is not None:
        asked = asked.where(Letter.contact_id == contact_id)
    ids = list(session.scalars(asked.order_by(Letter.id)))
    for start in range(0, len(ids), _LOT):
        yield from _waiting(session, ids[start : start + _LOT])
        session.expunge_all()


def _waiting(session: Session, ids: list[int]) -> Iterator[Rehearsed]:
    rows = session.execute(
        select(Letter, Contact, Member, Edition)
        .join(Contact, Contact.id == Letter.contact_id)
        .join(Member, Member.id == Contact.member_id)
        .outerjoin(Edition, Edition.id == Letter.edition_id)
        .where(Letter.id.in_(ids))
        .order_by(Letter.id)
    )
    notices = _told(session, ids)
    for letter, contact, member, edition in rows:
        yield Rehearsed(
            contact_id=contact.id,
            contact=contact.name,
            address=letter.address,
            member=member.name,
            waiting=True,
            stream=edition.frequency if edition else "",
            edition=edition.label if edition else "",
            leaves_at=letter.next_attempt_at,
            subject=_subject(letter.content or b""),
            content=letter.content or b"",
            notices=notices.get(letter.id, ()),
        )


def count_waiting(session: Session) -> int:
    """How many letters are written and wait."""
    asked = select(func.count()).where(Letter.state.in_(outbox.WAITING))
    return session.scalar(asked) or 0


def _told(session: Session, letter_ids: list[int]) -> Mapping[int, tuple[Shown, ...]]:
    found: dict[int, tuple[Shown, ...]] = {}
    rows = session.execute(
        select(Told.letter_id, Tender.number, Revision)
        .join(Revision, Revision.id == Told.revision_id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Told.letter_id.in_(letter_ids))
        .order_by(Told.id)
    )
    for letter_id, number, revision in rows:
        one = Shown(
            number=number,
            title=revision.title,
            buyer=revision.buyer,
            closes_at=revision.closes_at,
        )
        found[letter_id] = (*found.get(letter_id, ()), one)
    return found


def _subject(content: bytes) -> str:
    return str(email.message_from_bytes(content, policy=email.policy.default).get("Subject", ""))
