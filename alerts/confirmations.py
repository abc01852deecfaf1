"""What the pages did is said by a letter: owed from the rows of `event`, written once each.

The pages need no relay, no template of letters and no time for it: they write the event. Keys
are `confirm:{event}`; the letters leave through the outbox and the one statement, as all do.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.entitlement import contacts_refused
from alerts.errors import LetterUnwritable
from alerts.freezing import frozen, keep
from alerts.letter import Composed, ReaderLinks
from alerts.note import compose_note
from alerts.tables import Gate, Letter, Omission, Why
from alerts.writing import Desk
from base import french
from base.concerns import raise_concern
from base.database import Database, insert
from subscriptions import events, wishes
from subscriptions.links import Purpose
from subscriptions.tables import EVERY_DAY, Contact, Event, Subscription, What

logger = logging.getLogger(__name__)

#: Events answered in one transaction.
BATCH = 200


@dataclass(frozen=True, slots=True)
class _Form:
    """How one kind of event is said."""

    #: The folder in templates/emails.
    name: str
    gate: Gate
    #: How long its link works, and the letter is worth sending.
    lasts: timedelta
    #: What its link does; None for the reader's own link, or none.
    purpose: Purpose | None = None


FORMS: dict[str, _Form] = {
    What.LEFT: _Form("left", Gate.ANSWER, events.UNDO_WITHIN, Purpose.UNDO),
    What.CHANGED: _Form("changed", Gate.ANSWER, events.UNDO_WITHIN, Purpose.UNDO),
    What.RESUMED: _Form("resumed", Gate.ANSWER, events.UNDO_WITHIN),
    What.LINK_ASKED: _Form("fresh_link", Gate.ANSWER, events.MOVE_WITHIN),
    What.MOVE_ASKED: _Form("move_asked", Gate.ANSWER, events.MOVE_WITHIN, Purpose.MOVE),
    What.MOVE_PROPOSED: _Form(
        "move_proposed", Gate.NEW_MAILBOX, events.MOVE_WITHIN, Purpose.CONFIRM
    ),
    What.MOVED: _Form("moved", Gate.OLD_MAILBOX, events.UNDO_WITHIN, Purpose.UNDO),
}


def write_owed(database: Database, desk: Desk, *, at: datetime) -> Counter[str]:
    """Write the letter of every event that has none yet; counts of letters and of each Why."""
    done: Counter[str] = Counter()
    while True:
        with database.write() as session:
            owed = session.execute(
                select(Event, Contact)
                .outerjoin(Contact, Contact.id == Event.contact_id)
                .where(Event.answered_at.is_(None))
                .order_by(Event.id)
                .limit(BATCH)
                .with_for_update(of=Event, skip_locked=True)
            ).all()
            for event, contact in owed:
                done[_answer(session, desk, event, contact, at=at) or "letter"] += 1
                event.answered_at = at
        if len(owed) < BATCH:
            return done


def _answer(
    session: Session, desk: Desk, event: Event, contact: Contact | None, *, at: datetime
) -> str:
    """Write the letter of one event; or why there is none."""
    form = FORMS[event.what]
    if contact is None or event.undone_at is not None or event.at + form.lasts <= at:
        return Why.EXPIRED
    why = contacts_refused(session, [contact.id], at=at, gate=form.gate).get(contact.id)
    if why is not None:
        session.add(Omission(at=at, contact_id=contact.id, why=why, detail=f"event {event.id}"))
        return why
    key = f"confirm:{event.public_id}"
    try:
        composed = _compose(session, desk, event, contact, key=key, at=at)
    except LetterUnwritable:
        logger.exception("confirmation unwritable", extra={"event": event.id})
        raise_concern(
            session, key=key, cause="confirmation unwritable", detail={"event": event.id}, at=at
        )
        return Why.UNWRITABLE
    _freeze(session, event, contact, form, composed, key=key, at=at)
    return ""


def _compose(
    session: Session, desk: Desk, event: Event, contact: Contact, *, key: str, at: datetime
) -> Composed:
    form, who = FORMS[event.what], (contact.public_id, contact.link_version, at)
    own = form.gate is Gate.ANSWER
    change = desk.links.change(*who)
    context: dict[str, object] = {
        "done_at": event.at,
        "until": event.at + form.lasts,
        "action": desk.links.event(form.purpose, event.public_id, at) if form.purpose else change,
        "subscribed": own and wishes.live(session, contact.id) is not None,
    }
    if event.what == What.CHANGED:
        context |= _wished(session, desk, event)
    return compose_note(
        form.name,
        desk.press.sender,
        ReaderLinks(leave=desk.links.leave(*who), change=change) if own else None,
        context,
        recipient=_recipient(event, contact, form),
        key=key,
        at=at,
    )


def _recipient(event: Event, contact: Contact, form: _Form) -> str:
    """Decided by the gate, which the one statement reads again."""
    if form.gate is Gate.NEW_MAILBOX:
        return event.new_address
    return event.old_address if form.gate is Gate.OLD_MAILBOX else contact.address


def _wished(session: Session, desk: Desk, event: Event) -> dict[str, object]:
    """The wishes that the change led to."""
    if event.before_id is None:
        raise LetterUnwritable("what held before is no longer known")
    after = session.scalar(
        select(Subscription)
        .where(Subscription.contact_id == event.contact_id, Subscription.id > event.before_id)
        .order_by(Subscription.id)
        .limit(1)
    )
    if after is None:
        raise LetterUnwritable("the change is no longer known")
    wished = wishes.wishes_of(after)
    return {
        "wished": wished,
        "labels": french.listed([desk.catalogue.label(slug) for slug in wished.sectors]),
        "days": "" if wished.weekdays == EVERY_DAY else french.listed(_days(wished.weekdays)),
    }


def _days(weekdays: int) -> list[str]:
    return [name for bit, name in enumerate(french.DAYS) if weekdays >> bit & 1]


def _freeze(
    session: Session,
    event: Event,
    contact: Contact,
    form: _Form,
    composed: Composed,
    *,
    key: str,
    at: datetime,
) -> None:
    letter_id = session.scalar(
        insert(session, Letter)
        .values(
            key=key,
            contact_id=contact.id,
            gate=form.gate,
            **frozen(
                composed,
                _recipient(event, contact, form),
                notices=0,
                at=at,
                until=event.at + form.lasts,
            ),
        )
        .on_conflict_do_nothing(index_elements=[Letter.key])
        .returning(Letter.id)
    )
    if letter_id is not None:
        keep(session, {letter_id: composed})
