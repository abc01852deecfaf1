"""The letter of those whom a whole month brought nothing: all is well, and what came near.

Silence looks like a breakdown to who waits. On the first days of a month, who had no letter with
a notice in the month before is told what was read for it, and which notices nearly were for it,
with the sector that would have caught them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from alerts import crediting
from alerts.calls import facts_of
from alerts.classification import THRESHOLD, classify
from alerts.lapsing import nothing
from alerts.matching import Lacked
from alerts.note import Noted
from alerts.streams import Plan, Tick, live_contacts
from alerts.tables import Edition, Letter, LetterState, NearMissed, Stream
from alerts.writing import Batch, Desk, Pending
from base.clock import quebec_day, wall_time
from sources import tenders
from sources.tables import Revision, Tender
from subscriptions.tables import Contact, Subscription

#: When it leaves, in Québec, on the first day of the month, and until which day it is worth it.
HOUR, LAST_DAY = 9, 5
#: Near misses that are named.
MOST = 5
#: What may have reached the reader, or still will.
_OUT = (
    LetterState.ACCEPTED,
    LetterState.UNKNOWN,
    LetterState.IN_DOUBT,
    LetterState.CLAIMED,
    LetterState.WRITTEN,
    LetterState.DEFERRED,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Nearly:
    """A notice that nearly was for the reader."""

    title: str
    uri: str
    #: A Lacked, and what it was; for a sector, the label of the one that came nearest.
    lacked: Lacked
    detail: str
    #: The label of a sector that would have caught it, and that the reader did not declare.
    caught_by: str


def month(at: datetime) -> tuple[date, date]:
    """The first day of the month before the one that `at` is in, and of that one."""
    first = quebec_day(at).replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), first


def label(at: datetime) -> str:
    """ "2026-10": the month that is over."""
    return f"{month(at)[0]:%Y-%m}"


def is_called(tick: Tick) -> bool:
    """Whether the letters of the month that is over are to be written: once, in the first days."""
    today = quebec_day(tick.at)
    if not (today.day <= LAST_DAY and tick.at >= wall_time(today, HOUR)):
        return False
    opened = exists().where(Edition.frequency == Stream.ALIVE, Edition.label == label(tick.at))
    with tick.database.read() as session:
        if session.scalar(select(opened)):
            return False
        return session.scalar(select(_plan(tick).contacts.exists())) is True


def plan(tick: Tick, edition: Edition) -> Plan:  # noqa: ARG001, as every stream's
    """Who subscribed all the month and had no notice in it."""
    return _plan(tick)


def _plan(tick: Tick) -> Plan:
    begins = wall_time(month(tick.at)[0], HOUR)
    quiet = live_contacts().where(_subscribed(begins), ~_told_since(begins))
    return Plan(quiet, choose=nothing, note=_word)


def _subscribed(since: datetime) -> ColumnElement[bool]:
    """A subscription lives, and one did all the time since then."""
    mine = Subscription.contact_id == Contact.id
    return (
        exists().where(mine, Subscription.ended_at.is_(None)).correlate(Contact)
        & exists().where(mine, Subscription.started_at <= since).correlate(Contact)
    )  # fmt: skip


def _told_since(since: datetime) -> ColumnElement[bool]:
    return (
        exists()
        .where(Letter.contact_id == Contact.id, Letter.notices > 0)
        .where(Letter.written_at >= since, Letter.state.in_(_OUT))
        .correlate(Contact)
    )


def _word(batch: Batch, to: Pending) -> Noted | None:
    if to.subscription is None:
        return None
    first, next_first = month(batch.at)
    since, until = wall_time(first, HOUR), wall_time(next_first, HOUR)
    label_of = batch.desk.catalogue.label
    context = {
        "month": first,
        "read": tenders.count_seen(batch.session, since, until),
        "sectors": [label_of(slug) for slug in to.subscription.sectors],
        "nearly": _nearly(batch, to.contact.id, since),
        "coverage": batch.covered.coverage,
        "gaps": batch.covered.gaps,
        "credits": crediting.credits_of_sources(one.source for one in batch.covered.coverage),
    }
    return Noted(Stream.ALIVE, context)


def _nearly(batch: Batch, contact_id: int, since: datetime) -> list[Nearly]:
    rows = _near_misses(batch.session, contact_id, since, batch.at)
    return [_near(batch.desk, miss, revision) for miss, revision in rows]


def _near(desk: Desk, miss: NearMissed, revision: Revision) -> Nearly:
    lacked, detail, caught_by = Lacked(miss.lacked), miss.detail, ""
    if lacked is Lacked.SECTOR:
        # None of the reader's own sectors is among these, or it would have been told.
        caught = classify(facts_of([revision]), desk.lexicon, least=THRESHOLD)
        best = max(caught, key=lambda one: one.score, default=None)
        caught_by = best.label if best else ""
        detail = desk.catalogue.label(detail) if detail else ""
    return Nearly(
        title=revision.title, uri=revision.uri, lacked=lacked, detail=detail, caught_by=caught_by
    )


def _near_misses(
    session: Session, contact_id: int, since: datetime, at: datetime
) -> list[tuple[NearMissed, Revision]]:
    """The best of them; an invitation that is reserved is for members, and so is this letter."""
    rows = session.execute(
        select(NearMissed, Revision)
        .join(Revision, Revision.id == NearMissed.revision_id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(NearMissed.contact_id == contact_id)
        .where(NearMissed.at >= since, NearMissed.at <= at)
        .order_by(func.round(NearMissed.score * 1000).desc(), NearMissed.revision_id)
        .limit(MOST)
    )
    return [(miss, revision) for miss, revision in rows]
