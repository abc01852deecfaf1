"""The consent dossier of a person: what proves that each letter was allowed (LCAP, s. 13).

Everything is read from the rows of the day: for each letter that the relay accepted, the
membership that the one statement noted and the consents in force at that instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, defer

from alerts.persons import Person
from alerts.tables import Letter, LetterState, Omission
from subscriptions import erased, wishes
from subscriptions.tables import (
    Consent,
    Contact,
    Event,
    Member,
    Membership,
    Subscription,
    Suppression,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """One letter that the relay accepted, and what allowed it at that instant."""

    letter: Letter
    #: When the dot was let pass: the instant at which it was judged.
    at: datetime
    #: The one that the statement noted; what was recorded of it later may differ.
    membership: Membership | None
    #: The consent in force, the latest begun of several.
    consent: Consent | None

    @property
    def whole(self) -> bool:
        """Whether both are on record."""
        return self.membership is not None and self.consent is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dossier:
    """All that bears on whether a person could be written to, oldest first."""

    contacts: tuple[Contact, ...]
    members: tuple[Member, ...]
    memberships: tuple[Membership, ...]
    consents: tuple[Consent, ...]
    subscriptions: tuple[Subscription, ...]
    events: tuple[Event, ...]
    suppressions: tuple[Suppression, ...]
    proofs: tuple[Proof, ...]
    #: Letters that did not leave, or are not settled.
    others: tuple[Letter, ...]
    omissions: tuple[Omission, ...]

    @property
    def lacking(self) -> tuple[Proof, ...]:
        """Accepted letters without a membership or a consent on record."""
        return tuple(one for one in self.proofs if not one.whole)


def dossier(session: Session, who: Person) -> Dossier:
    """The dossier as the rows have it now; reading it changes nothing."""
    letters = session.scalars(
        select(Letter)
        .options(defer(Letter.content))
        .where(Letter.contact_id.in_(who.contacts))
        .order_by(Letter.written_at, Letter.id)
    ).all()
    memberships = session.scalars(
        select(Membership)
        .where(Membership.member_id.in_(who.members))
        .order_by(Membership.starts_at, Membership.id)
    ).all()
    consents = session.scalars(
        select(Consent).where(Consent.contact_id.in_(who.contacts)).order_by(Consent.id)
    ).all()
    accepted = [one for one in letters if one.state == LetterState.ACCEPTED]
    return Dossier(
        contacts=tuple(session.scalars(select(Contact).where(Contact.id.in_(who.contacts)))),
        members=tuple(session.scalars(select(Member).where(Member.id.in_(who.members)))),
        memberships=tuple(memberships),
        consents=tuple(consents),
        subscriptions=tuple(
            row for contact in who.contacts for row in wishes.history(session, contact)
        ),
        events=tuple(
            session.scalars(
                select(Event).where(Event.contact_id.in_(who.contacts)).order_by(Event.id)
            )
        ),
        suppressions=_suppressions(session, who),
        proofs=tuple(_proof(one, memberships, consents) for one in accepted),
        others=tuple(one for one in letters if one.state != LetterState.ACCEPTED),
        omissions=tuple(
            session.scalars(
                select(Omission)
                .where(Omission.contact_id.in_(who.contacts))
                .order_by(Omission.at, Omission.id)
            )
        ),
    )


def _proof(letter: Letter, memberships: Sequence[Membership], consents: Sequence[Consent]) -> Proof:
    at = letter.in_doubt_at or letter.settled_at or letter.written_at
    member = [one for one in memberships if one.id == letter.membership_id]
    agreed = [one for one in consents if one.contact_id == letter.contact_id and _held(one, at)]
    return Proof(
        letter=letter,
        at=at,
        membership=member[0] if member else None,
        consent=max(agreed, key=lambda one: (one.starts_at, one.id), default=None),
    )


def _held(one: Consent, at: datetime) -> bool:
    return one.starts_at <= at and (one.ends_at is None or at < one.ends_at)


def _suppressions(session: Session, who: Person) -> tuple[Suppression, ...]:
    hidden = list(erased.digests(session, who.addresses))
    found = session.scalars(
        select(Suppression)
        .where(or_(Suppression.address.in_(who.addresses), Suppression.digest.in_(hidden)))
        .order_by(Suppression.set_at, Suppression.id)
    )
    return tuple(found)
