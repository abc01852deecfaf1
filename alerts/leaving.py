"""Unsubscribing, whichever way it came: at once, with what was waiting, in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import outbox
from alerts.tables import Gate, Letter, LetterState, Why
from base.concerns import raise_concern
from subscriptions import events, wishes
from subscriptions.by_mail import read_unsubscribe
from subscriptions.links import Links
from subscriptions.members import contact_id_of
from subscriptions.tables import Event, Origin, Subscription, Via, What

#: A button pressed so soon after the relay took a letter was pressed by a program.
TOO_SOON = timedelta(seconds=10)
#: Octets of a message that are read for its subject.
_HEAD = 64 * 1024
#: More such unsubscribes in an hour are said to staff.
MOST_SUSPECT = 2


def leave(
    session: Session, contact_id: int, *, via: Via, at: datetime, now: datetime | None = None
) -> bool:
    """End the contact's subscription and withdraw its waiting letters; False where none lives.

    `at` is when it was asked, `now` when it takes effect where that is later. Never refused:
    one that a program seems to have made is honoured, marked, and can be undone.
    """
    origin = Origin.STAFF if via is Via.STAFF else Origin.MEMBER
    if not wishes.unsubscribe(session, contact_id, origin=origin.value, at=at):
        return False
    suspect = via is Via.PAGE and _too_soon(session, contact_id, at)
    events.record(
        session,
        contact_id,
        What.LEFT,
        at=at,
        via=via,
        before_id=_ended(session, contact_id),
        suspect=suspect,
    )
    withdraw_waiting(session, contact_id, Why.SUBSCRIPTION, at=now or at)
    if suspect:
        _warn(session, at)
    return True


def leave_by_mail(session: Session, content: bytes, links: Links, *, at: datetime) -> bool:
    """Whether that message, as received, is a signed wish to leave; then it is honoured.

    The contact may have left already, or be deleted: it is a wish all the same.
    """
    head = content[:_HEAD].partition(b"\r\n\r\n")[0]
    public_id = read_unsubscribe(message_from_bytes(head), links, at)
    if public_id is None:
        return False
    contact_id = contact_id_of(session, public_id)
    if contact_id is not None:
        leave(session, contact_id, via=Via.MAIL, at=at)
    return True


def withdraw_waiting(session: Session, contact_id: int, why: Why, *, at: datetime) -> None:
    """What is waiting to tell that contact notices will not leave; its notices are given back."""
    waiting = select(Letter.id).where(
        Letter.contact_id == contact_id,
        Letter.gate == Gate.FULL,
        Letter.state.in_(outbox.WAITING),
    )
    outbox.withdraw(session, dict.fromkeys(session.scalars(waiting), why), at=at)


def _ended(session: Session, contact_id: int) -> int | None:
    return session.scalar(
        select(Subscription.id)
        .where(
            Subscription.contact_id == contact_id,
            Subscription.end_reason == wishes.UNSUBSCRIBED,
        )
        .order_by(Subscription.id.desc())
        .limit(1)
    )


def _too_soon(session: Session, contact_id: int, at: datetime) -> bool:
    fresh = select(Letter.id).where(
        Letter.contact_id == contact_id,
        Letter.state == LetterState.ACCEPTED,
        Letter.settled_at > at - TOO_SOON,
    )
    return session.scalar(fresh.limit(1)) is not None


def _warn(session: Session, at: datetime) -> None:
    """Say to staff, once an hour, that a mail filter seems to press the buttons."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    suspect = select(func.count()).where(
        Event.what == What.LEFT, Event.suspect.is_(True), Event.at >= at - timedelta(hours=1)
    )
    count = session.scalar(suspect) or 0
    if count > MOST_SUSPECT:
        raise_concern(
            session,
            key=f"leaves:suspect:{hour.isoformat()}",
            cause="suspect leaves",
            detail={"count": count},
            at=at,
        )
