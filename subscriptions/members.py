"""Members (enterprises), their memberships and their contacts (mailboxes)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from base.text import fold
from subscriptions import erased
from subscriptions.addresses import normalised
from subscriptions.errors import AddressRefused, ContactUnknown, MemberUnknown, Overtaken
from subscriptions.tables import Contact, Member, Membership


def name_key(name: str) -> str:
    """How an enterprise is recognised: its name folded, as long as the column lets it be."""
    return fold(name)[:200]


def new_member(name: str, *, at: datetime, telephone: str = "") -> Member:
    """An enterprise that is no row yet; its name, folded, must not be another's (UNIQUE)."""
    return Member(name=name, name_key=name_key(name), telephone=telephone, created_at=at)


def add_member(session: Session, name: str, *, at: datetime, telephone: str = "") -> Member:
    """A new enterprise, as `new_member`."""
    member = new_member(name, at=at, telephone=telephone)
    session.add(member)
    session.flush()
    return member


def new_contact(member_id: int, address: str, *, at: datetime, name: str = "") -> Contact:
    """A mailbox that is no row yet; `address` normalised, and no other live contact's (UNIQUE)."""
    return Contact(
        public_id=secrets.token_hex(8),
        member_id=member_id,
        name=name,
        address=address,
        created_at=at,
    )


def add_contacts(session: Session, contacts: Sequence[Contact]) -> None:
    """The one way by which mailboxes become rows.

    One whose person was erased stays suppressed, and staff are told.
    """
    session.add_all(contacts)
    session.flush()
    erased.came_back(session, contacts)


def add_contact(
    session: Session, member_id: int, address: str, *, at: datetime, name: str = ""
) -> Contact:
    """A new mailbox of a member, as `new_contact`."""
    contact = new_contact(member_id, address, at=at, name=name)
    add_contacts(session, [contact])
    return contact


def take_back(contact: Contact, *, name: str) -> None:
    """A removed contact of the same enterprise lives again: what it was told is not repeated.

    Its links to change are dead: another person may read there.
    """
    contact.ended_at, contact.merged_into_id = None, None
    contact.name = name
    contact.link_version += 1


def new_membership(
    member_id: int,
    *,
    starts_at: datetime,
    ends_at: datetime | None = None,
    at: datetime,
    by: str,
    reason: str = "",
) -> Membership:
    """A stretch that is no row yet, recorded at `at`; both moments midnights in Québec."""
    return Membership(
        member_id=member_id,
        starts_at=starts_at,
        ends_at=ends_at,
        recorded_at=at,
        recorded_by=by,
        reason=reason,
    )


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
    """One more stretch of membership, as `new_membership`."""
    membership = new_membership(
        member_id, starts_at=starts_at, ends_at=ends_at, at=at, by=by, reason=reason
    )
    session.add(membership)
    session.flush()
    return membership


def active_membership(session: Session, member_id: int, at: datetime) -> Membership | None:
    """The known stretch of membership that holds at that moment; the latest begun of several."""
    return session.scalars(
        select(Membership)
        .where(
            Membership.member_id == member_id,
            Membership.superseded_at.is_(None),
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
    return correct_membership(
        session,
        membership.id,
        starts_at=membership.starts_at,
        ends_at=max(ends_at, membership.starts_at),
        at=at,
        by=by,
        reason=reason,
    )


def correct_membership(
    session: Session,
    membership_id: int,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    at: datetime,
    by: str,
    reason: str = "",
) -> Membership:
    """Put another stretch in the place of a known one, which stays as what was known before.

    Raises:
        Overtaken: the stretch was superseded already.
    """
    member_id = withdraw_membership(session, membership_id, at=at)
    return begin_membership(
        session, member_id, starts_at=starts_at, ends_at=ends_at, at=at, by=by, reason=reason
    )


def withdraw_membership(session: Session, membership_id: int, *, at: datetime) -> int:
    """From `at` on, that stretch is known never to have been; returns whose it was.

    A conditional UPDATE, for which a letter that passes its last guard is waited for.

    Raises:
        Overtaken: it was superseded already.
    """
    member_id = session.scalar(
        update(Membership)
        .where(Membership.id == membership_id, Membership.superseded_at.is_(None))
        .values(superseded_at=at)
        .returning(Membership.member_id)
        .execution_options(synchronize_session="fetch")
    )
    if member_id is None:
        raise Overtaken(f"membership {membership_id}")
    return member_id


def memberships(session: Session, member_id: int) -> list[Membership]:
    """All that is and was known of a member's stretches, in the order in which it was recorded."""
    found = select(Membership).where(Membership.member_id == member_id)
    return list(session.scalars(found.order_by(Membership.recorded_at, Membership.id)))


def contact_id_of(session: Session, public_id: str) -> int | None:
    """The contact that a link names, ended or not; None where it was deleted.

    Of one that was merged it is the kept one: who leaves by an old letter is to get no other.
    """
    kept = func.coalesce(Contact.merged_into_id, Contact.id)
    return session.scalar(select(kept).where(Contact.public_id == public_id))


def find_member(session: Session, key: str) -> Member:
    """The enterprise of that number, name, or part of a name.

    Raises:
        MemberUnknown: there is none, or there are several, which it names.
    """
    everyone = select(Member).order_by(Member.name_key)
    if key.strip().isascii() and key.strip().isdigit() and len(key.strip()) < 10:
        found = session.scalars(everyone.where(Member.id == int(key))).all()
    else:
        part = name_key(key)
        found = session.scalars(everyone.where(Member.name_key == part)).all()
        if part and not found:
            near = everyone.where(Member.name_key.contains(part, autoescape=True))
            found = session.scalars(near).all()
    if len(found) != 1:
        raise MemberUnknown(key, tuple(f"{m.id} {m.name}" for m in found[:10]))
    return found[0]


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
