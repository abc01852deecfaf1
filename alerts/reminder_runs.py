"""The run of a day's reminders: one letter a contact, from 06:30 on, as soon as one is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from alerts import reminders, rhythm
from alerts.digest import Notice
from alerts.ledger import Heard
from alerts.streams import Plan, Tick, live_contacts
from alerts.tables import Edition, Stream
from alerts.writing import Batch, Pending
from base.clock import quebec_day
from subscriptions.tables import Contact


def label(at: datetime) -> str:
    """The day in Québec."""
    return quebec_day(at).isoformat()


def is_called(tick: Tick) -> bool:
    """Whether the day's run is to be opened: it has not been, and somebody is to be reminded.

    In the evening, where the day was missed, only for whom something closes within 24 hours: the
    others' reminders are as due the next morning.
    """
    if tick.at < reminders.morning_of(quebec_day(tick.at)):
        return False
    with tick.database.read() as session:
        opened = exists().where(
            Edition.frequency == Stream.REMINDER, Edition.label == label(tick.at)
        )
        if session.scalar(select(opened)):
            return False
        return bool(_due(session, tick.at))


def plan(tick: Tick, edition: Edition) -> Plan:  # noqa: ARG001, as every stream's
    """Those to be reminded of something now."""
    with tick.database.read() as session:
        ids = _due(session, tick.at)
    everybody = live_contacts()
    return Plan(everybody.where(Contact.id.in_(ids)), choose=reminded, again=everybody)


def _due(session: Session, at: datetime) -> list[int]:
    found, soon = reminders.due(session, at=at), at + rhythm.URGENT
    return [
        contact_id
        for contact_id, several in found.items()
        if not rhythm.is_quiet(at) or any(one.closes_at <= soon for one in several)
    ]


def reminded(batch: Batch, to: Pending, heard: Heard) -> tuple[Notice, ...]:  # noqa: ARG001, a Choose
    """All that the contact is to be reminded of today, soonest to close first.

    With what changed since it last read of the call, which it then knows.
    """
    found = reminders.due(batch.session, [to.contact.id], at=batch.at).get(to.contact.id, [])
    owed = {
        one.amended.cluster_id: one.amended.amendments
        for one in batch.changes.by_contact.get(to.contact.id, ())
    }
    return tuple(
        replace(one.notice(batch.desk.catalogue), amendments=owed.get(one.cluster_id, ()))
        for one in found
    )
