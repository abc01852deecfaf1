"""What staff change of one contact: added, corrected, removed, merged with another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from base import locks
from subscriptions import consent, erased, members, wishes
from subscriptions.difference import NewConsent
from subscriptions.editing import Hand, Refusal
from subscriptions.errors import ChangeRefused
from subscriptions.stretches import midnight
from subscriptions.tables import Contact, Member, Origin
from subscriptions.wishes import Wishes

STAFF = Origin.STAFF.value


class Outcome(StrEnum):
    """What becomes of the kept contact's subscription when another is merged into it."""

    #: It stays as it is.
    KEPT = "kept"
    #: It asked for nothing, and takes over what the other one asked.
    TAKEN_OVER = "taken over"
    #: One of them unsubscribed: it is unsubscribed, or stays so.
    LEFT = "left"
    #: Neither asks for anything.
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What staff say of a contact; None: nothing, what is known stays."""

    name: str | None = None
    wishes: Wishes | None = None
    consent: NewConsent | None = None


def add(
    session: Session, member: Member, address: str, asked: Asked, *, hand: Hand
) -> tuple[Contact, bool]:
    """A mailbox of a member, new or taken back, and whether it is subscribed as asked.

    `address` is normalised. Who unsubscribed at that address is not subscribed by it.

    Raises:
        ChangeRefused: ADDRESS_ELSEWHERE, ADDRESS_HERE.
    """
    locks.adding(session, locks.Absence.ROSTER)
    _address_is_free(session, member.id, address)
    left = _left_at(session, address)
    contact = _gone(session, member.id, address)
    if contact is None:
        contact = members.add_contact(
            session, member.id, address, at=hand.at, name=asked.name or ""
        )
    else:
        members.take_back(contact, name=asked.name or contact.name)
        session.flush()
    if asked.wishes is not None and not left:
        wishes.subscribe(session, contact.id, asked.wishes, origin=STAFF, at=hand.at)
    if asked.consent is not None and not left:
        _consented(session, contact.id, asked.consent, hand)
    after: dict[str, object] = {"member": member.id, "subscribed": bool(asked.wishes and not left)}
    hand.note(session, f"contact:{contact.id}", None, after)
    return contact, not left


def correct(
    session: Session, contact: Contact, asked: Asked, *, address: str | None, hand: Hand
) -> None:
    """Another name or address, one more consent. Links to change die with the address.

    Raises:
        ChangeRefused: ADDRESS_ELSEWHERE, ADDRESS_HERE, ADDRESS_LEFT.
    """
    locks.adding(session, locks.Absence.ROSTER)
    changed: list[str] = []
    if asked.name is not None and asked.name != contact.name:
        contact.name = asked.name
        changed.append("name")
    if address is not None and address != contact.address:
        _address_is_free(session, contact.member_id, address)
        if _left_at(session, address):
            raise ChangeRefused(Refusal.ADDRESS_LEFT)
        contact.address, contact.link_version = address, contact.link_version + 1
        erased.recognise(session, [address])
        changed.append("address")
    if asked.consent is not None:
        _consented(session, contact.id, asked.consent, hand)
        changed.append(f"consent {asked.consent.basis.value}")
    if changed:
        hand.note(session, f"contact:{contact.id}", None, {"changed": changed})
    session.flush()


def remove(session: Session, contact: Contact, *, hand: Hand) -> None:
    """The contact is no longer one of the member's; all that it did and got stays on record."""
    locks.adding(session, locks.Absence.ROSTER)
    contact.ended_at = hand.at
    wishes.remove(session, contact.id, origin=STAFF, at=hand.at)
    hand.note(session, f"contact:{contact.id}", None, {"ended": True})
    session.flush()


def outcome(session: Session, kept: Contact, merged: Contact) -> Outcome:
    """What merging them would do to the kept one's subscription.

    Raises:
        ChangeRefused: SAME_CONTACT, TWO_ENTERPRISES.
    """
    if kept.id == merged.id:
        raise ChangeRefused(Refusal.SAME_CONTACT)
    if kept.member_id != merged.member_id:
        both = select(Member.name).where(Member.id.in_([kept.member_id, merged.member_id]))
        raise ChangeRefused(Refusal.TWO_ENTERPRISES, " | ".join(session.scalars(both)))
    if _one_left(session, kept, merged):
        return Outcome.LEFT
    if wishes.live(session, kept.id) is not None:
        return Outcome.KEPT
    return Outcome.TAKEN_OVER if wishes.live(session, merged.id) else Outcome.NOTHING


def merge(session: Session, kept: Contact, merged: Contact, *, hand: Hand) -> Outcome:
    """End `merged` as a double of `kept`; consents stay with whom they were given for.

    Where the outcome is LEFT, ending what the kept one still asks is the caller's.

    Raises:
        ChangeRefused: as `outcome`.
    """
    locks.adding(session, locks.Absence.ROSTER)
    found = outcome(session, kept, merged)
    other = wishes.live(session, merged.id)
    if found is Outcome.TAKEN_OVER and other is not None:
        asked = wishes.wishes_of(other)
        wishes.subscribe(session, kept.id, asked, origin=other.origin, at=hand.at)
    wishes.remove(session, merged.id, origin=STAFF, at=hand.at)
    merged.ended_at, merged.merged_into_id = hand.at, kept.id
    session.execute(
        update(Contact).where(Contact.merged_into_id == merged.id).values(merged_into_id=kept.id)
    )
    hand.note(
        session, f"contact:{merged.id}", None, {"merged into": kept.id, "outcome": found.value}
    )
    session.flush()
    return found


def _one_left(session: Session, kept: Contact, merged: Contact) -> bool:
    """Whether one's last word was to leave, unless the kept one asked for letters itself later."""
    if wishes.has_left(session, kept.id):
        return True
    if not wishes.has_left(session, merged.id):
        return False
    left_at = wishes.history(session, merged.id)[-1].ended_at
    current = wishes.live(session, kept.id)
    return not (
        current is not None
        and current.origin == Origin.MEMBER
        and left_at is not None
        and current.started_at > left_at
    )


def _address_is_free(session: Session, member_id: int, address: str) -> None:
    holder = session.execute(
        select(Contact.member_id, Member.name)
        .join(Member, Member.id == Contact.member_id)
        .where(Contact.address == address, Contact.ended_at.is_(None))
    ).first()
    if holder is None:
        return
    if holder.member_id == member_id:
        raise ChangeRefused(Refusal.ADDRESS_HERE, holder.name)
    raise ChangeRefused(Refusal.ADDRESS_ELSEWHERE, holder.name)


def _left_at(session: Session, address: str) -> bool:
    """Whether who reads there unsubscribed, as whichever contact."""
    ids = session.scalars(select(Contact.id).where(Contact.address == address)).all()
    return any(wishes.has_left(session, one) for one in ids) and not any(
        wishes.live(session, one) for one in ids
    )


def _gone(session: Session, member_id: int, address: str) -> Contact | None:
    return session.scalars(
        select(Contact)
        .where(Contact.member_id == member_id, Contact.address == address)
        .where(Contact.ended_at.is_not(None))
        .order_by(Contact.id.desc())
        .limit(1)
    ).first()


def _consented(session: Session, contact_id: int, given: NewConsent, hand: Hand) -> None:
    consent.record(
        session,
        contact_id,
        given.basis,
        starts_at=midnight(given.starts_on) if given.starts_on else hand.at,
        at=hand.at,
        by=hand.by,
        evidence=given.evidence,
    )
