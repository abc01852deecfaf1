"""Each notice that is accepted records its useful days, whichever way the answer came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import delays, doubts, editions, holds, ledger
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.tables import Letter, LetterState, Told
from base.database import Database
from subscriptions import wishes
from tests.coop import AT, DESK, entitled, letter, tender, told
from tests.mailserver import mail_server

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_what_the_relay_accepts_records_whole_days_to_the_closing(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        holds.release_first_run(session, by="essai", at=AT)
        entitled(session, "anne")
        for number, left in enumerate((HOUR, DAY - HOUR, DAY + 3 * HOUR, 9 * DAY, None)):
            tender(session, str(number), closes_at=AT + left if left else None)
        editions.open_due(session, AT)
    editions.write_open(database, DESK, at=AT)
    with database.read() as session:
        assert session.scalars(select(Told.days_left)).all() == [None] * 5

    async def send() -> None:
        async with mail_server() as mailbox:
            relay = Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="test")
            handing = Handing(
                relay=relay,
                sender="retours@exemple.quebec",
                allowed=frozenset({"*"}),
                journal=open_journal(tmp_path / "journal"),
            )
            await hand_over(database, handing, now=lambda: AT + HOUR / 2)

    asyncio.run(send())
    with database.read() as session:
        left = session.execute(select(Told.closes_at, Told.days_left).order_by(Told.id)).all()
    assert sorted((days for _, days in left), key=str) == [0, 0, 1, 8, None]


def _doubted(session: Session) -> Letter:
    _, revision = tender(session, closes_at=AT + 7 * DAY)
    one = letter(session, entitled(session, "anne"))
    told(session, one, revision, revision.tender_id).closes_at = AT + 7 * DAY
    one.state, one.in_doubt_at = LetterState.IN_DOUBT, AT + HOUR
    session.flush()
    return one


def test_an_answer_from_the_relays_log_counts_from_the_dot(database: Database) -> None:
    with database.write() as session:
        one = _doubted(session)
        doubt = doubts.Doubt(one.id, one.key, one.message_id, AT + HOUR)
        late = AT + 3 * DAY
        assert doubts.resolve(
            session, one.id, LetterState.ACCEPTED, reply="queued", at=late, doubt=doubt
        )
        assert session.scalars(select(Told.days_left)).one() == 6


def test_what_nobody_knows_of_has_no_days_until_somebody_does(database: Database) -> None:
    with database.write() as session:
        one = _doubted(session)
        one.state = LetterState.UNKNOWN
        ledger.follow(session, one.id, LetterState.UNKNOWN)
        assert session.scalars(select(Told.days_left)).one() is None
        assert doubts.resolve(session, one.id, LetterState.ACCEPTED, reply="oui", at=AT + 2 * DAY)
    with database.read() as session:
        assert session.scalars(select(Told.days_left)).one() == 6


def _past(database: Database) -> None:
    """A weekly reader told of ten notices with 1 to 10 days left, another at once of one."""
    with database.write() as session:
        for number in range(1, 11):
            tender(session, str(number), closes_at=AT + number * DAY + HOUR)
        weekly = entitled(session, "anne")
        entitled(session, "luc", frequency="instant", sectors=["buanderie-textile"])
        editions.open_due(session, AT)
    editions.write_open(database, DESK, at=AT)
    _accept(database)
    at = AT + 2 * DAY + HOUR
    with database.write() as session:
        tender(session, "at once", title="Service de buanderie", closes_at=at + 20 * DAY + HOUR)
        tender(session, "no date", title="Service de buanderie", closes_at=None)
        # What was asked for when the letter was written counts, not what is asked for now.
        daily = wishes.Wishes(frequency="daily", sectors=("deneigement",))
        wishes.change(session, weekly.id, daily, origin="member", at=at)
    editions.write_open(database, DESK, at=at)
    _accept(database)


def _accept(database: Database) -> None:
    """The relay takes what waits."""
    with database.write() as session:
        for one in session.scalars(select(Letter).where(Letter.state == LetterState.WRITTEN)):
            session.execute(
                update(Letter)
                .where(Letter.id == one.id)
                .values(state="accepted", settled_at=one.written_at)
            )
            ledger.confirm(session, [one.id])


def test_the_report_is_of_all_streams_and_frequencies(database: Database) -> None:
    _past(database)
    with database.read() as session:
        found = delays.report(session, None, None)
        monday = delays.report(session, None, AT + DAY)
        never = delays.report(session, AT + 9 * DAY, None)
    assert (found.all.notices, found.all.without_closing, found.all.median) == (12, 1, 6)
    assert found.all.too_late == 5 / 11
    assert set(found.by_stream) == {"weekly", "instant"}
    assert set(found.by_frequency) == {"weekly", "instant"}
    weekly = found.by_stream["weekly"]
    assert (weekly.median, weekly.too_late) == (5.5, 0.5)
    assert weekly.deciles == pytest.approx((1.9, 2.8, 3.7, 4.6, 5.5, 6.4, 7.3, 8.2, 9.1))
    assert found.by_frequency["instant"].deciles == (20.0,) * 9
    assert (monday.all.notices, never.all.notices, never.all.median) == (10, 0, None)


def test_staff_read_it_in_french(
    database_url: str,
    database: Database,
    alertes: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "160")
    empty = alertes("rapport", "delais")
    assert "Aucun avis" in empty.out  # type: ignore[attr-defined]
    _past(database)
    said = alertes("rapport", "delais")
    page = Path("var/rapports/delais.html").read_text("utf-8")
    assert ("<svg" in page, "Avis reçus, selon les jours" in page) == (True, True)
    for words in ("Moins de 6 jours", "5,5", "50,0\u00a0%", "Lettre de la semaine", "1\u00a0avis"):
        assert words in said.out  # type: ignore[attr-defined]
    first = json.loads(
        alertes("rapport", "delais", "--jusqua", "2026-09-21", "--json").out  # type: ignore[attr-defined]
    )
    assert first["tous"]["avis"] == 10
    assert first["par_envoi"]["weekly"]["part_sous_6_jours"] == 0.5
    for wrong in (("--depuis", "hier"), ("--depuis", "2026-09-22", "--jusqua", "2026-09-21")):
        assert alertes("rapport", "delais", *wrong).code == 2  # type: ignore[attr-defined]
