"""Members (enterprises), their memberships and their contacts (mailboxes)."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from base.text import fold
from subscriptions import erased
from subscriptions.addresses import normalised
from subscriptions.errors import AddressRefused, ContactUnknown
from subscriptions.tables import Contact, Member, Membership


def name_key(name: str) -> str:
    """How an enterprise is recognised: its name folded, as long as the column lets it be."""
    return fold(name)[:200]


def add_member(session: Session, name: str, *, at: datetime, telephone: str = "") -> Member:
    """A new enterprise; its name, folded, must not be another's (UNIQUE)."""
    member = Member(name=name, name_key=name_key(name), telephone=telephone, created_at=at)
    session.add(member)
    session.flush()
    return member


def add_contact(
    session: Session, member_id: int, address: str, *, at: datetime, name: str = ""
) -> Contact:
    """A new mailbox of a member; `address` normalised, and no other live contact's (UNIQUE).

    One whose person was erased stays suppressed, and staff are told.
    """
    contact = Contact(
        public_id=secrets.token_hex(8),
        member_id=member_id,
        name=name,
        address=address,
        created_at=at,
    )
    session.add(contact)
    session.flush()
    erased.came_back(session, contact.id, address, at=at)
    return contact


def begin_membership(
    session: Session,
    member_id: int,
    *,
    starts_at: datetime,
    ends_at: datetime | None = None,
    at: datetime,
    by: str,
    reason: str = "",
) -> Membership:
    """One more stretch of membership, recorded at `at`; both moments midnights in Québec."""
    membership = Membership(
        member_id=member_id,
        starts_at=starts_at,
        ends_at=ends_at,
        recorded_at=at,
        recorded_by=by,
        reason=reason,
    )
    session.add(membership)
    session.flush()
    return membership


def active_membership(session: Session, member_id: int, at: datetime) -> Membership | None:
    """The stretch of membership that holds at that moment; the latest begun if several do."""
    return session.scalars(
        select(Membership)
        .where(
            Membership.member_id == member_id,
            Membership.starts_at <= at,
            or_(Membership.ends_at.is_(None), Membership.ends_at > at),
        )
        .order_by(Membership.starts_at.desc(), Membership.id.desc())
        .limit(1)
    ).first()


def end_membership(
    session: Session, member_id: int, *, ends_at: datetime, at: datetime, by: str, reason: str
) -> Membership | None:
    """Close the stretch that holds at `at`; None where none does. A second call finds none."""
    membership = active_membership(session, member_id, at)
    if membership is None:
        return None
    membership.ends_at = max(ends_at, membership.starts_at)
    membership.recorded_at, membership.recorded_by, membership.reason = at, by, reason
    session.flush()
    return membership


def contact_id_of(session: Session, public_id: str) -> int | None:
    """The contact that a link names, ended or not; None where it was deleted."""
    return session.scalar(select(Contact.id).where(Contact.public_id == public_id))


def find_contact(session: Session, key: str) -> Contact:
    """The live contact of that number, address, or part of a name (the person's or enterprise's).

    Raises:
        ContactUnknown: there is none, or there are several, which it names.
    """
    live = select(Contact).where(Contact.ended_at.is_(None))
    if key.strip().isascii() and key.strip().isdigit() and len(key.strip()) < 10:
        found = session.scalars(live.where(Contact.id == int(key))).all()
    elif "@" in key:
        found = session.scalars(live.where(Contact.address == _address(key))).all()
    else:
        found = _named(session, fold(key))
    if len(found) != 1:
        raise ContactUnknown(key, tuple(f"{c.id} {c.name} <{c.address}>" for c in found[:10]))
    return found[0]


def _address(key: str) -> str:
    try:
        return normalised(key)
    except AddressRefused as error:
        raise ContactUnknown(key) from error


def _named(session: Session, part: str) -> list[Contact]:
    """Compared folded, in Python: no database folds accents as we do, and contacts are few."""
    rows = session.execute(
        select(Contact, Member.name_key)
        .join(Member, Member.id == Contact.member_id)
        .where(Contact.ended_at.is_(None))
        .order_by(Contact.id)
    ).all()
    if not part:
        return []
    whole = [c for c, key in rows if part in {key, fold(c.name)}]
    return whole or [c for c, key in rows if part in key or part in fold(c.name)]
