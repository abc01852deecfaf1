"""Everyone who was told of a call, or is about to be: when, and entitled by which membership."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from alerts.proof import COLUMNS, Interval, about, interval, with_holders
from alerts.tables import Letter, LetterState, Told, ToldBefore


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """One contact and one letter that tells it of the call."""

    contact_id: int
    contact: str
    #: The envelope's recipient.
    address: str
    member_id: int
    member: str
    #: A Kind: new, change, cancellation, reminder.
    kind: str
    letter_id: int
    #: A LetterState.
    state: str
    edition: str
    written_at: datetime
    #: When the one statement let it pass.
    guarded_at: datetime | None
    settled_at: datetime | None
    membership: Interval | None
    #: The relay's own words.
    reply: str
    #: A Why, for a letter that did not leave.
    why: str

    @property
    def is_told(self) -> bool:
        """Whether the relay took charge of the letter."""
        return self.state == LetterState.ACCEPTED


def recipients(session: Session, tender_ids: Iterable[int]) -> list[Recipient]:
    """Everyone whom a letter tells of the call those tenders are, the first told first."""
    ids = list(tender_ids)
    found = [one for table in (Told, ToldBefore) for one in _rows(session, table, ids)]
    once = {(one.letter_id, one.kind): one for one in reversed(found)}
    return sorted(
        once.values(), key=lambda r: (r.settled_at or r.written_at, r.member, r.letter_id)
    )


def members_told(found: Iterable[Recipient]) -> int:
    """How many enterprises a letter that was accepted told; a municipality may know that."""
    return len({one.member_id for one in found if one.is_told})


def _rows(
    session: Session, table: type[Told | ToldBefore], tender_ids: list[int]
) -> Iterator[Recipient]:
    rows = session.execute(
        with_holders(select(table.kind, *COLUMNS).join(Letter, Letter.id == table.letter_id)).where(
            about(session, table, tender_ids)
        )
    )
    return (_recipient(row) for row in rows)


def _recipient(row: Row[*tuple[Any, ...]]) -> Recipient:
    return Recipient(
        contact_id=row.contact_id,
        contact=row.contact,
        address=row.address,
        member_id=row.member_id,
        member=row.member,
        kind=row.kind,
        letter_id=row.id,
        state=row.state,
        edition=row.label or "",
        written_at=row.written_at,
        guarded_at=row.in_doubt_at,
        settled_at=row.settled_at,
        membership=interval(row),
        reply=row.reply,
        why=row.why,
    )
