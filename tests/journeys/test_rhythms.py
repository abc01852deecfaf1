"""Three weeks of readers who change rhythm, and of outages: nothing twice, nothing lost."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import editions, ledger, outbox, rhythm
from alerts.looked import Looked
from alerts.tables import Edition, Letter, Told, ToldState, Why
from base.clock import QUEBEC, quebec_day, wall_time
from base.database import Database
from sources.tables import Revision, Tender
from subscriptions import wishes
from tests.coop import DESK, entitled, tender

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RHYTHMS = ("instant", "daily", "weekly")
READERS = 6


@dataclass(slots=True)
class World:
    """What happened, for the second opinion."""

    chosen: random.Random
    #: By reader: its rhythms, each from a moment on.
    asked: dict[int, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    #: By call: when it was seen and when it closes.
    calls: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)


def _live_through(database: Database, seed: int, start: datetime, days: int) -> World:
    world = World(random.Random(seed))  # noqa: S311, no secret
    with database.write() as session:
        for number in range(READERS):
            first = RHYTHMS[number % 3]
            reader = entitled(session, f"r{number}", frequency=first, started_at=start - 30 * DAY)
            world.asked[reader.id].append((start - 30 * DAY, first))
    looked = Looked()
    for day in range(days):
        _day(database, world, looked, quebec_day(start) + timedelta(days=day))
    return world


def _day(database: Database, world: World, looked: Looked, day: date) -> None:
    """Arrivals, changes of mind, and ticks, some of which an outage takes away."""
    chosen = world.chosen
    hours = [(6, 0), (6, 30), (9, 5), (15, 0), (20, 45)]
    moments = {wall_time(day, *one) for one in hours}
    begin = wall_time(day, 5)
    events = sorted(begin + chosen.randrange(16 * 60) * MINUTE for _ in range(chosen.randrange(7)))
    moments |= {one + 10 * MINUTE for one in events}
    # A long night at times, and now and then a day or two.
    down = begin + chosen.randrange(12) * HOUR if chosen.random() < 0.3 else None
    until = down + chosen.choice([2, 5, 20]) * HOUR if down else None
    for at in sorted(moments):
        while events and events[0] <= at:
            _event(database, world, events.pop(0))
        if down and until and down <= at < until:
            continue
        _tick(database, world, looked, at)


def _event(database: Database, world: World, at: datetime) -> None:
    chosen = world.chosen
    with database.write() as session:
        what = chosen.random()
        if what < 0.6:
            days = chosen.choice([0.5, 1, 3, 6, 9, 12, 20])
            made, revision = tender(session, at.isoformat(), closes_at=at + days * DAY)
            made.first_seen_at = revision.seen_at = at
            world.calls[made.id] = (at, at + days * DAY)
        elif what < 0.9:
            reader = chosen.choice(list(world.asked))
            asked = chosen.choice(RHYTHMS)
            wanted = wishes.Wishes(frequency=asked, sectors=("deneigement",))
            wishes.change(session, reader, wanted, origin="member", at=at)
            world.asked[reader].append((at, asked))
        elif world.calls:
            _amend(session, chosen.choice(list(world.calls)), at)


def _amend(session: Session, tender_id: int, at: datetime) -> None:
    """A new revision that changes nothing that matters here."""
    one = session.get_one(Tender, tender_id)
    last = session.scalars(
        select(Revision).where(Revision.tender_id == tender_id, Revision.number == one.latest)
    ).one()
    values = {
        column.name: getattr(last, column.name)
        for column in Revision.__table__.columns
        if column.name not in {"id", "number", "seen_at"}
    }
    one.latest += 1
    session.add(Revision(**values, number=one.latest, seen_at=at))


def _tick(database: Database, world: World, looked: Looked, at: datetime) -> None:
    """Write, and hand over: most are accepted, some withdrawn, whose notices are owed again."""
    # A process is not for ever.
    if world.chosen.random() < 0.05:
        looked.forget()
    with database.write() as session:
        editions.open_due(session, at)
    editions.write_open(database, DESK, at=at, looked=looked)
    with database.write() as session:
        for letter_id in session.scalars(select(Letter.id).where(Letter.state == "written")).all():
            if world.chosen.random() < 0.05:
                outbox.withdraw(session, {letter_id: Why.ADDRESS}, at=at)
                continue
            session.execute(
                update(Letter)
                .where(Letter.id == letter_id)
                .values(state="accepted", settled_at=at, in_doubt_at=at)
            )
            ledger.confirm(session, [letter_id])


#: Each through a change of clock.
STARTS = [(2026, 2, 26), (2026, 10, 22), (2027, 3, 4)]


@pytest.mark.parametrize(
    ("seed", "start"), list(enumerate(STARTS)), ids=["spring 2026", "autumn 2026", "spring 2027"]
)
def test_nothing_is_told_twice_or_skipped_whatever_the_rhythm(
    database: Database, seed: int, start: tuple[int, int, int]
) -> None:
    begin = datetime(*start, 5, tzinfo=QUEBEC).astimezone(UTC)
    world = _live_through(database, seed, begin, 21)
    with database.read() as session:
        rows = session.execute(
            select(
                Told.contact_id, Told.cluster_id, Told.state, Letter.written_at, Edition.frequency
            )
            .join(Letter, Letter.id == Told.letter_id)
            .join(Edition, Edition.id == Letter.edition_id)
        ).all()
        letters = session.execute(
            select(Letter.contact_id, Letter.written_at, Edition.frequency).join(
                Edition, Edition.id == Letter.edition_id
            )
        ).all()
    told = {(one[0], one[1]): one for one in rows}
    assert len(told) == len(rows) > 60
    assert {one[4] for one in rows} == {"instant", "daily", "weekly"}
    _nothing_skipped(world, told, begin + 21 * DAY)
    _hours_kept(world, letters, rows)


def _nothing_skipped(world: World, told: dict[tuple[int, int], object], end: datetime) -> None:
    """What stayed open long enough for the slowest rhythm was told, whatever was in between."""
    owed = {
        (reader, call)
        for reader in world.asked
        for call, (seen_at, closes_at) in world.calls.items()
        if closes_at - seen_at >= 9 * DAY and seen_at < end - 9 * DAY
    }
    assert len(owed) > 20
    confirmed = {pair for pair, one in told.items() if one[2] == ToldState.CONFIRMED}  # type: ignore[index]
    assert owed - confirmed == set()


def _hours_kept(world: World, letters: list[object], rows: list[object]) -> None:
    """None at night but what closes within a day, so many a day, two a week for weekly readers."""
    by_day: dict[tuple[int, date], int] = defaultdict(int)
    by_week: dict[tuple[int, date], int] = defaultdict(int)
    for reader, at, stream in letters:  # type: ignore[misc]
        if stream != "instant":
            continue
        closings = [
            world.calls[call][1]
            for contact, call, _, written_at, _ in rows  # type: ignore[misc]
            if (contact, written_at) == (reader, at)
        ]
        urgent = any(moment <= at + DAY for moment in closings) or not closings
        assert urgent or not rhythm.is_quiet(at)
        day = quebec_day(at)
        by_day[reader, day] += not urgent
        if _asked(world, reader, at - 8 * DAY) == _asked(world, reader, at) == {"weekly"}:
            by_week[reader, day - timedelta(days=day.weekday())] += 1
    assert max(by_day.values(), default=0) <= rhythm.MOST_A_DAY
    assert max(by_week.values(), default=0) <= rhythm.MOST_PROMOTED


def _asked(world: World, reader: int, since: datetime) -> set[str]:
    """The rhythms that reader had from then on."""
    before = [name for moment, name in world.asked[reader] if moment <= since]
    return {name for moment, name in world.asked[reader] if moment > since} | set(before[-1:])
