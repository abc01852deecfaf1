"""Letters at once: grouped, few a day, none at night but what cannot wait, nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from alerts import at_once, editions, ledger, outbox, writing
from alerts.editions import STREAMS
from alerts.looked import Looked
from alerts.streams import Plan, Run, Tick
from alerts.tables import (
    Edition,
    EditionState,
    Letter,
    LetterState,
    NearMissed,
    Omission,
    Stream,
    Told,
    Why,
)
from base.clock import QUEBEC
from base.database import Database
from sources.tables import Revision, Tender
from subscriptions import wishes
from tests.coop import DESK, entitled, tender

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

#: When a call is seen, and in how many days it closes then.
Arrivals = Sequence[tuple[datetime, float]]


def _q(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=QUEBEC).astimezone(UTC)  # type: ignore[misc, arg-type]


#: Tuesday 22 September 2026, 09:00 in Québec: the weekly letters have left.
AT = _q(2026, 9, 22, 9)


def _tick(database: Database, at: datetime, looked: Looked | None = None) -> list[str]:
    """One minute of the service; who got a letter in it, with how many notices."""
    with database.write() as session:
        editions.open_due(session, at)
    editions.write_open(database, DESK, at=at, looked=looked)
    return _letters(database, at)


def _letters(database: Database, at: datetime) -> list[str]:
    with database.read() as session:
        rows = session.execute(
            select(Letter.address, Letter.notices)
            .where(Letter.written_at == at, Letter.state != LetterState.QUARANTINED)
            .order_by(Letter.id)
        )
        return [f"{address.partition('@')[0]} {notices}" for address, notices in rows]


def _ticks(
    database: Database,
    moments: Iterable[datetime],
    arrivals: Arrivals = (),
    *,
    accepted: bool = False,
) -> dict[datetime, list[str]]:
    """Those ticks of one process, in order, calls being seen between; the ones with letters.

    With `accepted` the relay takes each letter at once; else they wait for it.
    """
    looked, found, coming = Looked(), {}, sorted(arrivals)
    for at in sorted(moments):
        while coming and coming[0][0] <= at:
            seen_at, days = coming.pop(0)
            with database.write() as session:
                _call(session, f"{seen_at.isoformat()} {len(coming)}", seen_at, days)
        if letters := _tick(database, at, looked):
            found[at] = letters
        if accepted:
            _accept(database, at)
    return found


def _accept(database: Database, at: datetime) -> None:
    with database.write() as session:
        ids = session.scalars(select(Letter.id).where(Letter.written_at == at)).all()
        ledger.confirm(session, ids)
        session.execute(update(Letter).where(Letter.id.in_(ids)).values(state="accepted"))


def _call(session: Session, number: str, at: datetime, days: float = 30) -> Tender:
    """A call seen at that moment, that closes so many days later."""
    made, revision = tender(session, number, closes_at=at + timedelta(days=days))
    made.first_seen_at = revision.seen_at = at
    session.flush()
    return made


def _reader(database: Database, name: str = "anne", frequency: str = "instant") -> int:
    """A reader of long ago, whom the editions up to AT have nothing for."""
    with database.write() as session:
        contact_id = entitled(session, name, frequency=frequency).id
    _tick(database, AT - HOUR)
    return contact_id


def _wish(database: Database, contact_id: int, at: datetime, **changed: object) -> None:
    asked = {"frequency": "instant", "sectors": ("deneigement",), **changed}
    with database.write() as session:
        wanted = wishes.Wishes(**asked)  # type: ignore[arg-type]
        wishes.change(session, contact_id, wanted, origin="member", at=at)


def test_what_came_within_ten_minutes_leaves_in_one_letter(database: Database) -> None:
    _reader(database)
    with database.write() as session:
        _call(session, "1", AT)
        _call(session, "2", AT + 9 * MINUTE)
    assert _tick(database, AT + 9 * MINUTE) == []
    assert _tick(database, AT + 10 * MINUTE) == ["anne 2"]
    assert _tick(database, AT + 11 * MINUTE) == []
    with database.read() as session:
        made = session.scalars(select(Edition).where(Edition.frequency == "instant")).one()
        assert (made.label, made.state) == ("2026-09-22T13:10Z", EditionState.WRITTEN)
        assert (made.starts_at, made.ends_at) == (_q(2026, 9, 22), _q(2026, 9, 23))
        key = session.scalars(select(Letter.key)).one()
        assert key.startswith("instant:")
        assert session.scalars(select(Omission.id)).all() == []


def test_a_minute_in_which_nothing_is_due_opens_nothing(database: Database) -> None:
    _reader(database)
    with database.read() as session:
        before = session.scalar(select(func.count()).select_from(Edition))
    for minute in range(3):
        assert _tick(database, AT + minute * MINUTE) == []
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Edition)) == before


def test_the_fourth_of_a_day_waits_for_the_next_morning(database: Database) -> None:
    _reader(database)
    hours = [AT + number * HOUR for number in range(6)]
    morning = _q(2026, 9, 23, 6, 30)
    moments = [hour + 10 * MINUTE for hour in hours]
    moments += [AT + 7 * HOUR, morning - MINUTE, morning, morning + MINUTE, morning + HOUR]
    assert _ticks(database, moments, [(hour, 30) for hour in hours]) == {
        AT + 10 * MINUTE: ["anne 1"],
        AT + HOUR + 10 * MINUTE: ["anne 1"],
        AT + 2 * HOUR + 10 * MINUTE: ["anne 1"],
        morning: ["anne 3"],
    }


@pytest.mark.parametrize(
    ("seen", "morning"),
    [
        pytest.param(_q(2026, 9, 22, 19, 55), _q(2026, 9, 23, 6, 30), id="evening"),
        pytest.param(_q(2026, 3, 7, 22), _q(2026, 3, 8, 6, 30), id="spring change 2026"),
        pytest.param(_q(2026, 10, 31, 22), _q(2026, 11, 1, 6, 30), id="autumn change"),
        pytest.param(_q(2027, 3, 14, 1, 30), _q(2027, 3, 14, 6, 30), id="spring change 2027"),
    ],
)
def test_at_night_only_what_closes_within_a_day_leaves(
    database: Database, seen: datetime, morning: datetime
) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency="instant", started_at=seen - 300 * DAY)
    urgent = seen + HOUR
    night = [seen + number * 10 * MINUTE for number in range(1, 6)]
    moments = [*night, urgent + 9 * MINUTE, urgent + 10 * MINUTE, morning - MINUTE, morning]
    arrivals = [(seen, 20.0), (urgent, 0.9), (urgent + HOUR, 20.0)]
    assert _ticks(database, [*moments, urgent + 2 * HOUR], arrivals) == {
        urgent + 10 * MINUTE: ["anne 2"],
        morning: ["anne 1"],
    }


def test_who_was_down_in_the_day_does_not_write_at_night(database: Database) -> None:
    _reader(database)
    morning = _q(2026, 9, 23, 6, 30)
    moments = [_q(2026, 9, 22, 20), _q(2026, 9, 23, 2), morning]
    assert _ticks(database, moments, [(AT, 30), (AT + HOUR, 3)]) == {morning: ["anne 2"]}


def test_what_is_over_the_maximum_waits_for_the_next_letter(database: Database) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency="instant", most_notices=2)
    morning = _q(2026, 9, 23, 6, 30)
    moments = [AT + number * 10 * MINUTE for number in range(1, 6)]
    found = _ticks(database, [*moments, morning], [(AT, 9), (AT, 10), (AT, 11)])
    assert found == {AT + 10 * MINUTE: ["anne 2"], morning: ["anne 1"]}


def _settle(database: Database, state: LetterState, at: datetime) -> None:
    with database.write() as session:
        one = session.scalars(select(Letter).order_by(Letter.id.desc()).limit(1)).one()
        if state is LetterState.WITHDRAWN:
            outbox.withdraw(session, {one.id: Why.EXPIRED}, at=at)
        else:
            one.state, one.settled_at = state, at
            ledger.follow(session, one.id, state)


def test_what_a_letter_gave_back_is_told_ten_minutes_later(database: Database) -> None:
    _reader(database)
    assert _ticks(database, [AT + 10 * MINUTE], [(AT, 30)]) == {AT + 10 * MINUTE: ["anne 1"]}
    _settle(database, LetterState.WITHDRAWN, AT + HOUR)
    moments = [AT + HOUR, AT + HOUR + 9 * MINUTE, AT + HOUR + 10 * MINUTE, AT + 2 * HOUR]
    assert _ticks(database, moments) == {AT + HOUR + 10 * MINUTE: ["anne 1"]}


def test_one_process_sees_what_another_gave_back(database: Database) -> None:
    """It has looked at the ledger before, and knows the notice as told."""
    _reader(database)
    looked = Looked()
    with database.write() as session:
        _call(session, "1", AT)
    assert _tick(database, AT + 10 * MINUTE, looked) == ["anne 1"]
    assert _tick(database, AT + 30 * MINUTE, looked) == []
    _settle(database, LetterState.WITHDRAWN, AT + HOUR)
    assert _tick(database, AT + HOUR + 10 * MINUTE, looked) == ["anne 1"]
    assert _tick(database, AT + HOUR + 20 * MINUTE, looked) == []


def test_what_may_have_arrived_is_listed_again_the_next_morning(database: Database) -> None:
    _reader(database)
    _ticks(database, [AT + 10 * MINUTE], [(AT, 30)])
    _settle(database, LetterState.UNKNOWN, AT + HOUR)
    morning = _q(2026, 9, 23, 6, 30)
    moments = [AT + 2 * HOUR, AT + 9 * HOUR, morning, morning + HOUR]
    assert _ticks(database, moments) == {morning: ["anne 1"]}


def test_a_weekly_reader_is_told_now_what_monday_would_bring_too_late(database: Database) -> None:
    _reader(database, frequency="weekly")
    monday = _q(2026, 9, 28, 6)
    # Six days left on Monday is enough, five are not.
    soon, later = 11, 12
    moments = [AT + 10 * MINUTE, AT + 9 * HOUR, monday - HOUR, monday, monday + 30 * MINUTE]
    assert _ticks(database, moments, [(AT, soon), (AT, later), (AT, 40)], accepted=True) == {
        AT + 10 * MINUTE: ["anne 1"],
        monday: ["anne 2"],
    }


def test_no_more_than_two_letters_a_week_are_promoted(database: Database) -> None:
    _reader(database, frequency="weekly")
    days = [AT + number * DAY for number in range(5)]
    monday = _q(2026, 9, 28, 6)
    moments = [day + 10 * MINUTE for day in days] + [monday, monday + HOUR]
    again = monday + 3 * HOUR
    arrivals = [(day, 8.0) for day in days] + [(again, 5.0)]
    assert _ticks(database, [*moments, again + 10 * MINUTE], arrivals, accepted=True) == {
        days[0] + 10 * MINUTE: ["anne 1"],
        days[1] + 10 * MINUTE: ["anne 1"],
        monday: ["anne 3"],
        again + 10 * MINUTE: ["anne 1"],
    }


def test_nothing_is_promoted_while_this_weeks_letters_are_to_be_written(
    database: Database,
) -> None:
    """On Monday between 06:00 and 08:00 the edition waits for the week's file."""
    with database.write() as session:
        entitled(session, "anne")
        _call(session, "1", AT - 2 * DAY, days=4)
    waiting = _q(2026, 9, 21, 7)
    editions.write_open(database, DESK, at=waiting)
    assert _letters(database, waiting) == []
    assert _tick(database, waiting + MINUTE) == ["anne 1"]


@pytest.mark.parametrize(
    ("before", "after"), [("instant", "weekly"), ("instant", "daily"), ("daily", "weekly")]
)
def test_leaving_a_faster_rhythm_flushes_what_was_held_once(
    database: Database, before: str, after: str
) -> None:
    anne = _reader(database, frequency=before)
    changed = AT + 5 * MINUTE
    with database.write() as session:
        _call(session, "held", AT)
    _tick(database, AT + 4 * MINUTE)
    _wish(database, anne, changed, frequency=after)
    moments = [changed + 9 * MINUTE, changed + 10 * MINUTE, changed + 2 * HOUR]
    found = _ticks(database, moments, [(changed + MINUTE, 30)])
    assert found == {changed + 10 * MINUTE: ["anne 1"]}


def test_what_the_flush_left_over_waits_for_the_new_rhythm(database: Database) -> None:
    anne = _reader(database)
    with database.write() as session:
        for number in range(2):
            _call(session, str(number), AT, days=30 + number)
    _wish(database, anne, AT + 5 * MINUTE, frequency="weekly", most_notices=1)
    monday = _q(2026, 9, 28, 6)
    moments = [AT + 15 * MINUTE, _q(2026, 9, 23, 6, 30), _q(2026, 9, 23, 9), monday]
    assert _ticks(database, moments, accepted=True) == {
        AT + 15 * MINUTE: ["anne 1"],
        monday: ["anne 1"],
    }


def test_what_was_told_before_two_sources_calls_became_one_opens_nothing(
    database: Database,
) -> None:
    """The ledger has it under a cluster that is no more."""
    _reader(database)
    with database.write() as session:
        first = _call(session, "1", AT)
    looked = Looked()
    assert _tick(database, AT + 10 * MINUTE, looked) == ["anne 1"]
    with database.write() as session:
        second = _call(session, "2", AT + HOUR)
        session.execute(update(Tender).where(Tender.id == first.id).values(cluster_id=second.id))
    later = AT + 2 * HOUR
    for each in (looked, Looked()):
        assert _tick(database, later, each) == []
    with database.read() as session:
        assert (
            len(session.scalars(select(Edition).where(Edition.frequency == "instant")).all()) == 1
        )
        assert session.scalars(select(Omission.id)).all() == []


def test_a_held_notice_that_the_new_wishes_exclude_is_not_flushed(database: Database) -> None:
    anne = _reader(database)
    with database.write() as session:
        _call(session, "1", AT)
    _wish(database, anne, AT + 5 * MINUTE, frequency="weekly", sectors=("buanderie-textile",))
    assert _ticks(database, [AT + 15 * MINUTE, AT + HOUR]) == {}


def test_changing_rhythm_at_will_neither_repeats_nor_skips(database: Database) -> None:
    anne = _reader(database)
    told: dict[datetime, list[str]] = {}
    rhythms = ["daily", "instant", "weekly", "instant", "daily", "weekly"]
    for number, frequency in enumerate(rhythms):
        at = AT + number * 7 * HOUR
        told |= _ticks(database, [at + 9 * MINUTE], [(at, 30)], accepted=True)
        _wish(database, anne, at + 20 * MINUTE, frequency=frequency)
        told |= _ticks(database, [at + 40 * MINUTE, at + 3 * HOUR], accepted=True)
    told |= _ticks(database, [_q(2026, 9, 28, 6), _q(2026, 9, 28, 9)], accepted=True)
    with database.read() as session:
        rows = session.execute(select(Told.cluster_id, func.count()).group_by(Told.cluster_id))
        assert dict(rows.all()) == dict.fromkeys(session.scalars(select(Tender.id)), 1)
    assert sum(int(one.split()[1]) for letters in told.values() for one in letters) == 6


def test_who_is_paused_opens_nothing_and_gets_one_letter_afterwards(database: Database) -> None:
    anne = _reader(database)
    with database.write() as session:
        wishes.pause(session, anne, AT + DAY, origin="member", at=AT)
    arrivals = [(AT + MINUTE, 30.0), (AT + 3 * HOUR, 30.0), (AT + 5 * HOUR, 30.0)]
    moments = [AT + number * HOUR for number in range(8)]
    assert _ticks(database, [*moments, AT + DAY, AT + DAY + MINUTE], arrivals) == {
        AT + DAY: ["anne 3"]
    }
    with database.read() as session:
        counted = select(func.count()).where(Edition.frequency == "instant")
        assert session.scalar(counted.select_from(Edition)) == 1


def test_two_services_at_the_same_minute_write_one_letter(database: Database) -> None:
    for name in ("anne", "luc", "zoe"):
        _reader(database, name)
    with database.write() as session:
        _call(session, "1", AT)
    at, failed = AT + 10 * MINUTE, []
    ready = threading.Barrier(2)

    def serve() -> None:
        try:
            ready.wait(10)
            editions.write_open(database, DESK, at=at)
        except Exception as error:  # noqa: BLE001, shown below
            failed.append(error)

    services = [threading.Thread(target=serve) for _ in range(2)]
    for one in services:
        one.start()
    for one in services:
        one.join()
    assert failed == []
    editions.write_open(database, DESK, at=at)
    assert sorted(_letters(database, at)) == ["anne 1", "luc 1", "zoe 1"]
    with database.read() as session:
        assert (
            len(session.scalars(select(Edition).where(Edition.frequency == "instant")).all()) == 1
        )


def test_two_services_a_minute_apart_write_one_letter(database: Database) -> None:
    """The second one planned before the first one had written."""
    _reader(database)
    with database.write() as session:
        _call(session, "1", AT)
    at, first = AT + 10 * MINUTE, at_once.plan

    def overtaken(tick: Tick, edition: Edition) -> Plan:
        planned = first(tick, edition)
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(STREAMS, Stream.INSTANT, Run(plan=first, is_called=at_once.is_called))
            _tick(database, at)
        return planned

    run = Run(plan=overtaken, is_called=at_once.is_called)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STREAMS, Stream.INSTANT, run)
        assert _tick(database, at + MINUTE) == []
    assert _letters(database, at) == ["anne 1"]


def test_a_crash_between_opening_and_closing_is_finished_with_whoever_is_due_then(
    database: Database,
) -> None:
    _reader(database)
    _reader(database, "luc", "weekly")
    with database.write() as session:
        _call(session, "1", AT)
    at = AT + 10 * MINUTE

    def killed(*_given: object, **_options: object) -> None:
        raise RuntimeError("killed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(editions, "write_batch", killed)
        with pytest.raises(RuntimeError):
            _tick(database, at)
    with database.read() as session:
        left = session.scalars(select(Edition).where(Edition.frequency == "instant")).one()
        assert left.state == EditionState.OPEN
    zoe = AT + 12 * MINUTE
    with database.write() as session:
        entitled(session, "zoe", frequency="instant", started_at=AT)
    assert _tick(database, zoe) == ["anne 1", "zoe 1"]
    assert _tick(database, zoe + MINUTE) == []
    with database.read() as session:
        made = session.scalars(select(Edition).where(Edition.frequency == "instant")).all()
        assert [(one.id, one.state) for one in made] == [(left.id, EditionState.WRITTEN)]


def test_a_process_whose_look_broke_off_looks_at_everything_again(database: Database) -> None:
    _reader(database)
    looked = Looked()
    _tick(database, AT, looked)
    with database.write() as session:
        _call(session, "1", AT)

    def cut(*_given: object) -> None:
        raise RuntimeError("database away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Looked, "_refresh_given_back", cut)
        with pytest.raises(RuntimeError):
            _tick(database, AT + 5 * MINUTE, looked)
    assert looked.readers == {}
    assert _tick(database, AT + 10 * MINUTE, looked) == ["anne 1"]


def test_a_letter_that_cannot_be_composed_does_not_call_for_another_every_minute(
    database: Database,
) -> None:
    _reader(database)
    with database.write() as session:
        _call(session, "1", AT)

    def broken(*_given: object, **_options: object) -> None:
        raise ValueError("template")

    moments = [AT + 10 * MINUTE + number * MINUTE for number in range(8)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "compose", broken)
        assert _ticks(database, moments) == {}
    with database.read() as session:
        counted = select(func.count()).where(Edition.frequency == "instant")
        assert session.scalar(counted.select_from(Edition)) == 1
        assert session.scalars(select(Letter.state)).all() == [LetterState.QUARANTINED]
    morning = _q(2026, 9, 23, 6, 30)
    assert _ticks(database, [AT + HOUR, morning]) == {morning: ["anne 1"]}


def test_a_call_that_comes_nowhere_near_leaves_no_near_miss_and_one_that_does_is_kept(
    database: Database,
) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency="instant", excluded_words=["stationnements"])
    assert _ticks(database, [AT + 10 * MINUTE, AT + 20 * MINUTE], [(AT, 30)]) == {}
    with database.read() as session:
        kept = session.scalars(select(NearMissed)).one()
        assert (kept.lacked, kept.at) == ("excluded word", AT + 10 * MINUTE)


def test_a_call_that_closes_sooner_than_asked_is_left_alone(database: Database) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency="instant", minimum_days_left=5)
    moments = [AT + number * HOUR for number in range(1, 4)]
    assert _ticks(database, moments, [(AT, 4), (AT, 6)]) == {AT + HOUR: ["anne 1"]}
    with database.read() as session:
        assert session.scalars(select(Omission.id)).all() == []


def test_an_amended_call_that_answers_now_is_told_ten_minutes_later(database: Database) -> None:
    _reader(database)
    with database.write() as session:
        made = _call(session, "1", AT)
        revision = session.scalars(select(Revision)).one()
        revision.title = "Fourniture de bacs"
    looked = Looked()
    assert _tick(database, AT + HOUR, looked) == []
    amended = AT + 2 * HOUR
    with database.write() as session:
        values = {
            column.name: getattr(revision, column.name)
            for column in Revision.__table__.columns
            if column.name not in {"id", "number", "title", "seen_at"}
        }
        title = "Déneigement des stationnements"
        session.add(Revision(**values, number=2, title=title, seen_at=amended))
        session.execute(update(Tender).where(Tender.id == made.id).values(latest=2))
    assert _tick(database, amended + 9 * MINUTE, looked) == []
    assert _tick(database, amended + 10 * MINUTE, looked) == ["anne 1"]
