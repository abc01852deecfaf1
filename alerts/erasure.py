"""A person erased: its address and name in no table any more, the proof kept under a number.

What is done to each table is said in the inventory; which rows are meant, by alerts.persons. The
rows that prove that only members were mailed stay, with their dates, their membership and the
contact's number. An address that must not be mailed stays as a digest (subscriptions.erased).
What the files of the database still hold after that is base.wiping's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    CursorResult,
    Executable,
    Table,
    Text,
    cast,
    delete,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from alerts import outbox, persons, scrubbing
from alerts.errors import AlertError
from alerts.message_tables import Message
from alerts.persons import Person, Rows
from alerts.tables import Letter, LetterState, Why
from base import audit
from base.database import Base
from base.inventory import Tie, kept_in
from subscriptions import erased, wishes
from subscriptions.tables import Contact, Event, Origin

#: The action in the audit.
ACTION = "personne effacer"


class Obstacle(StrEnum):
    """Why a person cannot be erased yet."""

    LEAVING = "leaving"  #: a letter is being handed over: in a minute
    UNCERTAIN = "uncertain"  #: staff must first decide about a letter


_BUSY = {
    LetterState.CLAIMED: Obstacle.LEAVING,
    LetterState.IN_DOUBT: Obstacle.LEAVING,
    LetterState.UNKNOWN: Obstacle.UNCERTAIN,
}


class ErasureRefused(AlertError):
    """Nothing was changed; what stands in the way, and the letter."""

    def __init__(self, obstacle: Obstacle, letter_id: int) -> None:
        super().__init__(f"{obstacle} {letter_id}")
        self.obstacle, self.letter_id = obstacle, letter_id


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of a person's rows in one table."""

    table: str
    rows: int
    #: The fields that are emptied; None: the rows are deleted; (): they stay.
    emptied: tuple[str, ...] | None


def plan(session: Session, who: Person) -> list[Planned]:
    """What an erasure would do, table by table; those without a row of the person are left out."""
    rows = persons.rows_of(session, who)
    counted = [
        Planned(table.name, _count(session, table, rows), kept_in(table.name).erased)
        for table in persons.tables()
        if table.name in rows
    ]
    return [one for one in counted if one.rows]


def obstacle(session: Session, who: Person) -> tuple[Obstacle, int] | None:
    """What stands in the way, and the letter concerned."""
    found = session.execute(
        select(Letter.state, Letter.id)
        .where(Letter.contact_id.in_(who.contacts), Letter.state.in_(_BUSY))
        .order_by(Letter.id)
        .limit(1)
    ).first()
    return (_BUSY[LetterState(found.state)], found.id) if found else None


def erase(session: Session, who: Person, *, reason: str, at: datetime, by: str) -> list[Planned]:
    """End what lives, then erase; with a `reason` the addresses are never mailed again.

    The contacts' rows are locked: a letter that is passing its last guard is waited for.

    Raises:
        ErasureRefused: a letter is on its way, or staff must decide about one.
    """
    locked = select(Contact).where(Contact.id.in_(who.contacts)).order_by(Contact.id)
    contacts = session.scalars(locked.with_for_update()).all()
    in_the_way = obstacle(session, who)
    if in_the_way is not None:
        raise ErasureRefused(*in_the_way)
    done = plan(session, who)
    for contact in contacts:
        _end(session, contact, at=at)
    session.flush()
    rows = persons.rows_of(session, who)
    # Before the addresses go: it finds the suppressions by them.
    erased.hide(session, who.addresses, reason=reason, at=at)
    for table in reversed(persons.tables()):
        if table.name in rows:
            _apply(session, table, rows)
    scrubbing.scrub(session, who, rows)
    session.expire_all()
    for contact in contacts:
        contact.erased_at = contact.erased_at or at
        audit.record(session, at=at, who=by, action=ACTION, subject=f"contact:{contact.id}")
    session.flush()
    return done


def _end(session: Session, contact: Contact, *, at: datetime) -> None:
    """No subscription, no letter that waits, no letter that is owed; not in the roster."""
    # Twice: on PostgreSQL a change that is committed while we wait opens another one.
    for _ in range(2):
        wishes.remove(session, contact.id, origin=Origin.STAFF.value, at=at)
    waiting = select(Letter.id).where(
        Letter.contact_id == contact.id, Letter.state.in_([*outbox.WAITING])
    )
    outbox.withdraw(session, dict.fromkeys(session.scalars(waiting), Why.SUBSCRIPTION), at=at)
    session.execute(
        update(Event)
        .where(Event.contact_id == contact.id, Event.answered_at.is_(None))
        .values(answered_at=at)
        .execution_options(synchronize_session=False)
    )
    contact.ended_at = contact.ended_at or at


def _count(session: Session, table: Table, rows: Rows) -> int:
    counted = select(func.count()).select_from(table).where(rows[table.name])
    return session.scalar(counted) or 0


def _apply(session: Session, table: Table, rows: Rows) -> None:
    """What the inventory says of that table; a contact's own gestures are emptied, not its
    enterprise's, and suppressions are subscriptions.erased's."""
    kept = kept_in(table.name)
    condition = rows[table.name]
    if kept.tie is Tie.ADDRESS:
        return
    if kept.tie is Tie.SUBJECT:
        condition &= table.c.subject.startswith("contact:")
    if kept.erased is None:
        session.execute(delete(table).where(condition))
    elif kept.erased:
        emptied = empty(table.c[name] for name in kept.erased)
        session.execute(update(table).where(condition).values(emptied))


def sweep(session: Session) -> int:
    """Empty what was written of an erased contact while it was being erased; how many rows.

    On PostgreSQL a letter may be frozen beside the erasure, with the address read before: the one
    statement withdraws it, and here it loses the address.
    """
    ids = session.scalars(select(Contact.id).where(Contact.erased_at.is_not(None))).all()
    gone = Person(contacts=tuple(ids), members=(), addresses=(), names=())
    rows = persons.rows_of(session, gone) if ids else {}
    swept = sum(_sweep(session, name, condition) for name, condition in rows.items())
    return swept + (_drop_messages(session, rows["letter"]) if ids else 0)


def _sweep(session: Session, name: str, ours: ColumnElement[bool]) -> int:
    kept, table = kept_in(name), Base.metadata.tables[name]
    if kept.tie is not Tie.CONTACT or not kept.erased:
        return 0
    columns = [table.c[one] for one in kept.erased]
    statement = update(table).where(ours, or_(*(is_full(column) for column in columns)))
    if name == "letter":
        statement = statement.where(_is_over())
    return _rows(session, statement.values(empty(columns)))


def _drop_messages(session: Session, ours: ColumnElement[bool]) -> int:
    over = select(Letter.id).where(ours, _is_over())
    return _rows(session, delete(Message).where(Message.id.in_(over)))


def _is_over() -> ColumnElement[bool]:
    """Of a letter: it neither waits nor is anybody's."""
    return Letter.state.not_in([*outbox.WAITING, *_BUSY])


def _rows(session: Session, statement: Executable) -> int:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)  # noqa: S101, what an UPDATE or a DELETE gives
    return result.rowcount


def empty(columns: Iterable[Column[Any]]) -> dict[str, Any]:
    """What each column holds when it holds nothing."""
    return {
        one.name: null() if one.nullable else [] if isinstance(one.type, JSON) else ""
        for one in columns
    }


def is_full(column: Column[Any]) -> ColumnElement[bool]:
    """Whether it holds anything; JSON of a column that is never null is compared as text."""
    if column.nullable:
        return column.is_not(None)
    return cast(column, Text) != "[]" if isinstance(column.type, JSON) else column != ""
