"""A roster applied: what is known is read, compared, and changed, in the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from base import audit
from subscriptions import consent, members, wishes
from subscriptions.comparing import compare
from subscriptions.difference import (
    ContactChange,
    Difference,
    Fact,
    Known,
    KnownContact,
    KnownMember,
    MemberChange,
)
from subscriptions.roster import Roster
from subscriptions.stretches import Stretch, midnight
from subscriptions.tables import Consent, Contact, Member, Membership, Origin, Subscription

ACTION = "membres importer"


def difference(session: Session, roster: Roster, at: datetime) -> Difference:
    """What the roster would change; nothing is."""
    return compare(roster, known(session, at), at)


def take_in(session: Session, roster: Roster, *, at: datetime, by: str) -> Difference:
    """Apply a roster and say what it changed. The same one a second time changes nothing.

    All or nothing is the caller's transaction (`database.write()`).
    """
    found = difference(session, roster, at)
    ids = {key: m.id for key, m in known_members(session).items()}
    for member in found.members:
        ids[member.key] = _apply_member(session, member, at=at, by=by)
    for contact in found.contacts:
        _apply_contact(session, contact, ids[contact.key], at=at, by=by)
    return found


def known(session: Session, at: datetime) -> Known:
    """All that a roster is compared with, in a handful of statements."""
    enterprises = known_members(session)
    keys = {m.id: (key, m.name) for key, m in enterprises.items()}
    living = {
        s.contact_id: s
        for s in session.scalars(select(Subscription).where(Subscription.ended_at.is_(None)))
    }
    consents: defaultdict[int, list[Consent]] = defaultdict(list)
    for one in session.scalars(select(Consent).order_by(Consent.id)):
        consents[one.contact_id].append(one)
    contacts: dict[str, KnownContact] = {}
    left: set[str] = set()
    subscribed: set[str] = set()
    for contact in session.scalars(select(Contact).order_by(Contact.id)):
        if contact.id in living:
            subscribed.add(contact.address)
        elif wishes.has_left(session, contact.id):
            left.add(contact.address)
        if contact.ended_at is None:
            contacts[contact.address] = _known_contact(
                contact, keys[contact.member_id], living.get(contact.id), consents[contact.id], at
            )
    # Who came back after an earlier contact of that address left is there again.
    return Known(enterprises, contacts, frozenset(left - subscribed))


def known_members(session: Session) -> dict[str, KnownMember]:
    """Every enterprise by its key, with all its stretches of membership."""
    stretches: defaultdict[int, list[Stretch]] = defaultdict(list)
    for row in session.scalars(select(Membership).order_by(Membership.starts_at)):
        stretches[row.member_id].append(Stretch(row.id, row.starts_at, row.ends_at))
    return {
        m.name_key: KnownMember(
            id=m.id, name=m.name, telephone=m.telephone, stretches=tuple(stretches[m.id])
        )
        for m in session.scalars(select(Member).order_by(Member.id))
    }


def _known_contact(
    contact: Contact,
    enterprise: tuple[str, str],
    living: Subscription | None,
    consents: Sequence[Consent],
    at: datetime,
) -> KnownContact:
    return KnownContact(
        id=contact.id,
        key=enterprise[0],
        enterprise=enterprise[1],
        name=contact.name,
        wishes=wishes.wishes_of(living) if living else None,
        origin=Origin(living.origin) if living else None,
        consents=tuple((c.basis, c.evidence, c.starts_at) for c in consents),
        may_be_written_to=any(
            c.starts_at <= at and (c.ends_at is None or at < c.ends_at) for c in consents
        ),
    )


def _apply_member(session: Session, change: MemberChange, *, at: datetime, by: str) -> int:
    member = session.get(Member, change.member_id) if change.member_id else None
    if member is None:
        member = members.add_member(session, change.name, at=at, telephone=change.telephone)
    member.name, member.telephone = change.name, change.telephone
    for stretch in change.stretches:
        _apply_stretch(session, member.id, stretch, reason=change.status, at=at, by=by)
    _note(session, f"member:{member.id}", change.kind, change.facts, at=at, by=by)
    return member.id


def _apply_stretch(
    session: Session, member_id: int, stretch: Stretch, *, reason: str, at: datetime, by: str
) -> None:
    row = session.get(Membership, stretch.id) if stretch.id else None
    if row is None:
        members.begin_membership(
            session,
            member_id,
            starts_at=stretch.starts_at,
            ends_at=stretch.ends_at,
            at=at,
            by=by,
            reason=reason,
        )
        return
    row.starts_at, row.ends_at = stretch.starts_at, stretch.ends_at
    row.recorded_at, row.recorded_by, row.reason = at, by, reason


def _apply_contact(
    session: Session, change: ContactChange, member_id: int, *, at: datetime, by: str
) -> None:
    contact = session.get(Contact, change.contact_id) if change.contact_id else None
    if contact is None:
        contact = members.add_contact(session, member_id, change.address, at=at, name=change.name)
    contact.name = change.name
    if change.wishes is not None:
        write = wishes.subscribe if change.subscribes else wishes.change
        write(session, contact.id, change.wishes, origin=Origin.ROSTER.value, at=at)
    if change.consent is not None:
        consented_on = change.consent.starts_on
        consent.record(
            session,
            contact.id,
            change.consent.basis,
            starts_at=midnight(consented_on) if consented_on else at,
            at=at,
            by=by,
            evidence=change.consent.evidence,
        )
    _note(session, f"contact:{contact.id}", change.kind, change.facts, at=at, by=by)


def _note(
    session: Session, subject: str, kind: str, facts: Sequence[Fact], *, at: datetime, by: str
) -> None:
    audit.record(
        session,
        at=at,
        who=by,
        action=ACTION,
        subject=subject,
        before={f.field.value: _plain(f.before) for f in facts},
        after={"kind": kind} | {f.field.value: _plain(f.after) for f in facts},
    )


def _plain(value: object) -> object:
    match value:
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
        case _:
            return value
