"""All that is known of members and contacts at a moment, read in a handful of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscriptions import wishes
from subscriptions.difference import Known, KnownContact, KnownMember
from subscriptions.stretches import Stretch
from subscriptions.tables import Consent, Contact, Member, Membership, Origin, Subscription


def known(session: Session, at: datetime) -> Known:
    """All that a roster is compared with."""
    enterprises = known_members(session)
    keys = {m.id: (key, m.name) for key, m in enterprises.items()}
    last = wishes.last_of_each(session)
    consents = _consents(session, at)
    contacts: dict[str, KnownContact] = {}
    gone: dict[tuple[str, str], KnownContact] = {}
    rows = list(session.scalars(select(Contact).order_by(Contact.id)))
    for row in rows:
        enterprise = keys[row.member_id]
        found = _contact(row, enterprise, last.get(row.id), consents[row.id], at)
        if row.ended_at is None:
            contacts[row.address] = found
        else:
            gone[enterprise[0], row.address] = found
    asked = ((row.address, last[row.id]) for row in rows if row.id in last)
    ends = ((address, one.end_reason if one.ended_at else None) for address, one in asked)
    return Known(enterprises, contacts, gone, left(ends), _merged(rows, keys))


def known_members(session: Session) -> dict[str, KnownMember]:
    """Every enterprise by its key, with the stretches of membership that are known now."""
    stretches: defaultdict[int, list[Stretch]] = defaultdict(list)
    rows = session.execute(
        select(Membership.member_id, Membership.id, Membership.starts_at, Membership.ends_at)
        .where(Membership.superseded_at.is_(None))
        .order_by(Membership.starts_at, Membership.id)
    )
    for member_id, row_id, starts_at, ends_at in rows:
        stretches[member_id].append(Stretch(row_id, starts_at, ends_at))
    return {
        m.name_key: KnownMember(
            id=m.id, name=m.name, telephone=m.telephone, stretches=tuple(stretches[m.id])
        )
        for m in session.scalars(select(Member).order_by(Member.id))
    }


def _consents(session: Session, at: datetime) -> defaultdict[int, list[Consent]]:
    """Those that are not over, by contact."""
    found: defaultdict[int, list[Consent]] = defaultdict(list)
    for one in session.scalars(select(Consent).order_by(Consent.starts_at, Consent.id)):
        if one.ends_at is None or at < one.ends_at:
            found[one.contact_id].append(one)
    return found


def _contact(
    row: Contact,
    enterprise: tuple[str, str],
    last: Subscription | None,
    consents: Iterable[Consent],
    at: datetime,
) -> KnownContact:
    living = last if last is not None and last.ended_at is None else None
    return KnownContact(
        id=row.id,
        key=enterprise[0],
        enterprise=enterprise[1],
        name=row.name,
        wishes=wishes.wishes_of(living) if living else None,
        last_wishes=wishes.wishes_of(last) if last else None,
        origin=Origin(living.origin) if living else None,
        consents=tuple((c.basis, c.evidence, c.starts_at) for c in consents),
        may_be_written_to=any(c.starts_at <= at for c in consents),
    )


def left(ends: Iterable[tuple[str, str | None]]) -> frozenset[str]:
    """Addresses whose reader unsubscribed, and is not there again under another contact.

    Of each contact its address, and why its last subscription ended: None where it is live.
    """
    every = set(ends)
    gone = {address for address, reason in every if reason == wishes.UNSUBSCRIBED}
    return frozenset(gone - {address for address, reason in every if reason is None})


def _merged(
    rows: Iterable[Contact], keys: Mapping[int, tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """By enterprise and address of each contact that was merged: the kept one's address."""
    addresses = {row.id: row.address for row in rows}
    return {
        (keys[row.member_id][0], row.address): addresses[row.merged_into_id]
        for row in rows
        if row.merged_into_id is not None and row.merged_into_id in addresses
    }
