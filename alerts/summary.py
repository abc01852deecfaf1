"""What a week was: its editions, what became of their letters, and whether it was unusual."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from alerts import proof
from alerts.answer_tables import Bounce
from alerts.proof import Counted
from alerts.tables import Edition, Kind, Letter, LetterState, Omission, Told
from base.clock import quebec_day
from sources.tables import Revision, Tender
from subscriptions.stretches import midnight
from subscriptions.tables import Event, Membership, Suppression, What

#: Weeks that a picture shows, and of them those that the usual is the median of.
WEEKS, USUAL = 12, 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One edition, and what became of it."""

    #: An alerts.tables.Stream.
    stream: str
    label: str
    written_at: datetime | None
    #: Letters by state.
    states: Mapping[str, int]
    #: Contacts that got none, by Why.
    omitted: Mapping[str, int]

    @property
    def letters(self) -> int:
        """The letters that were written."""
        return sum(self.states.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """The notices that were told as new, in letters that were accepted."""

    notices: int
    #: Whole days from acceptance to closing, as recorded; of those whose closing is known.
    days_left: Sequence[int]
    #: Hours from the first sight of the call to acceptance.
    hours: Sequence[float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """The letters of one week, by what became of them."""

    monday: date
    accepted: int
    waiting: int
    #: Withdrawn, refused, uncertain, impossible to compose.
    other: int

    @property
    def letters(self) -> int:
        """All of them."""
        return self.accepted + self.waiting + self.other


@dataclass(frozen=True, kw_only=True, slots=True)
class Week:
    """One week, from Monday to Sunday in Québec."""

    start: datetime
    end: datetime
    runs: Sequence[Run]
    told: Telling
    #: Calls first seen, by source.
    seen: Mapping[str, int]
    #: What came back, by alerts.bounces_dsn.ReturnKind.
    returns: Mapping[str, int]
    left: int
    suppressed: int
    begun: int
    ended: int
    proof: Counted
    #: The last WEEKS weeks, this one included, oldest first.
    past: Sequence[Past] = field(default_factory=list)

    @property
    def usual(self) -> int | None:
        """The median of the letters of the weeks before that had any; None of fewer than three."""
        before = [one.letters for one in self.past[:-1] if one.letters][-USUAL:]
        return round(median(before)) if len(before) >= 3 else None


def monday_of(at: datetime) -> datetime:
    """The midnight that begins the week of that moment, in Québec."""
    day = quebec_day(at)
    return midnight(day - timedelta(days=day.weekday()))


def week(session: Session, start: datetime) -> Week:
    """The week that begins at that Monday's midnight."""
    end, known = _later(start, 1), Membership.superseded_at.is_(None)
    return Week(
        start=start,
        end=end,
        runs=_runs(session, start, end),
        told=_told(session, start, end),
        seen=_seen(session, start, end),
        returns=_returns(session, start, end),
        left=_count(session, Event.at, start, end, Event.what == What.LEFT),
        suppressed=_count(session, Suppression.set_at, start, end),
        begun=_count(session, Membership.starts_at, start, end, known),
        ended=_count(session, Membership.ends_at, start, end, known),
        proof=proof.counted(session, proof.of_period(start, end)),
        past=_past(session, start),
    )


def _runs(session: Session, start: datetime, end: datetime) -> list[Run]:
    editions = session.scalars(
        select(Edition)
        .where(Edition.opened_at >= start, Edition.opened_at < end)
        .order_by(Edition.opened_at, Edition.id)
    ).all()
    ids = [one.id for one in editions]
    states = _by_edition(session, Letter.edition_id, Letter.state, ids)
    omitted = _by_edition(session, Omission.edition_id, Omission.why, ids, of=Omission.letter_id)
    return [
        Run(
            stream=one.frequency,
            label=one.label,
            written_at=one.written_at,
            states=states[one.id],
            omitted=omitted[one.id],
        )
        for one in editions
    ]


def _told(session: Session, start: datetime, end: datetime) -> Telling:
    rows = session.execute(
        select(Letter.settled_at, Told.days_left, Tender.first_seen_at)
        .join(Told, Told.letter_id == Letter.id)
        .join(Revision, Revision.id == Told.revision_id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Letter.in_doubt_at >= start, Letter.in_doubt_at < end)
        .where(Letter.state == LetterState.ACCEPTED, Told.kind == Kind.NEW)
    ).all()
    return Telling(
        notices=len(rows),
        days_left=[left for _, left, _ in rows if left is not None],
        hours=[(at - seen).total_seconds() / 3600 for at, _, seen in rows if at is not None],
    )


def _seen(session: Session, start: datetime, end: datetime) -> dict[str, int]:
    rows = session.execute(
        select(Tender.source, func.count())
        .where(Tender.first_seen_at >= start, Tender.first_seen_at < end)
        .group_by(Tender.source)
        .order_by(func.count().desc())
    )
    return dict(rows.all())


def _returns(session: Session, start: datetime, end: datetime) -> dict[str, int]:
    rows = session.execute(
        select(Bounce.kind, func.count())
        .where(Bounce.at >= start, Bounce.at < end)
        .group_by(Bounce.kind)
    )
    return dict(rows.all())


def _past(session: Session, start: datetime) -> list[Past]:
    mondays = [_later(start, -back) for back in reversed(range(WEEKS))]
    editions = session.execute(
        select(Edition.id, Edition.opened_at).where(
            Edition.opened_at >= mondays[0], Edition.opened_at < _later(start, 1)
        )
    ).all()
    states = _by_edition(session, Letter.edition_id, Letter.state, [one for one, _ in editions])
    by_week: dict[datetime, Counter[str]] = defaultdict(Counter)
    for edition, opened_at in editions:
        by_week[monday_of(opened_at)] += states[edition]
    return [_of_week(monday, by_week[monday]) for monday in mondays]


def _of_week(monday: datetime, states: Counter[str]) -> Past:
    accepted = states[LetterState.ACCEPTED]
    waiting = sum(
        states[state] for state in (LetterState.WRITTEN, LetterState.CLAIMED, LetterState.DEFERRED)
    )
    return Past(
        monday=quebec_day(monday),
        accepted=accepted,
        waiting=waiting,
        other=states.total() - accepted - waiting,
    )


def _later(monday: datetime, weeks: int) -> datetime:
    return midnight(quebec_day(monday) + timedelta(weeks=weeks))


def _by_edition(
    session: Session,
    edition: InstrumentedAttribute[int | None],
    what: InstrumentedAttribute[str],
    ids: Iterable[int],
    *,
    of: InstrumentedAttribute[int | None] | None = None,
) -> dict[int | None, Counter[str]]:
    """Rows of those editions by `what`; those alone whose `of` is NULL, where it is given."""
    found: dict[int | None, Counter[str]] = defaultdict(Counter)
    asked = select(edition, what, func.count()).where(edition.in_(list(ids)))
    if of is not None:
        asked = asked.where(of.is_(None))
    for edition_id, value, number in session.execute(asked.group_by(edition, what)):
        found[edition_id][value] = number
    return found


def _count(
    session: Session,
    moment: InstrumentedAttribute[Any],
    start: datetime,
    end: datetime,
    *also: ColumnElement[bool],
) -> int:
    """Rows whose `moment` is in [start, end)."""
    asked = select(func.count()).where(moment >= start, moment < end, *also)
    return session.scalar(asked) or 0
