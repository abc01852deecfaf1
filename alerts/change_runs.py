"""The runs of what cannot wait for a reader's next letter: critical changes, and pressing ones.

A run is called as soon as such a change has been known for some minutes, so that those of one
reading leave in one letter; at night in the morning, unless the call closes, or was to close,
within a day. Everything else that changed is in the reader's next letter (alerts.writing).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import rhythm
from alerts.changed import Change, Changes, changes
from alerts.classification import Lexicon
from alerts.digest import Notice, ordered
from alerts.entitlement import contacts_refused
from alerts.ledger import Heard
from alerts.motion import amended
from alerts.poison import Poison
from alerts.streams import Plan, Tick, live_contacts
from alerts.tables import Edition, Letter, LetterState, Omission, Stream, Why
from alerts.writing import Batch, Pending
from base.clock import quebec_day, wall_time
from subscriptions.tables import Contact, Frequency, Subscription


def is_called(tick: Tick) -> bool:
    """Whether there is somebody to write to."""
    with tick.database.read() as session:
        return bool(due(session, tick.desk.lexicon, tick.poison, at=tick.at))


def plan(tick: Tick, edition: Edition) -> Plan:  # noqa: ARG001, as every stream's
    """Those to whom a change is owed now, and no others."""
    with tick.database.read() as session:
        ids = due(session, tick.desk.lexicon, tick.poison, at=tick.at)
    everybody = live_contacts()
    return Plan(everybody.where(Contact.id.in_(ids)), choose=pressing, again=everybody)


def pressing(batch: Batch, to: Pending, heard: Heard) -> tuple[Notice, ...]:  # noqa: ARG001, a Choose
    """What the contact must hear at once about what it was told, soonest to close first.

    Whatever the hour: a letter that is composed anew was due before.
    """
    if to.subscription is None:
        return ()
    owed = batch.changes.of(to.subscription, batch.poison)
    found = _pressing(owed, to.subscription, batch.at)
    return ordered(one.notice(batch.desk.catalogue) for one in found)


def due(session: Session, lexicon: Lexicon, poison: Poison, *, at: datetime) -> list[int]:
    """The contacts to whom a change is owed that may leave at `at`.

    One who may not be written to is among them until an omission says why.
    """
    moved = amended(session, at)
    if not moved.since:
        return []
    found = _waiting(
        session,
        # Most readers hear of nothing but what presses: only of that is it asked what they know.
        changes(session, lexicon, at=at, moved=moved.only(lambda one: one.presses(at))),
        poison,
        at,
    )
    hasty = list(_at_once(session))
    found |= _waiting(session, changes(session, lexicon, hasty, at=at, moved=moved), poison, at)
    found = {contact_id: held for contact_id, held in found.items() if _may_leave(held, at)}
    kept = found.keys() - _answered(session, found, at) - _sated(session, found, at)
    return sorted(kept)


def _waiting(
    session: Session, owed: Changes, poison: Poison, at: datetime
) -> dict[int, list[Change]]:
    """What presses, by contact."""
    readers = _subscriptions(session, owed.by_contact) if owed.by_contact else ()
    found = {one.contact_id: _pressing(owed.of(one, poison), one, at) for one in readers}
    return {contact_id: pressing for contact_id, pressing in found.items() if pressing}


def _at_once(session: Session) -> Iterable[int]:
    return session.scalars(
        select(Subscription.contact_id).where(
            Subscription.ended_at.is_(None), Subscription.frequency == Frequency.INSTANT
        )
    )


def _pressing(owed: Iterable[Change], to: Subscription, at: datetime) -> list[Change]:
    """The rhythm of who asked to hear at once is at once."""
    at_once = to.frequency == Frequency.INSTANT
    return [one for one in owed if at_once or one.amended.presses(at)]


def _may_leave(found: Sequence[Change], at: datetime) -> bool:
    first = min(one.amended.revision.seen_at for one in found)
    urgent = any(one.amended.closes_within(rhythm.URGENT, at) for one in found)
    return first + rhythm.GROUPED <= at and (urgent or not rhythm.is_quiet(at))


def _subscriptions(session: Session, contact_ids: Iterable[int]) -> Iterable[Subscription]:
    """The live ones of those contacts: who left hears nothing."""
    return session.scalars(
        select(Subscription)
        .join(Contact, Contact.id == Subscription.contact_id)
        .where(Contact.id.in_(list(contact_ids)), Contact.ended_at.is_(None))
        .where(Subscription.ended_at.is_(None))
    )


def _answered(session: Session, found: Mapping[int, Sequence[Change]], at: datetime) -> set[int]:
    """Those for whom a run said since why there is no letter, and those in quarantine."""
    quarantined = session.scalars(
        select(Letter.contact_id)
        .join(Edition, Edition.id == Letter.edition_id)
        .where(Edition.frequency == Stream.CHANGE, Letter.contact_id.in_(found))
        .where(Letter.state == LetterState.QUARANTINED, Letter.expires_at > at)
    )
    refused = contacts_refused(session, found, at=at)
    said = session.execute(
        select(Omission.contact_id, Omission.why, func.max(Omission.at))
        .join(Edition, Edition.id == Omission.edition_id)
        .where(Edition.frequency == Stream.CHANGE, Omission.contact_id.in_(found))
        .where(Omission.letter_id.is_(None))
        .group_by(Omission.contact_id, Omission.why)
    )
    done = {
        contact_id
        for contact_id, why, moment in said
        if (contact_id in refused or why == Why.UNWRITABLE)
        and moment >= max(one.amended.revision.seen_at for one in found[contact_id])
    }
    return done | set(quarantined)


def _sated(session: Session, found: Mapping[int, Sequence[Change]], at: datetime) -> set[int]:
    """Those who had their letters at once today, and for whom nothing presses but their rhythm."""
    calm = [
        c for c, several in found.items() if not any(one.amended.presses(at) for one in several)
    ]
    midnight = wall_time(quebec_day(at), 5)
    counted = session.execute(
        select(Letter.contact_id)
        .join(Edition, Edition.id == Letter.edition_id)
        .where(Edition.frequency.in_([Stream.CHANGE, Stream.INSTANT]))
        .where(Letter.contact_id.in_(calm), Letter.written_at >= midnight)
        .group_by(Letter.contact_id)
        .having(func.count() >= rhythm.MOST_A_DAY)
    )
    return set(counted.scalars())
