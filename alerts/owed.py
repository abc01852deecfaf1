"""Whom an edition still owes a letter or a reason: all of them, or one shard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, exists, select
from sqlalchemy.orm import Session

from alerts.streams import Plan
from alerts.tables import Edition, Letter, Omission
from alerts.writing import Pending
from subscriptions.tables import Contact, Member, Subscription

#: Contacts written for in one transaction.
BATCH = 200


@dataclass(frozen=True, slots=True)
class Shard:
    """Of an edition's contacts those whose id, divided by `of`, leaves `number`."""

    number: int
    of: int


def pending(
    session: Session, edition: Edition, plan: Plan, shard: Shard | None = None, *, after: int = 0
) -> list[Pending]:
    """The next contacts of this edition, or of one shard, that it owes a letter or a reason.

    Those beyond the contact `after`: whoever asks on need not walk over all that were answered.
    """
    found = unanswered(edition, plan).where(Contact.id > after).order_by(Contact.id).limit(BATCH)
    if shard is not None:
        found = found.where(Contact.id % shard.of == shard.number)
    return with_subscriptions(session, session.execute(found).all())


def unanswered(edition: Edition, plan: Plan) -> Select[Contact, Member]:
    """The contacts of this edition that have neither letter nor, instead of one, omission in it."""
    return plan.contacts.where(
        ~exists().where(Letter.edition_id == edition.id, Letter.contact_id == Contact.id)
    ).where(
        ~exists().where(
            Omission.edition_id == edition.id,
            Omission.contact_id == Contact.id,
            Omission.letter_id.is_(None),
        )
    )


def among(session: Session, plan: Plan, contact_ids: Sequence[int]) -> list[Pending]:
    """Those of the contacts whom the edition is still for."""
    still = plan.contacts if plan.again is None else plan.again
    found = session.execute(still.where(Contact.id.in_(contact_ids)).order_by(Contact.id))
    return with_subscriptions(session, found.all())


def with_subscriptions(session: Session, rows: Sequence[Row[Contact, Member]]) -> list[Pending]:
    """Those contacts, each with its live subscription."""
    subscriptions = session.scalars(
        select(Subscription)
        .where(Subscription.contact_id.in_([contact.id for contact, _ in rows]))
        .where(Subscription.ended_at.is_(None))
    )
    live = {one.contact_id: one for one in subscriptions}
    return [Pending(contact, member, live.get(contact.id)) for contact, member in rows]
