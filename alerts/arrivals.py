"""Welcome letters, and those of a return: once, with all that is open now.

    welcome    a contact's first subscription, where the service was at work already; the first
               letters of a new service need no other welcome
    return     an enterprise is a member again: its contacts get what is still open, in one letter

Both wait ten minutes, so that a mistake can be put right, and for the morning at night. Whom a
letter is due to is asked of the rows; one that had it, or was found not to be entitled, is not
asked about again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from alerts import rhythm
from alerts.entitlement import contacts_refused
from alerts.note import Noted
from alerts.streams import Plan, Tick, dealt_with, live_contacts
from alerts.tables import Edition, Letter, LetterState, Stream
from alerts.writing import Batch, Note, Pending
from subscriptions.tables import Contact, Membership, Subscription

#: Made once: an alias works its columns out anew, and who is back is asked each minute.
_NOW, _BEFORE, _BETWEEN = aliased(Membership), aliased(Membership), aliased(Membership)
#: Who arrived longer ago needs no word about it.
LATELY = timedelta(days=14)


def welcome_is_called(tick: Tick) -> bool:
    """Whether somebody is to be welcomed now."""
    return bool(_due(tick, Stream.WELCOME))


def return_is_called(tick: Tick) -> bool:
    """Whether somebody who is back is to be written to now."""
    return bool(_due(tick, Stream.RETURN))


def welcome(tick: Tick, edition: Edition) -> Plan:  # noqa: ARG001, as every stream's
    """Those to be welcomed now: with what is open, else with a word."""
    return _plan(tick, Stream.WELCOME)


def returned(tick: Tick, edition: Edition) -> Plan:  # noqa: ARG001, as every stream's
    """Those who are back: with what is open, else with a word."""
    return _plan(tick, Stream.RETURN)


def _plan(tick: Tick, stream: Stream) -> Plan:
    everybody = live_contacts()
    due = everybody.where(Contact.id.in_(_due(tick, stream)))
    return Plan(due, note=_word(stream), again=everybody)


def _word(stream: Stream) -> Note:
    def note(batch: Batch, to: Pending) -> Noted | None:
        if to.subscription is None:
            return None
        labels = [batch.desk.catalogue.label(slug) for slug in to.subscription.sectors]
        return Noted(stream, {"frequency": to.subscription.frequency, "sectors": labels})

    return note


def _due(tick: Tick, stream: Stream) -> Sequence[int]:
    if rhythm.is_quiet(tick.at):
        return ()
    with tick.database.read() as session:
        asked = _welcomed if stream is Stream.WELCOME else _back
        ids = list(session.scalars(asked(session, tick.at)))
        refused = contacts_refused(session, ids, at=tick.at)
    return [contact_id for contact_id in ids if contact_id not in refused]


def _welcomed(session: Session, at: datetime) -> Select[int]:
    """Contacts whose first subscription began lately, after the first letter of all had left."""
    # Asked each minute: the first row that is accepted, not the least of years of letters.
    began = session.scalar(
        select(Letter.settled_at)
        .where(Letter.state == LetterState.ACCEPTED)
        .order_by(Letter.id)
        .limit(1)
    )
    first = (
        select(func.min(Subscription.started_at))
        .where(Subscription.contact_id == Contact.id)
        .correlate(Contact)
        .scalar_subquery()
    )
    ours = (
        exists()
        .where(Membership.member_id == Contact.member_id, Membership.superseded_at.is_(None))
        .where(Membership.starts_at <= at, Membership.starts_at > at - LATELY)
        .correlate(Contact)
    )
    lately = or_(first > at - LATELY, ours)
    return (
        select(Contact.id)
        .where(Contact.ended_at.is_(None), lately, first <= at - rhythm.GROUPED)
        .where(first > (began or at))
        .where(~dealt_with(Stream.WELCOME))
        .order_by(Contact.id)
    )


def _back(session: Session, at: datetime) -> Select[int]:
    """Contacts of members that are so again since lately, after a time when they were not."""
    touching = (
        exists()
        .where(_BETWEEN.member_id == _NOW.member_id, _BETWEEN.superseded_at.is_(None))
        .where(_BETWEEN.id != _NOW.id, _BETWEEN.starts_at < _NOW.starts_at)
        .where(or_(_BETWEEN.ends_at.is_(None), _BETWEEN.ends_at >= _NOW.starts_at))
    )
    since = (
        func.max(_NOW.starts_at, _NOW.recorded_at)
        if _is_sqlite(session)
        else func.greatest(_NOW.starts_at, _NOW.recorded_at)
    )
    known = Subscription.started_at < _NOW.starts_at
    return (
        select(Contact.id)
        .join(_NOW, _NOW.member_id == Contact.member_id)
        .where(Contact.ended_at.is_(None), _NOW.superseded_at.is_(None))
        .where(since > at - LATELY, since <= at - rhythm.GROUPED)
        .where(or_(_NOW.ends_at.is_(None), _NOW.ends_at > at))
        .where(
            exists()
            .where(_BEFORE.member_id == _NOW.member_id, _BEFORE.superseded_at.is_(None))
            .where(_BEFORE.ends_at < _NOW.starts_at)
        )
        .where(~touching)
        .where(exists().where(Subscription.contact_id == Contact.id, known))
        .where(~dealt_with(Stream.RETURN, since=since))
        .order_by(Contact.id)
        .distinct()
    )


def _is_sqlite(session: Session) -> bool:
    return session.connection().dialect.name == "sqlite"
