"""Editions: opened when due, written once, each contact with a letter or a reason."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import editions, ledger, owed, periodic
from alerts.tables import Edition, Letter, LetterState, Omission, Told, ToldState, Why
from base.clock import QUEBEC
from base.database import Database
from subscriptions import members, suppressions, wishes
from subscriptions.tables import Consent, Contact, Membership
from tests.coop import AT, DESK, entitled, tender

WEEK = timedelta(days=7)


def _in_quebec(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=QUEBEC).astimezone(UTC)  # type: ignore[misc, arg-type]


def _written(database: Database, at: datetime) -> Counter[str]:
    with database.write() as session:
        editions.open_due(session, at)
    return editions.write_open(database, DESK, at=at)


def _letters(session: Session) -> list[Letter]:
    return list(session.scalars(select(Letter).order_by(Letter.id)))


def _whys(session: Session) -> list[str]:
    return list(session.scalars(select(Omission.why).order_by(Omission.id)))


@pytest.mark.parametrize(
    ("at", "labels"),
    [
        pytest.param(_in_quebec(2026, 9, 21, 5, 59), ["2026-W39?"], id="a minute early"),
        pytest.param(_in_quebec(2026, 9, 21, 6), ["2026-09-21", "2026-W39"], id="Monday at six"),
        pytest.param(_in_quebec(2026, 9, 21, 23, 59), ["2026-09-21", "2026-W39"], id="late"),
        pytest.param(_in_quebec(2026, 9, 23, 6), ["2026-09-23", "2026-W39"], id="Wednesday"),
        pytest.param(_in_quebec(2026, 9, 26, 7), ["2026-09-26"], id="five days late"),
        pytest.param(_in_quebec(2026, 11, 2, 6), ["2026-11-02", "2026-W45"], id="autumn change"),
        pytest.param(_in_quebec(2027, 3, 15, 6), ["2027-03-15", "2027-W11"], id="spring change"),
        pytest.param(_in_quebec(2026, 12, 28, 6), ["2026-12-28", "2026-W53"], id="week 53"),
    ],
)
def test_an_edition_is_due_from_its_hour_on(at: datetime, labels: list[str]) -> None:
    expected = [label for label in labels if not label.endswith("?")]
    assert [one.label for one in periodic.due(at)] == expected


def test_a_period_is_whole_days_in_quebec_through_a_change_of_clock() -> None:
    weekly = periodic.due(_in_quebec(2026, 11, 2, 6))[1]
    assert weekly.period.start == _in_quebec(2026, 10, 26, 0)
    assert weekly.period.end == _in_quebec(2026, 11, 2, 0)
    # The Sunday of 1 November has 25 hours; the difference of wall times would not show it.
    lasted = weekly.period.end.astimezone(UTC) - weekly.period.start.astimezone(UTC)
    assert lasted == WEEK + timedelta(hours=1)


def test_whoever_comes_second_opens_none(database: Database) -> None:
    with database.write() as session:
        assert len(editions.open_due(session, AT)) == 2
        assert editions.open_due(session, AT + timedelta(minutes=1)) == []


def test_after_downtime_one_edition_covers_what_was_missed(database: Database) -> None:
    with database.write() as session:
        editions.open_due(session, AT - 3 * WEEK)
        editions.open_due(session, AT)
        weekly = session.scalars(
            select(Edition).where(Edition.frequency == "weekly").order_by(Edition.id)
        ).all()
        assert len(weekly) == 2
        assert weekly[1].starts_at == weekly[0].ends_at
        assert weekly[1].ends_at - weekly[1].starts_at == 3 * WEEK


def _leave(session: Session, contact: Contact) -> None:
    wishes.unsubscribe(session, contact.id, origin="member", at=AT)


def _lapse(session: Session, contact: Contact) -> None:
    session.execute(
        update(Membership).where(Membership.member_id == contact.member_id).values(ends_at=AT)
    )


def _lose_consent(session: Session, contact: Contact) -> None:
    session.execute(update(Consent).where(Consent.contact_id == contact.id).values(ends_at=AT))


def _pause(session: Session, contact: Contact) -> None:
    wishes.pause(session, contact.id, AT + timedelta(days=1), origin="staff", at=AT)


def _suppress(session: Session, contact: Contact) -> None:
    suppressions.suppress(session, contact.address, reason="bounce 5.1.1", at=AT)


def _want_nothing_known(session: Session, contact: Contact) -> None:
    wanted = wishes.Wishes(frequency="weekly", sectors=("buanderie-textile",))
    wishes.change(session, contact.id, wanted, origin="staff", at=AT)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (_leave, Why.SUBSCRIPTION),
        (_lapse, Why.MEMBERSHIP),
        (_lose_consent, Why.CONSENT),
        (_pause, Why.PAUSED),
        (_suppress, Why.SUPPRESSED),
        (_want_nothing_known, Why.NOTHING),
    ],
)
def test_who_may_not_be_mailed_has_a_reason_and_no_letter(
    database: Database, event: object, why: Why
) -> None:
    with database.write() as session:
        tender(session)
        entitled(session, "anne")
        event(session, entitled(session, "luc"))  # type: ignore[operator]

    assert _written(database, AT) == Counter({"letter": 1, why: 1})

    with database.read() as session:
        assert [letter.address for letter in _letters(session)] == ["anne@exemple.quebec"]
        assert _whys(session) == [why]


def test_writing_twice_writes_nothing_more(database: Database) -> None:
    with database.write() as session:
        tender(session)
        entitled(session, "anne")
    assert _written(database, AT) == Counter({"letter": 1})
    assert _written(database, AT + timedelta(minutes=1)) == Counter()
    with database.read() as session:
        assert len(_letters(session)) == 1


def test_an_edition_cut_short_is_finished_by_the_next_tick(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        tender(session)
        for name in ("anne", "luc", "zoe"):
            entitled(session, name)
    monkeypatch.setattr(owed, "BATCH", 1)
    written = editions.write_batch
    calls = iter([written, _killed])

    def second_time_killed(*given: object, **options: object) -> Counter[str]:
        return next(calls, written)(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(editions, "write_batch", second_time_killed)

    with pytest.raises(RuntimeError):
        _written(database, AT)
    assert _written(database, AT) == Counter({"letter": 2})

    with database.read() as session:
        keys = [letter.key.rpartition(":")[0] for letter in _letters(session)]
        assert keys == ["digest:weekly:2026-W39"] * 3


def _killed(*_args: object, **_options: object) -> Counter[str]:
    raise RuntimeError("killed")


def test_a_notice_that_was_accepted_is_not_told_again(database: Database) -> None:
    with database.write() as session:
        tender(session, closes_at=AT + 3 * WEEK)
        entitled(session, "anne")
    _written(database, AT)
    with database.write() as session:
        ledger.confirm(session, [_letters(session)[0].id])
    assert _written(database, AT + WEEK) == Counter({Why.NOTHING: 1})


def test_a_notice_whose_letter_did_not_leave_is_told_in_the_next_edition(
    database: Database,
) -> None:
    with database.write() as session:
        tender(session, closes_at=AT + 3 * WEEK)
        entitled(session, "anne")
    _written(database, AT)
    with database.write() as session:
        ledger.release(session, [_letters(session)[0].id])
    assert _written(database, AT + WEEK) == Counter({"letter": 1})
    with database.read() as session:
        told = session.scalars(select(Told)).one()
        assert told.letter_id == _letters(session)[1].id
        assert told.state == ToldState.RESERVED


def test_an_uncertain_notice_is_listed_once_more_and_marked_so(database: Database) -> None:
    with database.write() as session:
        tender(session, closes_at=AT + 5 * WEEK)
        entitled(session, "anne")
    _written(database, AT)
    with database.write() as session:
        _letters(session)[0].state = LetterState.UNKNOWN
        ledger.doubt(session, [_letters(session)[0].id])
    assert _written(database, AT + WEEK) == Counter({"letter": 1})
    with database.write() as session:
        again = _letters(session)[1]
        assert again.content is not None
        assert b"Peut-=C3=AAtre d=C3=A9j=C3=A0 re=C3=A7u" in again.content.replace(b"=\r\n", b"")
        again.state = LetterState.UNKNOWN
        ledger.doubt(session, [again.id])
    assert _written(database, AT + 2 * WEEK) == Counter({Why.NOTHING: 1})


def test_changing_rhythm_neither_repeats_nor_skips(database: Database) -> None:
    with database.write() as session:
        first, _ = tender(session, "20169865", closes_at=AT + 3 * WEEK)
        anne = entitled(session, "anne")
    _written(database, AT)
    with database.write() as session:
        ledger.confirm(session, [_letters(session)[0].id])
        daily = wishes.Wishes(frequency="daily", sectors=("deneigement",))
        wishes.change(session, anne.id, daily, origin="member", at=AT)
        second, _ = tender(session, "20169866", closes_at=AT + 3 * WEEK)
    _written(database, AT + timedelta(days=1))
    with database.read() as session:
        told = session.execute(select(Told.cluster_id, Told.letter_id).order_by(Told.id)).all()
        assert [cluster for cluster, _ in told] == [first.id, second.id]
        assert len({letter for _, letter in told}) == 2


def test_a_closed_call_is_not_told(database: Database) -> None:
    with database.write() as session:
        tender(session, closes_at=AT)
        entitled(session, "anne")
    assert _written(database, AT) == Counter({Why.NOTHING: 1})


def test_a_letter_says_who_writes_and_carries_both_links(database: Database) -> None:
    with database.write() as session:
        tender(session)
        entitled(session, "anne")
    _written(database, AT)
    with database.read() as session:
        letter = _letters(session)[0]
        assert letter.state == LetterState.WRITTEN
        assert letter.expires_at == AT + timedelta(hours=72)
        assert letter.content is not None
        for needed in (b"1, rue Fictive", b"https://x.quebec/d/", b"https://x.quebec/p/"):
            assert needed in letter.content.replace(b"=\r\n", b"")


def test_a_contact_removed_from_the_roster_is_not_even_considered(database: Database) -> None:
    with database.write() as session:
        tender(session)
        gone = entitled(session, "luc")
        gone.ended_at = AT
        assert members.active_membership(session, gone.member_id, AT)
    assert _written(database, AT) == Counter()
