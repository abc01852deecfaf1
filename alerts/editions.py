"""THE STORY: open an edition, write its letters, hand them over.

    open_due     expected editions minus existing rows           1 row an edition
    write        every contact of the edition gets a letter, or an omission that says why not
    (dispatch)   alerts.dispatch.hand_over takes the letters from there

Each step is safe to run twice and beside itself: what is owed is computed from rows.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Row, Select, exists, func, select, update
from sqlalchemy.orm import Session

from alerts import brake, outbox, quarantine
from alerts.digest import Period
from alerts.poison import Poison
from alerts.tables import Edition, EditionState, Letter, Omission
from alerts.writing import Desk, Pending, write_batch
from base.clock import QUEBEC, quebec_day, wall_time
from base.database import Database, insert
from sources import tenders
from subscriptions.tables import Contact, Frequency, Member, Subscription

logger = logging.getLogger(__name__)

#: When an edition is due, in Québec: an hour that every day has exactly once.
DUE_HOUR = 6
#: An edition later than this is merged into the next one.
LATEST = {Frequency.DAILY: timedelta(hours=18), Frequency.WEEKLY: timedelta(days=5)}
#: Whose subscriptions an edition serves; what was asked for at once comes daily at the latest.
SERVES = {
    Frequency.DAILY.value: (Frequency.DAILY, Frequency.INSTANT),
    Frequency.WEEKLY.value: (Frequency.WEEKLY,),
}
#: Contacts written for in one transaction.
BATCH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """An edition that should exist."""

    frequency: Frequency
    label: str
    period: Period


def due(at: datetime) -> list[Due]:
    """The editions whose hour has come and is not too long past."""
    today = quebec_day(at)
    monday = today - timedelta(days=today.weekday())
    year, week, _ = monday.isocalendar()
    expected = [
        (Frequency.DAILY, today.isoformat(), today, timedelta(days=1)),
        (Frequency.WEEKLY, f"{year}-W{week:02}", monday, timedelta(days=7)),
    ]
    return [
        Due(frequency=frequency, label=label, period=_days_before(day, length))
        for frequency, label, day, length in expected
        if timedelta(0) <= at - wall_time(day, DUE_HOUR) < LATEST[frequency]
    ]


def open_due(session: Session, at: datetime) -> list[int]:
    """Make the rows of the editions that are due; the ids of those made now.

    Whoever comes second, here or on another machine, makes none. An edition that was missed
    is not made up for: the next one's period begins where the last one's ended.
    """
    opened = []
    for one in due(at):
        last = session.scalar(
            select(func.max(Edition.ends_at)).where(Edition.frequency == one.frequency)
        )
        start = min(one.period.start, last) if last else one.period.start
        made = session.scalar(
            insert(session, Edition)
            .values(
                frequency=one.frequency,
                label=one.label,
                starts_at=start,
                ends_at=one.period.end,
                opened_at=at,
                state=EditionState.OPEN,
            )
            .on_conflict_do_nothing(index_elements=[Edition.frequency, Edition.label])
            .returning(Edition.id)
        )
        if made is not None:
            opened.append(made)
    return opened


def write_open(database: Database, desk: Desk, *, at: datetime) -> Counter[str]:
    """Write the letters of every edition that is not written whole; counts by what came of it.

    Keys: "letter", "quarantined", and the Why of each omission. Letters in quarantine whose
    turn has come are composed anew. What expired is given back first, to be told again.
    """
    with database.write() as session:
        outbox.expire(session, at=at)
    done: Counter[str] = Counter()
    poison = Poison()
    with database.read() as session:
        editions = list(session.scalars(select(Edition).where(Edition.state == EditionState.OPEN)))
        again = quarantine.due(session, at=at)
        work = bool(editions or again)
        calls = desk.calls(tenders.open_at(session, at) if work else (), poison, at=at)
    for edition in editions:
        while True:
            with database.write() as session:
                pending = _pending(session, edition)
                if not pending:
                    _close(session, edition, at)
                    break
                done += write_batch(session, desk, edition, pending, calls, at=at, poison=poison)
    for edition_id, contact_ids in again.items():
        with database.write() as session:
            edition = session.get_one(Edition, edition_id)
            pending = _of(session, edition, contact_ids)
            done += write_batch(session, desk, edition, pending, calls, at=at, poison=poison)
            omitted = select(Omission.contact_id).where(
                Omission.edition_id == edition_id, Omission.contact_id.in_(contact_ids)
            )
            quarantine.release(session, edition, session.scalars(omitted), at=at)
            quarantine.settle_concern(session, edition, at=at)
    return done


def _pending(session: Session, edition: Edition) -> list[Pending]:
    """The next contacts of this edition that have neither letter nor omission in it."""
    found = session.execute(
        _contacts(edition)
        .where(~exists().where(Letter.edition_id == edition.id, Letter.contact_id == Contact.id))
        .where(
            ~exists().where(Omission.edition_id == edition.id, Omission.contact_id == Contact.id)
        )
        .order_by(Contact.id)
        .limit(BATCH)
    )
    return _with_subscriptions(session, found.all())


def _of(session: Session, edition: Edition, contact_ids: Sequence[int]) -> list[Pending]:
    """Those of the contacts whom the edition is still for."""
    found = session.execute(
        _contacts(edition).where(Contact.id.in_(contact_ids)).order_by(Contact.id)
    )
    return _with_subscriptions(session, found.all())


def _with_subscriptions(session: Session, rows: Sequence[Row[Contact, Member]]) -> list[Pending]:
    subscriptions = session.scalars(
        select(Subscription)
        .where(Subscription.contact_id.in_([contact.id for contact, _ in rows]))
        .where(Subscription.ended_at.is_(None))
    )
    live = {one.contact_id: one for one in subscriptions}
    return [Pending(contact, member, live.get(contact.id)) for contact, member in rows]


def _contacts(edition: Edition) -> Select[Contact, Member]:
    """The live contacts whose present, or else last, subscription that edition serves.

    A daily one does not concern who chose other days.
    """
    chosen = (
        select(Contact, Member)
        .join(Member, Member.id == Contact.member_id)
        .where(Contact.ended_at.is_(None), _frequency().in_(SERVES[edition.frequency]))
    )
    if edition.frequency != Frequency.DAILY:
        return chosen
    today = 1 << quebec_day(edition.ends_at).weekday()
    return chosen.where(
        ~exists()
        .where(Subscription.contact_id == Contact.id, Subscription.ended_at.is_(None))
        .where(Subscription.weekdays.bitwise_and(today) == 0)
        .correlate(Contact)
    )


def _frequency() -> ColumnElement[str]:
    last = (
        select(Subscription.frequency)
        .where(Subscription.contact_id == Contact.id)
        .order_by(Subscription.ended_at.is_not(None), Subscription.id.desc())
        .limit(1)
        .correlate(Contact)
        .scalar_subquery()
    )
    return func.coalesce(last, Frequency.WEEKLY)


def _close(session: Session, edition: Edition, at: datetime) -> None:
    """The edition is written whole: measured, and then its letters may be claimed."""
    closed = session.scalar(
        update(Edition)
        .where(Edition.id == edition.id, Edition.state == EditionState.OPEN)
        .values(state=EditionState.WRITTEN, written_at=at)
        .returning(Edition.id)
        .execution_options(synchronize_session=False)
    )
    if closed is None:
        return
    held = brake.measure(session, session.get_one(Edition, edition.id), at=at)
    fields = {"edition": edition.id, "label": edition.label, "held": held}
    logger.info("edition written", extra=fields)


def _days_before(day: date, length: timedelta) -> Period:
    """[midnight `length` before, midnight of `day`), in Québec."""
    return Period(_midnight(day - length), _midnight(day))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), QUEBEC)
