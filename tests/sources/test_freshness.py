"""How fresh a source is, in working days of Québec, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from base import concerns
from base.clock import wall_time
from base.database import Database
from sources import catalogue, freshness
from sources.freshness import Standing, coverage
from sources.shape import Hold, hold
from sources.tables import Reading, Visit
from sources.working_days import elapsed, working_day

ROOT = "https://www.donneesquebec.ca/recherche/dataset/d/resource/r/download"
URL = "https://www.donneesquebec.ca/liste"
SEAO = (catalogue.load()["seao"],)


def day(written: str, hour: int = 12) -> datetime:
    return wall_time(datetime.fromisoformat(written).date(), hour)


@pytest.mark.parametrize(
    ("written", "works"),
    [
        ("2026-09-21", True),
        ("2026-09-19", False),
        ("2026-06-24", False),
        ("2026-10-12", False),
        ("2026-05-18", False),
        ("2026-12-25", False),
        ("2026-11-11", True),
    ],
    ids=[
        "monday",
        "saturday",
        "saint-jean",
        "thanksgiving",
        "patriots",
        "christmas",
        "11 november",
    ],
)
def test_working_days_are_those_of_quebec(written: str, *, works: bool) -> None:
    assert working_day(datetime.fromisoformat(written).date()) is works


def test_working_days_are_counted_after_the_first_up_to_the_last() -> None:
    assert elapsed(day("2026-10-09"), day("2026-10-13")) == 1
    assert elapsed(day("2026-10-09"), day("2026-10-09")) == 0
    assert elapsed(day("2026-10-13"), day("2026-10-09")) == 0
    # 03:00 UTC on Tuesday is still Monday in Québec.
    assert elapsed(day("2026-09-18"), datetime(2026, 9, 22, 3, tzinfo=UTC)) == 1


def reading(session: Session, at: datetime, name: str = "", **values: object) -> Reading:
    made = Reading(source="seao", at=at, address=f"{ROOT}/{name or 'f.json'}", **values)
    session.add(made)
    session.flush()
    return made


def standing(session: Session, at: datetime) -> tuple[Standing, datetime | None]:
    (state,) = coverage(session, at, SEAO)
    return state.standing, state.missing_since


@pytest.mark.parametrize(
    ("at", "late"),
    [
        ("2026-09-28", False),
        ("2026-09-29", False),
        ("2026-09-30", True),
    ],
    ids=["due on Monday", "one day over", "two working days over"],
)
def test_a_weekly_source_is_late_two_working_days_after_it_was_due(
    database: Database, at: str, *, late: bool
) -> None:
    with database.write() as session:
        reading(session, day("2026-09-21"), "hebdo_20260914_20260920.json")
        found, since = standing(session, day(at))
        assert (found is Standing.LATE) is late
        assert since == (day("2026-09-21", 6) if late else None)


def test_a_holiday_gives_a_source_one_more_day(database: Database) -> None:
    with database.write() as session:
        # Due on Monday 12 October, which is Thanksgiving.
        reading(session, day("2026-10-05"), "hebdo_20260928_20261004.json")
        assert standing(session, day("2026-10-14"))[0] is Standing.FRESH
        assert standing(session, day("2026-10-15"))[0] is Standing.LATE


def test_an_old_week_read_again_does_not_make_a_source_late(database: Database) -> None:
    with database.write() as session:
        reading(session, day("2026-09-21"), "hebdo_20260914_20260920.json")
        reading(session, day("2026-09-22"), "hebdo_20260803_20260809.json")
        assert standing(session, day("2026-09-23"))[0] is Standing.FRESH


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-09-21", Standing.FAILING),
        ("2026-09-23", Standing.FAILING),
        ("2026-09-24", Standing.SILENT),
    ],
)
def test_a_source_that_fails_for_two_working_days_is_silent(
    database: Database, at: str, expected: Standing
) -> None:
    with database.write() as session:
        reading(session, day("2026-09-21"), "hebdo_20260914_20260920.json")
        session.add(
            Visit(
                source="seao",
                address=URL,
                asked_at=day("2026-09-21"),
                failing_since=day("2026-09-21"),
                fault="too slow",
            )
        )
        session.flush()
        found, since = standing(session, day(at))
        assert found is expected
        assert since == (day("2026-09-21") if expected is Standing.SILENT else None)


def test_a_source_that_was_never_read_promises_nothing(database: Database) -> None:
    with database.read() as session:
        assert standing(session, day("2026-09-21")) == (Standing.NEVER, None)


def test_a_held_document_is_told_from_its_first_reading_until_a_good_one(
    database: Database,
) -> None:
    with database.write() as session:
        reading(session, day("2026-09-21"), "hebdo_20260914_20260920.json")
        for n in (22, 23):
            reading(session, day(f"2026-09-{n}"), f"{n}.json", held=Hold.CHANGED, fault="x")
        assert standing(session, day("2026-09-23")) == (Standing.CHANGED, day("2026-09-22"))
        reading(session, day("2026-09-24"), "24.json")
        assert standing(session, day("2026-09-24")) == (Standing.FRESH, None)


def test_staff_are_told_once_and_it_is_settled_when_it_is_over(database: Database) -> None:
    with database.write() as session:
        reading(session, day("2026-09-21"), "hebdo_20260914_20260920.json")
        for hours in range(3):
            freshness.check(session, day("2026-09-30") + timedelta(hours=hours), SEAO)
        (concern,) = concerns.standing(session)
        assert (concern.cause, concern.detail["since"]) == ("source late", "2026-09-21")
        reading(session, day("2026-09-30"), "hebdo_20260921_20260927.json")
        freshness.check(session, day("2026-09-30", 18), SEAO)
        assert concerns.standing(session) == []


USUAL = {
    "releases": 4000, "faults": 0, "active": 800,
    "title": 800, "buyer": 800, "number": 800, "closes_at": 790, "uri": 800,
}  # fmt: skip


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({}, None),
        ({"releases": 2000}, None),
        ({"releases": 1999, "active": 400}, Hold.SHRUNKEN),
        ({"releases": 0, "active": 0}, Hold.SHRUNKEN),
        ({"closes_at": 400}, Hold.CHANGED),
        ({"closes_at": 401}, None),
        ({"title": 0}, Hold.CHANGED),
        ({"active": 0}, Hold.CHANGED),
        ({"faults": 2000}, Hold.CHANGED),
        ({"faults": 1900}, None),
    ],
    ids=[
        "usual", "half", "under half", "nothing", "closings halved", "closings over half",
        "titles gone", "no call", "half faulty", "under half faulty",
    ],
)  # fmt: skip
def test_a_document_is_held_by_what_those_before_it_carried(
    now: dict[str, int], expected: Hold | None
) -> None:
    carried = {**USUAL, **dict.fromkeys(("title", "buyer", "number", "uri"), 800), **now}
    active = carried["active"]
    for name in ("title", "buyer", "number", "uri", "closes_at"):
        if name not in now:
            carried[name] = min(carried[name], active)
    assert hold(carried, USUAL, [4000, 4000], expected=3900) is expected


def test_a_first_document_is_compared_with_the_catalogue() -> None:
    assert hold({**USUAL, "releases": 1900}, None, [], expected=3900) is Hold.SHRUNKEN
    assert hold({**USUAL, "releases": 1}, None, [], expected=0) is None
