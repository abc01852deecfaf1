"""A run far beyond the usual ones waits for staff, and so does the very first one."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import brake, editions, holds
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Fault, Handing, Tally
from alerts.hold_tables import Hold
from alerts.journal import open_journal
from alerts.recovery import hold_if_restored
from alerts.tables import Edition, EditionState, Letter, LetterState
from base import concerns
from base.concerns import Concern
from base.database import Database
from sources.tables import Tender
from tests.coop import AT, entitled, tender
from tests.mailserver import mail_server
from tests.writers import desk

WEEK = timedelta(days=7)


def _past(session: Session, *runs: tuple[int, int], frequency: str = "weekly") -> None:
    """Editions of earlier weeks that wrote so many letters with so many notices in all."""
    for back, (letters, notices) in enumerate(runs, start=1):
        end = AT - back * WEEK
        session.add(
            Edition(
                frequency=frequency,
                label=f"avant-{back}",
                starts_at=end - WEEK,
                ends_at=end,
                opened_at=end,
                written_at=end,
                state=EditionState.WRITTEN,
                letters=letters,
                notices=notices,
            )
        )
    holds.release_first_run(session, by="essai", at=AT)


def _write(database: Database, *, contacts: int, tenders: int) -> list[str]:
    """Write this week's edition; the causes of the holds that stand afterwards."""
    with database.write() as session:
        for number in range(contacts):
            entitled(session, f"membre{number}")
        for number in range(tenders):
            tender(session, f"{number:08}")
        editions.open_due(session, AT)
    editions.write_open(database, desk(), at=AT)
    with database.read() as session:
        return [one.cause for one in holds.standing(session)]


@pytest.mark.parametrize(
    ("past", "contacts", "tenders", "held"),
    [
        pytest.param([(3, 3)] * 3, 9, 1, False, id="three times the usual letters"),
        pytest.param([(3, 3)] * 3, 10, 1, True, id="more than three times the letters"),
        pytest.param([(3, 6)] * 3, 3, 6, False, id="three times the notices a letter"),
        pytest.param([(3, 6)] * 3, 3, 7, True, id="more than three times the notices a letter"),
        pytest.param([(1, 1)] * 2, 10, 1, False, id="two past runs say nothing"),
        pytest.param([(1, 1)] * 4 + [(9, 9)] * 4, 10, 1, False, id="the median of eight"),
        pytest.param([(1, 1)] * 8 + [(99, 99)] * 9, 4, 1, True, id="no more than the last eight"),
        pytest.param([(0, 0)] * 9 + [(4, 4)] * 3, 5, 1, False, id="empty runs count for nothing"),
    ],
)
def test_the_brake_holds_beyond_three_times_the_median(
    database: Database, past: list[tuple[int, int]], contacts: int, tenders: int, held: bool
) -> None:
    with database.write() as session:
        _past(session, *past)
    assert _write(database, contacts=contacts, tenders=tenders) == (["brake"] if held else [])


def test_runs_of_another_frequency_say_nothing(database: Database) -> None:
    with database.write() as session:
        _past(session, *[(1, 1)] * 8, frequency="daily")
    assert _write(database, contacts=10, tenders=1) == []


def test_what_the_brake_found_is_said_once_with_its_figures(database: Database) -> None:
    with database.write() as session:
        _past(session, *[(2, 2)] * 3)
    _write(database, contacts=7, tenders=1)
    with database.read() as session:
        (concern,) = concerns.standing(session)
    assert concern.cause == "hold brake"
    assert concern.detail == {"letters": 7, "usual_letters": 2, "notices": 7, "usual_notices": 7}


def _hand_over(database: Database, folder: Path) -> tuple[Tally, list[str]]:
    async def work() -> tuple[Tally, list[str]]:
        async with mail_server() as mailbox:
            handing = Handing(
                relay=Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="test"),
                sender="retours@exemple.quebec",
                allowed=frozenset({"*"}),
                journal=open_journal(folder / "journal"),
            )
            hold_if_restored(database, handing.journal, at=AT)
            tally = await hand_over(database, handing, now=lambda: AT)
            return tally, mailbox.recipients

    return asyncio.run(work())


def test_the_first_run_waits_until_staff_lift_the_hold(database: Database, tmp_path: Path) -> None:
    assert _write(database, contacts=2, tenders=1) == [holds.FIRST_RUN]
    held, nobody = _hand_over(database, tmp_path)
    with database.write() as session:
        holds.lift(session, by="essai", at=AT)
        holds.settle_concerns(session, at=AT)
    sent, both = _hand_over(database, tmp_path)

    assert (held.fault, nobody) == (Fault.HELD, [])
    assert (sent.accepted, len(both)) == (2, 2)
    with database.read() as session:
        assert concerns.standing(session) == []
        assert session.scalars(select(Concern.cause)).all() == ["hold first run"]


def test_the_first_run_is_held_once_and_not_for_an_edition_without_letters(
    database: Database,
) -> None:
    assert _write(database, contacts=2, tenders=0) == []
    with database.write() as session:
        tender(session, closes_at=AT + 2 * WEEK)
        editions.open_due(session, AT + WEEK)
    editions.write_open(database, desk(), at=AT + WEEK)
    with database.read() as session:
        assert [one.cause for one in holds.standing(session)] == [holds.FIRST_RUN]
        assert session.scalar(select(func.count()).select_from(Hold)) == 1


def test_a_released_first_run_leaves_at_once_and_other_holds_stay(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        holds.release_first_run(session, by="démonstration", at=AT)
        holds.release_first_run(session, by="démonstration", at=AT)
    assert _write(database, contacts=2, tenders=1) == []
    sent, _ = _hand_over(database, tmp_path)
    with database.write() as session:
        holds.hold(session, cause="staff", detail="", by="essai", at=AT)
        holds.release_first_run(session, by="démonstration", at=AT)
        assert [one.cause for one in holds.standing(session)] == ["staff"]
    assert sent.accepted == 2


def test_a_standing_first_run_can_be_released(database: Database) -> None:
    _write(database, contacts=1, tenders=1)
    with database.write() as session:
        holds.release_first_run(session, by="démonstration", at=AT)
        assert holds.standing(session) == []


def test_no_letter_of_an_edition_leaves_before_it_is_measured(
    database: Database, tmp_path: Path
) -> None:
    """Half of it is written; a dispatcher comes by."""
    with database.write() as session:
        holds.release_first_run(session, by="essai", at=AT)
        entitled(session, "anne")
        tender(session)
        (opened,) = editions.open_due(session, AT)[-1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(editions, "_close", lambda *_: None)
        editions.write_open(database, desk(), at=AT)
    early, _ = _hand_over(database, tmp_path)
    editions.write_open(database, desk(), at=AT)
    late, _ = _hand_over(database, tmp_path)
    assert (early.accepted, late.accepted) == (0, 1)
    with database.read() as session:
        edition = session.get_one(Edition, opened)
        assert (edition.letters, edition.notices) == (1, 1)


def test_measuring_counts_no_letter_in_quarantine(database: Database) -> None:
    with database.write() as session:
        _past(session, *[(1, 1)] * 3)
    _write(database, contacts=4, tenders=1)
    with database.write() as session:
        edition = session.scalars(select(Edition).where(Edition.label == "2026-W39")).one()
        for one in session.scalars(select(Letter)).all()[1:]:
            one.state = LetterState.QUARANTINED
        session.flush()
        assert brake.measure(session, edition, at=AT) == ""
        assert edition.letters == 1


MORNING = AT + timedelta(hours=3)
DAY = timedelta(days=1)


def _days(session: Session, *totals: tuple[int, int]) -> None:
    """Letters at once of earlier days, each day's in two runs; and none is a first run."""
    for back, (letters, notices) in enumerate(totals, start=1):
        for run, share in enumerate((letters // 2, letters - letters // 2)):
            at = MORNING - back * DAY + timedelta(hours=run)
            session.add(
                Edition(
                    frequency="instant",
                    label=f"avant-{back}-{run}",
                    starts_at=at,
                    ends_at=at + DAY,
                    opened_at=at,
                    written_at=at,
                    state=EditionState.WRITTEN,
                    letters=share,
                    notices=round(notices * share / letters),
                )
            )
    holds.release_first_run(session, by="essai", at=AT)


def _at_once(database: Database, at: datetime, *, readers: int, name: str = "") -> list[str]:
    """So many readers are told of something at once; the causes of the holds that stand then."""
    with database.write() as session:
        sectors = ["deneigement"]
        for number in range(readers):
            entitled(session, f"x{name}{number}", frequency="instant", sectors=sectors)
        if not session.scalar(select(func.count()).select_from(Tender)):
            tender(session, closes_at=AT + 30 * DAY)
    editions.write_open(database, desk(), at=at)
    with database.read() as session:
        return [one.cause for one in holds.standing(session)]


@pytest.mark.parametrize(
    ("past", "readers", "held"),
    [
        pytest.param([(2, 2)] * 7 + [(8, 8)], 24, False, id="three times the busiest day"),
        pytest.param([(2, 2)] * 7 + [(8, 8)], 25, True, id="more than three times"),
        pytest.param([(2, 2)] * 8 + [(90, 90)], 25, True, id="no more than eight days"),
        pytest.param([(2, 2)] * 8, 20, False, id="twenty are no alarm"),
        pytest.param([(2, 2)] * 2, 60, False, id="two days say nothing"),
    ],
)
def test_letters_at_once_are_compared_by_the_day(
    database: Database, past: list[tuple[int, int]], readers: int, held: bool
) -> None:
    with database.write() as session:
        _days(session, *past)
    assert _at_once(database, MORNING, readers=readers) == (["brake"] if held else [])


def test_many_small_runs_of_one_day_are_one_large_one_and_are_held_once(
    database: Database,
) -> None:
    with database.write() as session:
        _days(session, *[(2, 2)] * 4)
    held = []
    for run in range(4):
        at = MORNING + run * timedelta(minutes=20)
        held.append(_at_once(database, at, readers=7, name=f"run{run}"))
    assert held == [[], [], ["brake"], ["brake"]]
    with database.read() as session:
        (concern,) = concerns.standing(session)
        assert (concern.key, concern.detail["letters"]) == ("hold:instant:2026-09-21", 21)
    with database.write() as session:
        # Staff have looked: what they saw counts no more that day.
        holds.lift(session, by="essai", at=MORNING + timedelta(hours=2))
    assert _at_once(database, MORNING + timedelta(hours=3), readers=7, name="later") == []
    assert _at_once(database, MORNING + timedelta(hours=4), readers=14, name="last") == ["brake"]
