"""The proof of exclusivity: each letter that left, and the membership that entitled it then.

A letter left when it was accepted, or may have been. The membership is the row that the one
statement wrote into it (alerts.entitlement); whether that row holds at the moment of the statement
is asked again of the database, for each letter and, apart, for the count of those outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from alerts import ledger
from alerts.ledger import LEFT
from alerts.tables import Edition, Letter, Told, ToldBefore
from sources.tables import Revision, Tender
from subscriptions.tables import Contact, Member, Membership

#: What is read of a letter, of the contact it went to, and of the membership that entitled it.
COLUMNS = (
    Letter.id,
    Letter.state,
    Letter.address,
    Letter.written_at,
    Letter.in_doubt_at,
    Letter.settled_at,
    Letter.reply,
    Letter.why,
    Letter.sha256,
    Edition.frequency,
    Edition.label,
    Contact.id.label("contact_id"),
    Contact.name.label("contact"),
    Member.id.label("member_id"),
    Member.name.label("member"),
    Membership.id.label("membership_id"),
    Membership.starts_at,
    Membership.ends_at,
    Membership.recorded_at,
    Membership.recorded_by,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """The row of a membership, as it is recorded."""

    id: int
    starts_at: datetime
    ends_at: datetime | None
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One letter that left, to whom, and what entitled that contact."""

    letter_id: int
    #: ACCEPTED, or UNKNOWN and IN_DOUBT: it may have been received.
    state: str
    #: "weekly", "2026-W39"; "" where it belongs to no edition.
    stream: str
    edition: str
    contact_id: int
    contact: str
    #: The envelope's recipient.
    address: str
    member_id: int
    member: str
    #: When the one statement let it pass; None only where none did.
    guarded_at: datetime | None
    settled_at: datetime | None
    #: None where the letter names none.
    membership: Interval | None
    #: The relay's own words.
    reply: str
    #: Of the message's bytes.
    sha256: str
    #: Whether that interval is the member's and holds at `guarded_at`.
    within: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What the database answers of the same letters, without going through the entries."""

    letters: int
    #: Letters outside of any interval: 0, or the promise was broken.
    outside: int
    #: Letters let pass by what was known, of which no interval as it is known now holds.
    corrected: int
    members: int
    contacts: int


def of_call(session: Session, tender_ids: Iterable[int]) -> ColumnElement[bool]:
    """The letters that tell of the call those tenders are, whatever they tell of it."""
    told, before = (about(session, table, tender_ids) for table in (Told, ToldBefore))
    letters = select(Told.letter_id).where(told)
    return Letter.id.in_(letters.union(select(ToldBefore.letter_id).where(before)))


def about(
    session: Session, table: type[Told | ToldBefore], tender_ids: Iterable[int]
) -> ColumnElement[bool]:
    """The ledger's rows of that call: under its cluster, or under one that it has left.

    Not what a letter lost when it was composed anew (ledger.is_carried).
    """
    ids = list(tender_ids)
    clusters = set(
        session.scalars(
            select(func.coalesce(Tender.cluster_id, Tender.id)).where(Tender.id.in_(ids))
        )
    )
    revisions = list(session.scalars(select(Revision.id).where(Revision.tender_id.in_(ids))))
    of_call = or_(table.cluster_id.in_(clusters), table.revision_id.in_(revisions))
    return and_(of_call, ledger.is_carried()) if table is Told else of_call


def of_period(start: datetime, end: datetime) -> ColumnElement[bool]:
    """The letters that left in [start, end)."""
    guarded = and_(Letter.in_doubt_at >= start, Letter.in_doubt_at < end)
    # Should one have left without passing the statement, it is not to escape.
    unguarded = and_(
        Letter.in_doubt_at.is_(None), Letter.settled_at >= start, Letter.settled_at < end
    )
    return or_(guarded, unguarded)


def entries(session: Session, which: ColumnElement[bool]) -> list[Entry]:
    """Those letters as far as they left, in the order in which they did."""
    rows = session.execute(
        with_holders(select(*COLUMNS, _within().label("within")))
        .where(which, Letter.state.in_(LEFT))
        .order_by(func.coalesce(Letter.in_doubt_at, Letter.settled_at), Letter.id)
    )
    return [_entry(row) for row in rows]


def with_holders(asked: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Letters that are asked for, joined to all that has `COLUMNS`."""
    return (
        asked.join(Contact, Contact.id == Letter.contact_id)
        .join(Member, Member.id == Contact.member_id)
        .outerjoin(Edition, Edition.id == Letter.edition_id)
        .outerjoin(Membership, Membership.id == Letter.membership_id)
    )


def counted(session: Session, which: ColumnElement[bool]) -> Counted:
    """How many of those letters left, and how many of them outside of a membership."""
    left = and_(which, Letter.state.in_(LEFT))
    found = session.execute(
        select(
            func.count(Letter.id),
            func.count(Letter.contact_id.distinct()),
            func.count(Contact.member_id.distinct()),
        )
        .join(Contact, Contact.id == Letter.contact_id)
        .where(left)
    ).one()
    letters, contacts, members = found
    outside = session.scalar(_outside(which))
    corrected = session.scalar(
        select(func.count(Letter.id)).where(left, _within(), ~_holds_as_known_now())
    )
    return Counted(
        letters=letters,
        contacts=contacts,
        members=members,
        outside=outside or 0,
        corrected=corrected or 0,
    )


def question(session: Session, which: ColumnElement[bool]) -> str:
    """The statement that counts the letters outside, as the database is asked it."""
    return str(_outside(which).compile(session.get_bind(), compile_kwargs={"literal_binds": True}))


def _outside(which: ColumnElement[bool]) -> Select[int]:
    return select(func.count(Letter.id)).where(which, Letter.state.in_(LEFT), ~_within())


def _within() -> ColumnElement[bool]:
    """The interval that the letter names is its member's, and held when it was let pass.

    A row of `membership` never changes; when it was superseded says nothing here, for what was
    decided before may be committed after.
    """
    return (
        exists()
        .where(
            Membership.id == Letter.membership_id,
            Membership.member_id == _member(),
            Membership.starts_at <= Letter.in_doubt_at,
            or_(Membership.ends_at.is_(None), Membership.ends_at > Letter.in_doubt_at),
        )
        .correlate(Letter)
    )


def _holds_as_known_now() -> ColumnElement[bool]:
    """Some interval of the member, as it is known now, held when the letter was let pass."""
    return (
        exists()
        .where(
            Membership.member_id == _member(),
            Membership.superseded_at.is_(None),
            Membership.starts_at <= Letter.in_doubt_at,
            or_(Membership.ends_at.is_(None), Membership.ends_at > Letter.in_doubt_at),
        )
        .correlate(Letter)
    )


def _member() -> ScalarSelect[int]:
    of_letter = select(Contact.member_id).where(Contact.id == Letter.contact_id)
    return of_letter.correlate(Letter).scalar_subquery()


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(
        letter_id=row.id,
        state=row.state,
        stream=row.frequency or "",
        edition=row.label or "",
        contact_id=row.contact_id,
        contact=row.contact,
        address=row.address,
        member_id=row.member_id,
        member=row.member,
        guarded_at=row.in_doubt_at,
        settled_at=row.settled_at,
        membership=interval(row),
        reply=row.reply,
        sha256=row.sha256,
        within=bool(row.within),
    )


def interval(row: Row[*tuple[Any, ...]]) -> Interval | None:
    """The membership in a row that has its columns."""
    if row.membership_id is None or row.starts_at is None:
        return None
    return Interval(
        id=row.membership_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
    )
