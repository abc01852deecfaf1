"""Who holds a link, as far as a page needs to know; never shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pages.site import Site
from subscriptions import wishes
from subscriptions.errors import LinkRefused
from subscriptions.links import Purpose
from subscriptions.members import active_membership
from subscriptions.tables import Contact, Subscription


@dataclass(frozen=True, slots=True)
class Reader:
    """A live contact whose link to change is good."""

    contact: Contact
    #: None for one who left.
    subscription: Subscription | None
    #: Whether the enterprise is a member at this moment.
    active: bool


def reader_of(site: Site, session: Session, token: str, at: datetime) -> Reader | None:
    """Who holds that link to change; None for whatever is wrong with it."""
    try:
        ticket = site.links.read(Purpose.CHANGE, token, at)
    except LinkRefused:
        return None
    contact = session.scalar(
        select(Contact).where(
            Contact.public_id == ticket.public_id,
            Contact.link_version == ticket.version,
            Contact.ended_at.is_(None),
        )
    )
    if contact is None:
        return None
    membership = active_membership(session, contact.member_id, at)
    return Reader(contact, wishes.live(session, contact.id), membership is not None)
