"""Weekly letters wait for the week's file, though not for ever; late ones say so, and merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import editions, ledger, writing
from alerts.digest import Digest
from alerts.letter import compose
from alerts.tables import Edition, Letter
from base.clock import QUEBEC
from base.database import Database
from sources import catalogue
from sources.catalogue import Access
from sources.tables import Reading
from subscriptions import wishes
from tests.coop import DESK, entitled, tender

SEAO = catalogue.load()["seao"]
DAY = timedelta(days=1)


def _q(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=QUEBEC).astimezone(UTC)  # type: ignore[misc, arg-type]


def _read(session: Session, name: str, at: datetime, **values: str) -> None:
    address = f"https://exemple.quebec/download/{name}"
    session.add(Reading(source="seao", at=at, address=address, **values))


def _opened(database: Database, at: datetime, sources: Sequence[object] = (SEAO,)) -> list[str]:
    with database.write() as session:
        made = editions.open_due(session, at, sources)  # type: ignore[arg-type]
        rows = session.scalars(select(Edition).where(Edition.id.in_(made)).order_by(Edition.id))
        return [f"{one.label}{' without' if one.without_week else ''}" for one in rows]


WEEK = "hebdo_20260914_20260920.json"


@pytest.mark.parametrize(
    ("file", "at", "opened"),
    [
        pytest.param(WEEK, (6, 0), ["2026-09-21", "2026-W39"], id="read"),
        pytest.param(WEEK, (5, 59), [], id="read, before six"),
        pytest.param(None, (6, 0), ["2026-09-21"], id="not read"),
        pytest.param("hebdo_20260907_20260913.json", (6, 0), ["2026-09-21"], id="last week's"),
        pytest.param("mensuel_20260801_20260831.json", (7, 59), ["2026-09-21"], id="a month's"),
        pytest.param(None, (8, 0), ["2026-09-21", "2026-W39 without"], id="at the latest"),
        pytest.param(WEEK, (9, 0), ["2026-09-21", "2026-W39"], id="late, but read"),
    ],
)
def test_the_weekly_edition_waits_for_the_weeks_file_until_eight(
    database: Database, file: str | None, at: tuple[int, int], opened: list[str]
) -> None:
    if file:
        with database.write() as session:
            _read(session, file, _q(2026, 9, 21, 2))
    assert _opened(database, _q(2026, 9, 21, *at)) == opened


@pytest.mark.parametrize("values", [{"fault": "truncated"}, {"fault": "half", "held": "shrunken"}])
def test_a_file_that_was_not_taken_in_is_waited_for(
    database: Database, values: dict[str, str]
) -> None:
    with database.write() as session:
        _read(session, WEEK, _q(2026, 9, 21, 2), **values)
    assert _opened(database, _q(2026, 9, 21, 6)) == ["2026-09-21"]
    with database.write() as session:
        _read(session, WEEK, _q(2026, 9, 21, 6, 12))
    assert _opened(database, _q(2026, 9, 21, 6, 13)) == ["2026-W39"]


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param([replace(SEAO, enabled=False)], id="disabled"),
        pytest.param([replace(SEAO, access=Access.DOCUMENT)], id="no weekly files"),
        pytest.param([], id="none"),
    ],
)
def test_where_no_weekly_file_is_read_nothing_is_waited_for(
    database: Database, sources: list[object]
) -> None:
    assert _opened(database, _q(2026, 9, 21, 6), sources) == ["2026-09-21", "2026-W39"]


@pytest.mark.parametrize(
    "monday", [(2026, 3, 9), (2026, 11, 2), (2027, 3, 15)], ids=["spring", "autumn", "next spring"]
)
def test_the_hours_of_the_week_hold_after_each_change_of_clock(
    database: Database, monday: tuple[int, int, int]
) -> None:
    early, latest = _opened(database, _q(*monday, 7, 59)), _opened(database, _q(*monday, 8))
    assert (len(early), len(latest)) == (1, 1)
    assert latest[0].endswith(" without")


def _write(database: Database, at: datetime, monkeypatch: pytest.MonkeyPatch) -> list[Digest]:
    """Tick, the relay accepting everything; what the letters were composed of."""
    seen: list[Digest] = []

    def noted(press: object, digest: Digest, *given: object, **options: object) -> object:
        seen.append(digest)
        return compose(press, digest, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "compose", noted)
    with database.write() as session:
        editions.open_due(session, at)
    editions.write_open(database, DESK, at=at)
    with database.write() as session:
        ids = session.scalars(select(Letter.id).where(Letter.written_at == at)).all()
        ledger.confirm(session, ids)
        session.execute(update(Letter).where(Letter.id.in_(ids)).values(state="accepted"))
    return seen


@pytest.mark.parametrize(
    ("frequency", "at", "was_due_at"),
    [
        ("daily", _q(2026, 9, 21, 7), None),
        ("daily", _q(2026, 9, 21, 7, 1), _q(2026, 9, 21, 6)),
        ("weekly", _q(2026, 9, 21, 9), None),
        ("weekly", _q(2026, 9, 21, 9, 1), _q(2026, 9, 21, 8)),
        ("weekly", _q(2026, 9, 24, 15), _q(2026, 9, 21, 8)),
    ],
)
def test_a_letter_more_than_an_hour_late_says_when_it_was_due(
    database: Database,
    frequency: str,
    at: datetime,
    was_due_at: datetime | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency=frequency)
        tender(session, closes_at=at + 20 * DAY)
    (digest,) = _write(database, at, monkeypatch)
    assert digest.was_due_at == was_due_at


def test_who_subscribed_after_the_hour_is_not_told_of_lateness(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        tender(session, closes_at=_q(2026, 10, 20, 11))
        entitled(session, "anne", started_at=_q(2026, 9, 22, 9))
        entitled(session, "luc", frequency="daily", started_at=_q(2026, 9, 22, 9))
    digests = _write(database, _q(2026, 9, 22, 10), monkeypatch)
    assert [one.was_due_at for one in digests if one.stream == "weekly"] == [None]


def test_after_an_outage_one_letter_tells_what_is_open_and_counts_what_closed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    friday, monday = _q(2026, 9, 18, 6), _q(2026, 9, 21, 6)
    with database.write() as session:
        entitled(session, "anne", frequency="daily")
        entitled(session, "luc", frequency="daily", sectors=["buanderie-textile"])
        # Monday only: what the weekend's editions missed was none of its own.
        entitled(session, "zoe", frequency="daily", weekdays=0b1)
        tender(session, "told", closes_at=_q(2026, 9, 20, 11))
    _write(database, friday, monkeypatch)
    with database.write() as session:
        tender(session, "closed on Saturday", closes_at=_q(2026, 9, 19, 5))
        tender(session, "closed on Sunday", closes_at=_q(2026, 9, 20, 11))
        tender(session, "cancelled", closes_at=_q(2026, 9, 20, 11))[0].status = "cancelled"
        tender(session, "open", closes_at=_q(2026, 10, 20, 11))
    digests = {one.contact_name: one for one in _write(database, monday, monkeypatch)}
    assert set(digests) == {"Personne fictive anne", "Personne fictive zoe"}
    anne, zoe = digests["Personne fictive anne"], digests["Personne fictive zoe"]
    assert [one.number for one in anne.notices] == ["open"]
    # Saturday's letter would have left after the first of them had closed.
    assert (anne.was_due_at, anne.closed_meanwhile) == (_q(2026, 9, 19, 6), 1)
    assert (zoe.was_due_at, zoe.closed_meanwhile) == (None, 0)
    with database.read() as session:
        made = session.scalars(select(Edition).where(Edition.label == "2026-09-21")).one()
        assert (made.starts_at, made.ends_at) == (_q(2026, 9, 18, 0), _q(2026, 9, 21, 0))


def test_a_week_that_was_missed_whole_is_merged_into_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        entitled(session, "anne")
    _write(database, _q(2026, 9, 14, 8), monkeypatch)
    with database.write() as session:
        tender(session, "1", closes_at=_q(2026, 9, 25, 11))
        tender(session, "2", closes_at=_q(2026, 10, 25, 11))
    # Five days late: nothing is written any more for that week but at once.
    assert _write(database, _q(2026, 9, 26, 9), monkeypatch) == []
    (digest,) = _write(database, _q(2026, 9, 28, 6), monkeypatch)
    assert (digest.was_due_at, digest.closed_meanwhile) == (_q(2026, 9, 21, 8), 1)
    assert [one.number for one in digest.notices] == ["2"]


def test_on_time_nothing_is_said_of_what_closed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        entitled(session, "anne", frequency="daily", most_notices=1)
    _write(database, _q(2026, 9, 21, 6), monkeypatch)
    with database.write() as session:
        tender(session, "closed", closes_at=_q(2026, 9, 21, 23))
        for number in range(3):
            tender(session, str(number), closes_at=_q(2026, 10, 20, 11))
    (digest,) = _write(database, _q(2026, 9, 22, 6), monkeypatch)
    assert (digest.was_due_at, digest.closed_meanwhile, digest.kept_back) == (None, 0, 2)


def test_who_changes_rhythm_during_an_outage_gets_one_letter(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        anne = entitled(session, "anne", frequency="daily")
        tender(session, closes_at=_q(2026, 10, 20, 11))
        weekly = wishes.Wishes(frequency="weekly", sectors=("deneigement",))
        wishes.change(session, anne.id, weekly, origin="member", at=_q(2026, 9, 20, 11))
    assert len(_write(database, _q(2026, 9, 21, 12), monkeypatch)) == 1
    assert _write(database, _q(2026, 9, 21, 12, 30), monkeypatch) == []
