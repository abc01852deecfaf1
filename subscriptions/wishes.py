"""What a contact asked for, and how it changes: append-only, so that it can be proved later.

One subscription lives a contact. A change ends it and opens the next in the same transaction;
the end itself is a conditional UPDATE, so that of two changes at once one takes effect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from subscriptions.tables import EVERY_DAY, Subscription

CHANGED = "changed"
UNSUBSCRIBED = "unsubscribed"
REMOVED = "removed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What is asked for; `frequency` is a tables.Frequency, `sectors` slugs of the catalogue."""

    frequency: str
    sectors: tuple[str, ...]
    own_words: tuple[str, ...] = ()
    excluded_words: tuple[str, ...] = ()
    territory: tuple[str, ...] = ()
    #: As Subscription.weekdays.
    weekdays: int = EVERY_DAY
    most_notices: int | None = None
    paused_until: datetime | None = None
    #: goods, services, works; empty: all.
    categories: tuple[str, ...] = ()
    #: Days that a notice must still be open; 0: any.
    minimum_days_left: int = 0


def wishes_of(subscription: Subscription) -> Wishes:
    """What that subscription, live or ended, asks or asked for."""
    return Wishes(
        frequency=subscription.frequency,
        sectors=tuple(subscription.sectors),
        own_words=tuple(subscription.own_words),
        excluded_words=tuple(subscription.excluded_words),
        territory=tuple(subscription.territory),
        weekdays=subscription.weekdays,
        most_notices=subscription.most_notices,
        paused_until=subscription.paused_until,
        categories=tuple(subscription.categories),
        minimum_days_left=subscription.minimum_days_left,
    )


def live(session: Session, contact_id: int) -> Subscription | None:
    """The subscription that holds now."""
    return session.scalar(
        select(Subscription).where(
            Subscription.contact_id == contact_id, Subscription.ended_at.is_(None)
        )
    )


def history(session: Session, contact_id: int) -> list[Subscription]:
    """All the subscriptions of a contact, oldest first."""
    rows = session.scalars(
        select(Subscription)
        .where(Subscription.contact_id == contact_id)
        .order_by(Subscription.started_at, Subscription.id)
    )
    return list(rows)


def has_left(session: Session, contact_id: int) -> bool:
    """Whether the contact's last word was to unsubscribe; a roster must not bring it back."""
    last = _last(session, contact_id)
    return last is not None and last.end_reason == UNSUBSCRIBED


def _last(session: Session, contact_id: int) -> Subscription | None:
    return session.scalar(
        select(Subscription)
        .where(Subscription.contact_id == contact_id)
        .order_by(Subscription.started_at.desc(), Subscription.id.desc())
        .limit(1)
    )


def last_of_each(session: Session) -> dict[int, Subscription]:
    """The latest subscription of every contact, live or ended, by contact."""
    rows = session.scalars(select(Subscription).order_by(Subscription.started_at, Subscription.id))
    return {row.contact_id: row for row in rows}


def subscribe(
    session: Session, contact_id: int, wishes: Wishes, *, origin: str, at: datetime
) -> Subscription:
    """Open a subscription, or change the live one; the live one itself where nothing differs.

    Whether one that left may come back is the caller's question (`has_left`).
    """
    if live(session, contact_id) is None:
        return _open(session, contact_id, wishes, origin=origin, at=at)
    changed = change(session, contact_id, wishes, origin=origin, at=at)
    # None: another transaction ended it in between; then this is the one that opens.
    return changed or _open(session, contact_id, wishes, origin=origin, at=at)


def come_back(
    session: Session, contact_id: int, *, origin: str, at: datetime
) -> Subscription | None:
    """Who left, at its own request: what it asked for when it left. None where it did not leave."""
    last = _last(session, contact_id)
    if last is None or last.end_reason != UNSUBSCRIBED:
        return None
    asked = replace(wishes_of(last), paused_until=None)
    return subscribe(session, contact_id, asked, origin=origin, at=at)


def change(
    session: Session, contact_id: int, wishes: Wishes, *, origin: str, at: datetime
) -> Subscription | None:
    """Replace the live subscription; None where there is none, or another ended it just now."""
    current = live(session, contact_id)
    if current is None or wishes_of(current) == wishes:
        return current
    if not _end(session, contact_id, CHANGED, origin=origin, at=at, only=current.id):
        return None
    return _open(session, contact_id, wishes, origin=origin, at=at)


def pause(
    session: Session, contact_id: int, until: datetime | None, *, origin: str, at: datetime
) -> Subscription | None:
    """Write nothing before `until`; None for `until` ends a pause. None where none is live."""
    current = live(session, contact_id)
    if current is None:
        return None
    wishes = replace(wishes_of(current), paused_until=until)
    return change(session, contact_id, wishes, origin=origin, at=at)


def unsubscribe(session: Session, contact_id: int, *, origin: str, at: datetime) -> bool:
    """End the live subscription; False where there is none: a second call changes nothing."""
    ended = _end(session, contact_id, UNSUBSCRIBED, origin=origin, at=at)
    if not ended:
        # On PostgreSQL a change that commits while we wait ends the row we would have
        # ended and opens another one: the statement is asked once more, and sees it.
        ended = _end(session, contact_id, UNSUBSCRIBED, origin=origin, at=at)
    return ended


def remove(session: Session, contact_id: int, *, origin: str, at: datetime) -> bool:
    """End the live subscription because the contact is removed: it may be taken back later."""
    return _end(session, contact_id, REMOVED, origin=origin, at=at)


def new_subscription(contact_id: int, wishes: Wishes, *, origin: str, at: datetime) -> Subscription:
    """A subscription that is no row yet, for a contact that has none (UNIQUE)."""
    return Subscription(
        contact_id=contact_id,
        frequency=wishes.frequency,
        sectors=list(wishes.sectors),
        own_words=list(wishes.own_words),
        excluded_words=list(wishes.excluded_words),
        territory=list(wishes.territory),
        weekdays=wishes.weekdays,
        most_notices=wishes.most_notices,
        paused_until=wishes.paused_until,
        categories=list(wishes.categories),
        minimum_days_left=wishes.minimum_days_left,
        started_at=at,
        origin=origin,
    )


def _open(
    session: Session, contact_id: int, wishes: Wishes, *, origin: str, at: datetime
) -> Subscription:
    opened = new_subscription(contact_id, wishes, origin=origin, at=at)
    session.add(opened)
    session.flush()
    return opened


def _end(
    session: Session,
    contact_id: int,
    reason: str,
    *,
    origin: str,
    at: datetime,
    only: int | None = None,
) -> bool:
    statement = update(Subscription).where(
        Subscription.contact_id == contact_id, Subscription.ended_at.is_(None)
    )
    if only is not None:
        statement = statement.where(Subscription.id == only)
    result = session.execute(
        statement.values(ended_at=at, end_reason=reason, end_origin=origin),
        execution_options={"synchronize_session": "fetch"},
    )
    assert isinstance(result, CursorResult)  # noqa: S101, what an UPDATE gives
    return result.rowcount > 0
