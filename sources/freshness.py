"""How fresh each source is: late, silent, shrunken or changed, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import takewhile

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from base import concerns
from base.clock import quebec_day, wall_time
from sources import catalogue, tenders, weeks
from sources.catalogue import Access, Rhythm, Source
from sources.shape import Hold
from sources.tables import Reading, Visit
from sources.working_days import elapsed

#: Working days that a source may fail to answer, or exceed its rhythm, before someone is told.
PATIENCE = 2
_BACKLOG = "source backlog"
#: Readings looked back at.
_LAST = 20


class Standing(StrEnum):
    """How a source is."""

    FRESH = "fresh"
    #: Nothing was ever read from it.
    NEVER = "never"
    #: It failed to answer lately, not long enough to matter.
    FAILING = "failing"
    #: It answers, but what it usually publishes has not come.
    LATE = "late"
    #: It has not answered anything that can be read for two working days.
    SILENT = "silent"
    SHRUNKEN = Hold.SHRUNKEN.value
    CHANGED = Hold.CHANGED.value


#: Those in which notices may be missing: staff are told once, letters say it.
HELD = (Standing.LATE, Standing.SILENT, Standing.SHRUNKEN, Standing.CHANGED)


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceState:
    """What a source is worth now."""

    key: str
    name: str
    #: As letters name it, and who must be named with it.
    short: str
    credit: str
    rhythm: str
    standing: Standing
    #: Since when notices may be missing; None where none are.
    missing_since: datetime | None
    #: When it last answered something that could be read, news or not.
    answered_at: datetime | None
    #: When something new last came.
    news_at: datetime | None
    #: Of the last reading that was taken in.
    counts: Mapping[str, int] = field(default_factory=dict)
    #: A sources.reasons text: why it does not answer, or why its document was held.
    fault: str = ""


def coverage(
    session: Session, at: datetime, sources: Iterable[Source] | None = None
) -> tuple[SourceState, ...]:
    """The state at `at` of each enabled source that is asked, by default of the catalogue's."""
    asked = catalogue.load().values() if sources is None else sources
    return tuple(
        state(session, source, at)
        for source in asked
        if source.enabled and source.access is not Access.STAFF
    )


def state(session: Session, source: Source, at: datetime) -> SourceState:
    """The state of one source, from its rows."""
    taken = _taken_in(session, source, at)
    held = _held(session, source, at)
    visits = session.scalars(
        select(Visit).where(Visit.source == source.key, Visit.asked_at <= at)
    ).all()
    failing = [one for one in visits if one.failing_since is not None]
    news_at = max(map(_published, taken), default=None)
    answered = max((one.answered_at for one in visits if one.answered_at), default=None)
    standing, since = _standing(source, failing, held=held, news_at=news_at, at=at)
    return SourceState(
        key=source.key,
        name=source.name,
        short=source.short,
        credit=source.credit,
        rhythm=source.rhythm,
        standing=standing,
        missing_since=since,
        answered_at=answered or (taken[0].at if taken else None),
        news_at=news_at,
        counts=taken[0].counts if taken else {},
        fault=(held.fault if held else "") or (failing[0].fault if failing else ""),
    )


def check(
    session: Session, at: datetime, sources: Iterable[Source] | None = None
) -> tuple[SourceState, ...]:
    """Tell staff once of each source that is held, and settle what is over; the states."""
    states = coverage(session, at, sources)
    for one in states:
        for standing in HELD:
            key = f"source:{one.key}:{standing}"
            if one.standing is not standing:
                concerns.settle(session, key, at=at)
                continue
            since = quebec_day(one.missing_since or at).isoformat()
            detail = {"source": one.short, "key": one.key, "since": since}
            concerns.raise_concern(
                session, key=key, cause=f"source {standing}", detail=detail, at=at
            )
    _tell_of_backlog(session, at)
    return states


def week_is_read(session: Session, monday: date, sources: Iterable[Source], at: datetime) -> bool:
    """Whether each enabled source of weekly files has given the one that ends before that Monday.

    True where none of them has such files: there is nothing to wait for. A file that is held was
    not taken in, and is waited for.
    """
    weekly = [
        one
        for one in sources
        if one.enabled and one.access is Access.CKAN and one.rhythm is Rhythm.WEEKLY
    ]
    return all(_has_read(session, one, monday - timedelta(days=1), at) for one in weekly)


def _has_read(session: Session, source: Source, day: date, at: datetime) -> bool:
    """Whether a file up to that day, or a later one, was taken in."""
    periods = (
        weeks.period(one.address.rpartition("/")[2]) for one in _taken_in(session, source, at)
    )
    return any(days is not None and days[1] >= day for days in periods)


def _tell_of_backlog(session: Session, at: datetime) -> None:
    """Once, while there are calls that staff must decide about."""
    waiting = len(tenders.backlog_at(session, at))
    if waiting:
        detail = {"count": waiting}
        concerns.raise_concern(session, key=_BACKLOG, cause=_BACKLOG, detail=detail, at=at)
    else:
        concerns.settle(session, _BACKLOG, at=at)


def _standing(
    source: Source,
    failing: Sequence[Visit],
    *,
    held: _Read | None,
    news_at: datetime | None,
    at: datetime,
) -> tuple[Standing, datetime | None]:
    if held is not None:
        return Standing(held.held), held.at
    since = min((one.failing_since for one in failing if one.failing_since), default=None)
    if since is not None and elapsed(since, at) > PATIENCE:
        return Standing.SILENT, since
    expected = source.rhythm.working_days
    if news_at is not None and expected and elapsed(news_at, at) >= expected + PATIENCE:
        return Standing.LATE, news_at
    if since is not None:
        return Standing.FAILING, None
    return (Standing.FRESH if news_at else Standing.NEVER), None


@dataclass(frozen=True, slots=True)
class _Read:
    """What is asked of a reading: never its document."""

    id: int
    at: datetime
    address: str
    counts: dict[str, int]
    fault: str
    held: str


def _readings(source: Source, at: datetime) -> Select[int, datetime, str, dict[str, int], str, str]:
    """Latest first, without their documents."""
    return (
        select(Reading.id, Reading.at, Reading.address, Reading.counts, Reading.fault, Reading.held)
        .where(Reading.source == source.key, Reading.at <= at)
        .order_by(Reading.id.desc())
    )


def _taken_in(session: Session, source: Source, at: datetime) -> list[_Read]:
    rows = session.execute(_readings(source, at).where(Reading.fault == "").limit(_LAST))
    return [_Read(*row) for row in rows]


def _held(session: Session, source: Source, at: datetime) -> _Read | None:
    """The first reading since when each one that could be read is held; None where none is."""
    asked = _readings(source, at).where(or_(Reading.fault == "", Reading.held != ""))
    # A file given by hand may be an excerpt: it neither holds its source nor frees it.
    asked = asked.where(Reading.address.contains("://"))
    by_channel: dict[str, list[_Read]] = defaultdict(list)
    for row in session.execute(asked.limit(_LAST)):
        one = _Read(*row)
        # The files of a CKAN dataset follow each other; elsewhere an address is one stream.
        by_channel["" if source.access is Access.CKAN else one.address].append(one)
    for readings in by_channel.values():
        since = list(takewhile(lambda one: one.held, readings))
        if since:
            return since[-1]
    return None


def _published(reading: _Read) -> datetime:
    """The morning after the last day in the file's name; else, the moment of the reading."""
    days = weeks.period(reading.address.rpartition("/")[2])
    return min(reading.at, wall_time(days[1] + timedelta(days=1), 6)) if days else reading.at
