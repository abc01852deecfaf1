"""Reminders: what a contact marked as interesting closes in a few days.

Each is due from 06:30 of the day that is so many calendar days before the closing, in Québec; late
where that morning was missed, but never beside the next one. Only who answered before that morning,
and of a closing moment that was known by then: another one is told as a change, and re-arms. One
letter a day a contact, with all that is due.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import reactions
from alerts.answer_tables import Answer, Reaction
from alerts.calls import Call, closing, facts_of, shown_first
from alerts.changed import reasons_of
from alerts.digest import Notice
from alerts.tables import Kind, Told, ToldState
from base.clock import quebec_day, wall_time
from base.french import days_left
from sources import tenders
from sources.release import Status
from sources.tables import Revision, Tender
from subscriptions.sectors import Catalogue

#: Days before the closing, the last first.
DAYS_BEFORE = (1, 5)
#: When a reminder is due on its day, in Québec: the end of the night (alerts.rhythm).
_HOUR, _MINUTE = 6, 30
#: No reminder is due of what closes later than this.
_SOON = timedelta(days=max(DAYS_BEFORE) + 2)

Noticed = tuple[Tender, Revision]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminder:
    """What one contact is reminded of."""

    contact_id: int
    cluster_id: int
    #: The notice that is shown first.
    notices: Sequence[Noticed]
    closes_at: datetime
    #: One of DAYS_BEFORE.
    days_before: int
    #: The answer that asked for it.
    reaction: Reaction
    #: True where an earlier letter with it may or may not have arrived.
    perhaps_seen: bool = False

    @property
    def occasion(self) -> str:
        """As Told.occasion: another closing moment is another occasion."""
        return occasion(self.closes_at, self.days_before)

    def notice(self, catalogue: Catalogue) -> Notice:
        """The call as it stands."""
        tender, revision = self.notices[0]
        made = Call(
            cluster_id=self.cluster_id,
            tender=tender,
            revision=revision,
            others=tuple(self.notices[1:]),
            facts=facts_of([revision]),
            classified=(),
            closes_at=self.closes_at,
        ).notice(reasons_of(self.reaction.reasons, catalogue), perhaps_seen=self.perhaps_seen)
        return replace(made, kind=Kind.REMINDER, occasion=self.occasion)


def occasion(closes_at: datetime, days_before: int) -> str:
    """ "2026-09-28T15:00:00+00:00:5"."""
    return f"{closes_at.astimezone(UTC).isoformat()}:{days_before}"


def moment(closes_at: datetime, days_before: int) -> datetime:
    """When the reminder of so many days before is due."""
    return morning_of(quebec_day(closes_at) - timedelta(days=days_before))


def morning_of(day: date) -> datetime:
    """06:30 in Québec, when reminders are written."""
    return wall_time(day, _HOUR, _MINUTE)


def days_before(closes_at: datetime, *, armed_at: datetime, at: datetime) -> int | None:
    """Which reminder is due at `at`, for an answer and a closing moment known since `armed_at`.

    One whose morning came before that is not due at all.
    """
    if closes_at <= at:
        return None
    left = days_left(closes_at, at)
    n = next((n for n in DAYS_BEFORE if left <= n), None)
    return n if n is not None and armed_at < moment(closes_at, n) <= at else None


def due(
    session: Session, contact_ids: Iterable[int] | None = None, *, at: datetime
) -> dict[int, list[Reminder]]:
    """What each of those contacts, by default all, is to be reminded of, soonest to close first.

    Without what a letter told, or is about to tell, since its morning.
    """
    answers = _answers(session, contact_ids, at)
    notices = _open(session, {cluster_id for cluster_id, _ in answers}, at)
    since = _closing_known_since(session, notices)
    found: dict[int, list[Reminder]] = defaultdict(list)
    for cluster_id, reaction in answers:
        closes_at = _closing(notices.get(cluster_id, ()))
        if closes_at is None or cluster_id not in since:
            continue
        armed_at = max(reaction.at, since[cluster_id])
        n = days_before(closes_at, armed_at=armed_at, at=at)
        if n is not None:
            made = Reminder(
                contact_id=reaction.contact_id,
                cluster_id=cluster_id,
                notices=notices[cluster_id],
                closes_at=closes_at,
                days_before=n,
                reaction=reaction,
            )
            found[reaction.contact_id].append(made)
    return _untold(session, found)


def _answers(
    session: Session, contact_ids: Iterable[int] | None, at: datetime
) -> list[tuple[int, Reaction]]:
    """The answers « interested » to what closes soon, with the calls as they are joined now."""
    call_of = func.coalesce(Tender.cluster_id, Tender.id)
    soon = select(call_of).where(
        Tender.status == Status.ACTIVE, Tender.closes_at > at, Tender.closes_at <= at + _SOON
    )
    chosen = (
        select(call_of, Reaction)
        .join(Revision, Revision.id == Reaction.revision_id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Reaction.answer == Answer.INTERESTED, call_of.in_(soon))
        .where(reactions.is_awaited(Reaction.contact_id, call_of))
        .order_by(Reaction.contact_id, Reaction.at, Reaction.id)
    )
    if contact_ids is not None:
        chosen = chosen.where(Reaction.contact_id.in_(list(contact_ids)))
    # Answered under two clusters that have joined since: the first answer counts.
    first: dict[tuple[int, int], Reaction] = {}
    for cluster_id, reaction in session.execute(chosen):
        first.setdefault((reaction.contact_id, cluster_id), reaction)
    return [(cluster_id, reaction) for (_, cluster_id), reaction in first.items()]


def _open(session: Session, clusters: set[int], at: datetime) -> dict[int, list[Noticed]]:
    """The open notices of those calls, the one that is shown first."""
    found: dict[int, list[Noticed]] = defaultdict(list)
    for tender, revision in tenders.open_of(session, clusters, at):
        found[tender.cluster_id or tender.id].append((tender, revision))
    return {cluster_id: shown_first(notices) for cluster_id, notices in found.items()}


def _closing_known_since(
    session: Session, notices: dict[int, list[Noticed]]
) -> dict[int, datetime]:
    """Since when the closing moment that a letter says of each call is known."""
    found: dict[int, datetime] = {}
    for cluster_id, several in notices.items():
        ids = [tender.id for tender, _ in several]
        history = tenders.histories(session, ids)
        closes_at = _closing(several)
        since = [
            moment
            for tender_id in ids
            if (moment := _since([r for t, r in history if t.id == tender_id], closes_at))
        ]
        if since:
            found[cluster_id] = min(since)
    return found


def _since(revisions: Sequence[Revision], closes_at: datetime | None) -> datetime | None:
    """When the first of the last revisions that all say so was seen; None where none does."""
    same = takewhile(lambda one: one.closes_at in {None, closes_at}, reversed(revisions))
    said = [one.seen_at for one in same if one.closes_at == closes_at]
    return said[-1] if said else None


def _closing(notices: Sequence[Noticed]) -> datetime | None:
    """What a letter says; where no notice says it any more, what was said last."""
    return closing(notices) or min((t.closes_at for t, _ in notices if t.closes_at), default=None)


def _untold(session: Session, found: dict[int, list[Reminder]]) -> dict[int, list[Reminder]]:
    """Without what a letter has told since its morning; what may not have arrived, once more."""
    call_of = func.coalesce(Tender.cluster_id, Tender.id)
    clusters = {one.cluster_id for due_now in found.values() for one in due_now}
    rows = session.execute(
        select(Told, call_of)
        .join(Revision, Revision.id == Told.revision_id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Told.contact_id.in_(list(found)), Told.state != ToldState.RELEASED)
        .where(call_of.in_(list(clusters)))
        .execution_options(populate_existing=True)
    )
    told: dict[tuple[int, int], list[Told]] = defaultdict(list)
    for row, cluster_id in rows:
        told[row.contact_id, cluster_id].append(row)
    left: dict[int, list[Reminder]] = {}
    for contact_id, due_now in found.items():
        kept = [one for made in due_now if (one := _left(made, told[contact_id, made.cluster_id]))]
        if kept:
            left[contact_id] = sorted(kept, key=lambda one: (one.closes_at, one.cluster_id))
    return left


def _left(made: Reminder, told: Sequence[Told]) -> Reminder | None:
    """The reminder as it is to be told, None where it is not; `told` is of its call."""
    morning = moment(made.closes_at, made.days_before)
    for one in told:
        itself = (one.kind, one.occasion) == (Kind.REMINDER, made.occasion)
        if one.state == ToldState.UNCERTAIN:
            if itself and one.relisted:
                return None
            made = replace(made, perhaps_seen=made.perhaps_seen or itself)
        elif itself or one.at >= morning:
            return None
    return made
