"""What happened through the letters' links, and how it is undone.

An event is written in the transaction of what it tells; the letter that says so is owed from
its row (alerts.confirmations). Undoing and using up are conditional UPDATEs: once, whoever asks.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from subscriptions import consent, moving, wishes
from subscriptions.tables import Basis, Event, Origin, Subscription, Via, What

#: How long what was done can be undone.
UNDO_WITHIN = timedelta(hours=72)
#: How long a link that leads to another address works.
MOVE_WITHIN = timedelta(hours=48)
#: Letters with a fresh link that one contact gets in a day at most.
LINKS_A_DAY = 3
#: What the button to take the letters again says; its hash is the consent's wording.
WORDING = "Recevoir de nouveau mes lettres d’appels d’offres"
UNDOABLE = frozenset({What.LEFT, What.CHANGED, What.MOVED})


def record(
    session: Session,
    contact_id: int | None,
    what: What,
    *,
    at: datetime,
    via: Via = Via.PAGE,
    before_id: int | None = None,
    old_address: str = "",
    new_address: str = "",
    suspect: bool = False,
) -> Event:
    """One more event, in the caller's transaction."""
    event = Event(
        public_id=secrets.token_hex(8),
        contact_id=contact_id,
        what=what,
        at=at,
        via=via,
        before_id=before_id,
        old_address=old_address,
        new_address=new_address,
        suspect=suspect,
    )
    session.add(event)
    session.flush()
    return event


def find(session: Session, public_id: str, what: Collection[What]) -> Event | None:
    """The event of that id, where it is one of `what` and its contact still exists."""
    return session.scalar(
        select(Event).where(
            Event.public_id == public_id, Event.what.in_(what), Event.contact_id.is_not(None)
        )
    )


def use_up(session: Session, event: Event, *, at: datetime) -> bool:
    """Mark it undone or used; False where it already was."""
    used = session.execute(
        update(Event)
        .where(Event.id == event.id, Event.undone_at.is_(None))
        .values(undone_at=at)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(used, CursorResult)  # noqa: S101, what an UPDATE gives
    return used.rowcount == 1


def ask_link(session: Session, contact_id: int | None, *, at: datetime) -> None:
    """A fresh link is owed, unless the contact had `LINKS_A_DAY` of them in the last 24 h.

    A row is written in any case, so that the answer takes the same time for any address.
    """
    row = record(session, contact_id, What.LINK_ASKED, at=at)
    if contact_id is not None and _asked(session, contact_id, row.what, at) > LINKS_A_DAY:
        row.answered_at = at


def ask_move(session: Session, contact_id: int, *, at: datetime) -> None:
    """A link to change the address is owed to the known one, as `ask_link`."""
    row = record(session, contact_id, What.MOVE_ASKED, at=at)
    if _asked(session, contact_id, row.what, at) > LINKS_A_DAY:
        row.answered_at = at


def proposals(session: Session, contact_id: int, *, since: datetime) -> list[Event]:
    """The addresses that were proposed for that contact since then, oldest first."""
    found = session.scalars(
        select(Event)
        .where(Event.contact_id == contact_id, Event.what == What.MOVE_PROPOSED)
        .where(Event.at >= since)
        .order_by(Event.id)
    )
    return list(found)


def undo(session: Session, event: Event, *, at: datetime) -> bool:
    """Put back what `event` changed; False where it was undone already or nothing can be put back.

    After `UNDO_WITHIN` it is the caller's to refuse. An undone unsubscribe is a new consent of
    the reader's (LCAP), and is said by a letter of its own.
    """
    if event.what not in UNDOABLE or event.contact_id is None:
        return False
    if not use_up(session, event, at=at):
        return False
    if event.what == What.MOVED:
        return moving.move_back(session, event)
    before = session.get(Subscription, event.before_id) if event.before_id else None
    if before is None:
        return False
    asked = wishes.wishes_of(before)
    if event.what == What.CHANGED:
        origin = Origin.MEMBER.value
        return wishes.change(session, event.contact_id, asked, origin=origin, at=at) is not None
    return _resume(session, event.contact_id, asked, event, at=at)


def _resume(
    session: Session, contact_id: int, asked: wishes.Wishes, event: Event, *, at: datetime
) -> bool:
    if wishes.live(session, contact_id) is not None:
        return False
    wishes.subscribe(session, contact_id, asked, origin=Origin.MEMBER.value, at=at)
    consent.record(
        session,
        contact_id,
        Basis.EXPRESS,
        starts_at=at,
        at=at,
        by=Origin.MEMBER.value,
        evidence=f"event {event.public_id} undone by its link",
        wording_hash=sha256(WORDING.encode()).hexdigest(),
    )
    record(session, contact_id, What.RESUMED, at=at)
    return True


def _asked(session: Session, contact_id: int, what: str, at: datetime) -> int:
    since = at - timedelta(days=1)
    found = select(func.count()).where(
        Event.contact_id == contact_id, Event.what == what, Event.at > since
    )
    return session.scalar(found) or 0
