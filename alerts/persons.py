"""A person, and which rows of every table are about it: read from the schema, not from a list.

A table whose rows lead to a contact by foreign keys is found by itself; how those without such a
key are tied to a person is said in the inventory (base.inventory). A person is a mailbox: all the
contacts that ever had the same address, and the addresses these had before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, false, or_, select
from sqlalchemy.orm import Session

import alerts.answer_tables
import alerts.hold_tables
import alerts.staff_tables
import alerts.tables
import base.audit
import base.concerns
import base.heartbeat
import base.incidents
import base.maintenance
import sources.tables
import subscriptions.import_tables
import subscriptions.tables
from alerts.tables import Gate, Letter
from base.concerns import Concern
from base.database import Base
from base.inventory import Tie, inventory, kept_in
from subscriptions import erased
from subscriptions.tables import Contact, Event, What

#: Importing them is what makes their tables known to `Base.metadata`.
DECLARED = (
    alerts.answer_tables,
    alerts.hold_tables,
    alerts.staff_tables,
    alerts.tables,
    base.audit,
    base.concerns,
    base.heartbeat,
    base.incidents,
    base.maintenance,
    sources.tables,
    subscriptions.import_tables,
    subscriptions.tables,
)
#: What a row's condition is, by table.
Rows = dict[str, ColumnElement[bool]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Whose rows are meant."""

    contacts: tuple[int, ...]
    members: tuple[int, ...]
    #: Every address it has or had, normalised; none once it is erased.
    addresses: tuple[str, ...]
    names: tuple[str, ...]


def tables() -> tuple[Table, ...]:
    """Every table of the schema, those that others refer to first."""
    return tuple(Base.metadata.sorted_tables)


def person(session: Session, contact: Contact) -> Person:
    """The person that has that contact, live or ended, with those merged into it."""
    same = select(Contact).where(
        or_(
            Contact.id == contact.id,
            Contact.merged_into_id == contact.id,
            (Contact.address == contact.address) & (Contact.address > ""),
        )
    )
    found = session.scalars(same.order_by(Contact.id)).all()
    ids = tuple(one.id for one in found)
    return Person(
        contacts=ids,
        members=tuple(sorted({one.member_id for one in found})),
        addresses=tuple(sorted(_addresses(session, ids, {one.address for one in found}))),
        names=tuple(sorted({one.name for one in found} - {""})),
    )


def alone(session: Session, contact: Contact) -> Person:
    """That contact only, without the addresses that another one still has."""
    known = _addresses(session, (contact.id,), {contact.address})
    others = select(Contact.address).where(Contact.address.in_(known), Contact.id != contact.id)
    return Person(
        contacts=(contact.id,),
        members=(contact.member_id,),
        addresses=tuple(sorted(known - set(session.scalars(others)))),
        names=(contact.name,) if contact.name else (),
    )


def rows_of(session: Session, who: Person) -> Rows:
    """The condition of that person's rows, for every table that has any kind of them."""
    found: Rows = {}
    for table in tables():
        condition = _condition(session, who, table, found)
        if condition is not None:
            found[table.name] = condition
    return found


def tied_by_keys() -> frozenset[str]:
    """The tables whose rows lead to a contact by foreign keys."""
    tied = {"contact"}
    for table in tables():
        if any(key.column.table.name in tied for key in table.foreign_keys):
            tied.add(table.name)
    return frozenset(tied)


def _addresses(session: Session, ids: tuple[int, ...], current: set[str]) -> set[str]:
    moved = select(Event.old_address, Event.new_address).where(
        Event.contact_id.in_(ids), Event.what == What.MOVED
    )
    mailed = select(Letter.address).where(
        Letter.contact_id.in_(ids), Letter.gate != Gate.NEW_MAILBOX
    )
    known = current | {address for row in session.execute(moved) for address in row}
    known |= set(session.scalars(mailed.distinct()))
    # One that it gave up may be another person's by now.
    others = select(Contact.address).where(
        Contact.address.in_(known - current), Contact.id.not_in(ids)
    )
    return known - set(session.scalars(others)) - {""}


def _condition(
    session: Session, who: Person, table: Table, found: Rows
) -> ColumnElement[bool] | None:
    tie, columns = kept_in(table.name).tie, table.c
    if tie is Tie.NONE:
        return None
    if tie is Tie.CONTACT:
        own = columns.id.in_(who.contacts) if table.name == "contact" else false()
        return or_(own, *_by_keys(table, found))
    if tie is Tie.MEMBER:
        return columns["id" if table.name == "member" else "member_id"].in_(who.members)
    if tie is Tie.ADDRESS:
        hidden = list(erased.digests(session, who.addresses))
        return or_(columns.address.in_(who.addresses), columns.digest.in_(hidden))
    if tie is Tie.SUBJECT:
        subjects = [f"contact:{one}" for one in who.contacts]
        return columns.subject.in_([*subjects, *(f"member:{one}" for one in who.members)])
    return columns.id.in_(_concerns(session, who))


def _by_keys(table: Table, found: Rows) -> Iterator[ColumnElement[bool]]:
    for key in table.foreign_keys:
        parent = key.column.table
        tied = parent.name in found and kept_in(parent.name).tie is Tie.CONTACT
        if tied:
            yield key.parent.in_(select(key.column).where(found[parent.name]))


def _concerns(session: Session, who: Person) -> list[int]:
    """Compared in Python: a detail is JSON, and there are few."""
    letters = set(session.scalars(select(Letter.id).where(Letter.contact_id.in_(who.contacts))))
    events = set(session.scalars(select(Event.id).where(Event.contact_id.in_(who.contacts))))
    named = {"contact": set(who.contacts), "letter": letters, "event": events}
    rows = session.execute(select(Concern.id, Concern.detail))
    return [
        number
        for number, detail in rows
        if any(detail.get(name) in ids for name, ids in named.items())
    ]


def unknown_ties() -> list[str]:
    """Tables whose tie in the inventory is not what their foreign keys say."""
    tied = tied_by_keys()
    return [one.table for one in inventory() if (one.tie is Tie.CONTACT) != (one.table in tied)]
