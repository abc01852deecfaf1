"""What can befall a contact while its letter is on its way, and the guard that must see it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from alerts.tables import Why
from subscriptions import members, suppressions, wishes
from subscriptions.tables import Consent, Contact
from tests.coop import AT, LONG_AGO

Change = Callable[[Session, int, str], object]


def _unsubscribe(session: Session, contact_id: int, _address: str) -> None:
    wishes.unsubscribe(session, contact_id, origin="member", at=AT)


def _pause(session: Session, contact_id: int, _address: str) -> None:
    until = AT.replace(year=AT.year + 1)
    wishes.pause(session, contact_id, until, origin="member", at=AT)


def _lapse(session: Session, contact_id: int, _address: str) -> None:
    member_id = session.scalars(select(Contact.member_id).where(Contact.id == contact_id)).one()
    members.end_membership(
        session, member_id, ends_at=LONG_AGO, at=AT, by="campaign", reason="lapsed"
    )


def _suppress(session: Session, _contact_id: int, address: str) -> None:
    suppressions.suppress(session, address, reason="complaint", at=AT)


def _move(session: Session, contact_id: int, address: str) -> None:
    moved = update(Contact).where(Contact.id == contact_id)
    session.execute(moved.values(address=f"ailleurs-{address}"))


def _delete(session: Session, contact_id: int, _address: str) -> None:
    session.execute(delete(Contact).where(Contact.id == contact_id))


def _end_consent(session: Session, contact_id: int, _address: str) -> None:
    session.execute(update(Consent).where(Consent.contact_id == contact_id).values(ends_at=AT))


CHANGES: dict[str, tuple[Change, Why | None]] = {
    "unsubscribe": (_unsubscribe, Why.SUBSCRIPTION),
    "lapse": (_lapse, Why.MEMBERSHIP),
    "suppress": (_suppress, Why.SUPPRESSED),
    "pause": (_pause, Why.PAUSED),
    "move": (_move, Why.ADDRESS),
    "delete": (_delete, None),
    "consent": (_end_consent, Why.CONSENT),
}
