"""Reminders: of what a contact marked as interesting, by the closing moment that holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import reminders, writing
from alerts.answer_tables import Answer, Reaction
from alerts.digest import Digest
from alerts.reactions import answer, withdraw
from alerts.tables import Edition, Kind, Letter, LetterState, Omission, Stream, ToldState, Why
from base.database import Database
from sources.amendments import Field
from sources.tables import Tender
from subscriptions import wishes
from subscriptions.tables import Contact
from tests.amending import CALL, MONDAY, OTHER, Office, after, before, cancelled, quebec
from tests.coop import entitled

#: The call closes on Friday 2 October, at 11:00.
FIVE, ONE = quebec(9, 27, 6, 30), quebec(10, 1, 6, 30)
MINUTE = timedelta(minutes=1)
ANSWERED = MONDAY + timedelta(days=2)


@pytest.mark.parametrize(
    ("at", "armed_at", "due"),
    [
        pytest.param(FIVE - MINUTE, MONDAY, None, id="a minute early"),
        pytest.param(FIVE, MONDAY, 5, id="five days"),
        pytest.param(quebec(9, 30, 23), MONDAY, 5, id="two days, where five was missed"),
        pytest.param(ONE - MINUTE, MONDAY, None, id="one day, before its morning"),
        pytest.param(ONE, MONDAY, 1, id="one day"),
        pytest.param(quebec(10, 2, 10, 59), MONDAY, 1, id="on the day"),
        pytest.param(quebec(10, 2, 11), MONDAY, None, id="closed"),
        pytest.param(FIVE + MINUTE, FIVE, None, id="answered that morning"),
        pytest.param(quebec(9, 30, 9), quebec(9, 29, 9), None, id="answered after it"),
        pytest.param(ONE, quebec(9, 29, 9), 1, id="answered between the two"),
    ],
)
def test_which_reminder_is_due(at: datetime, armed_at: datetime, due: int | None) -> None:
    assert reminders.days_before(quebec(10, 2, 11), armed_at=armed_at, at=at) == due


@pytest.mark.parametrize(
    ("closes_at", "morning"),
    [
        (quebec(11, 4, 11), quebec(10, 30, 6, 30)),
        (quebec(11, 2, 11), quebec(10, 28, 6, 30)),
        (quebec(3, 10, 11), quebec(3, 5, 6, 30)),
    ],
    ids=["over the autumn change", "the day after it", "over the spring change"],
)
def test_its_morning_is_half_past_six_through_a_change_of_clock(
    closes_at: datetime, morning: datetime
) -> None:
    assert reminders.moment(closes_at, 5) == morning
    kept = {"armed_at": morning - timedelta(days=9)}
    assert reminders.days_before(closes_at, at=morning, **kept) == 5
    assert reminders.days_before(closes_at, at=morning - MINUTE, **kept) is None


def _answer(session: Session, *calls: str, answered: Answer = Answer.INTERESTED) -> None:
    contact_id = session.scalars(select(Contact.id).order_by(Contact.id)).first()
    for call in calls:
        cluster_id = session.scalars(select(Tender.cluster_id).where(Tender.ocid == call)).one()
        assert contact_id is not None
        assert cluster_id is not None
        answer(session, contact_id, cluster_id, answered, ANSWERED)


def _office(database: Database, *calls: str) -> Office:
    """Anne and Luc were told of two calls; Anne found some of them interesting."""
    office = Office(database)
    with database.write() as session:
        entitled(session, "anne")
        entitled(session, "luc")
    office.reads(before(), before(OTHER), at=MONDAY - MINUTE)
    office.ticks(MONDAY)
    assert office.settles() == 2
    with database.write() as session:
        _answer(session, *(calls or (CALL,)))
    return office


def _reminded(office: Office) -> list[tuple[str, str]]:
    return [(one.address, one.occasion) for one in office.told(kind=Kind.REMINDER)]


def test_who_found_it_interesting_is_reminded_five_days_and_one_day_before(
    database: Database,
) -> None:
    office = _office(database)
    at = FIVE - timedelta(hours=1)
    while at < quebec(10, 2, 12):
        office.ticks(at)
        office.settles(stream=Stream.REMINDER)
        at += timedelta(minutes=30)

    closing = quebec(10, 2, 11)
    assert _reminded(office) == [
        ("anne", reminders.occasion(closing, 5)),
        ("anne", reminders.occasion(closing, 1)),
    ]
    with database.read() as session:
        letters = session.execute(
            select(Letter.key, Edition.label)
            .join(Edition)
            .where(Edition.frequency == Stream.REMINDER)
            .order_by(Letter.id)
        ).all()
        anne = session.scalars(select(Contact.id).order_by(Contact.id)).first()
    assert [tuple(row) for row in letters] == [
        (f"reminder:{anne}:2026-09-27", "2026-09-27"),
        (f"reminder:{anne}:2026-10-01", "2026-10-01"),
    ]


def test_a_day_s_reminders_are_one_letter(database: Database) -> None:
    office = _office(database, CALL, OTHER)
    office.ticks(FIVE)
    (text,) = office.texts(Stream.REMINDER)
    assert before().uri in text
    assert before(OTHER).uri in text


def test_an_extension_re_arms_and_the_old_moment_is_forgotten(database: Database) -> None:
    office = _office(database)
    put_off = quebec(10, 9, 11)
    office.ticks(FIVE)
    office.settles()
    office.reads(after(closes_at=put_off), at=quebec(9, 29, 9))
    for day in range(29, 31):
        office.ticks(quebec(9, day, 12))
        office.settles()
    for day in range(1, 9):
        office.ticks(quebec(10, day, 12))
        office.settles()
    assert [one for _, one in _reminded(office)] == [
        reminders.occasion(quebec(10, 2, 11), 5),
        reminders.occasion(put_off, 5),
        reminders.occasion(put_off, 1),
    ]


def test_a_closing_that_was_brought_forward_is_told_as_a_change(database: Database) -> None:
    """Its five days have begun already: the change says so, a reminder would only repeat it."""
    office = _office(database)
    earlier = quebec(9, 25, 11)
    office.ticks(quebec(9, 21, 6))
    office.reads(after(closes_at=earlier), at=quebec(9, 22, 9))
    for hour in (9, 10):
        office.ticks(quebec(9, 22, hour, 30))
        office.settles()
    assert {change for change in office.changes() if change[0] == "anne"} == {
        ("anne", Kind.CHANGE, Stream.CHANGE)
    }
    office.ticks(quebec(9, 23, 7))
    assert _reminded(office) == []
    office.ticks(quebec(9, 24, 7))
    assert _reminded(office) == [("anne", reminders.occasion(earlier, 1))]


def _cancel(office: Office) -> None:
    office.reads(cancelled(), at=quebec(9, 26, 9))


def _withdraw(office: Office) -> None:
    with office.database.write() as session:
        one = session.scalars(select(Reaction)).one()
        withdraw(session, one.contact_id, one.cluster_id, Answer.INTERESTED)


def _hide(office: Office) -> None:
    with office.database.write() as session:
        _answer(session, CALL, answered=Answer.HIDDEN)


def _find_irrelevant(office: Office) -> None:
    with office.database.write() as session:
        _answer(session, CALL, answered=Answer.NOT_RELEVANT)


@pytest.mark.parametrize("event", [_cancel, _withdraw, _hide, _find_irrelevant])
def test_nobody_is_reminded_of_what_nobody_waits_for(database: Database, event: Any) -> None:
    office = _office(database)
    event(office)
    office.ticks(FIVE)
    office.ticks(ONE)
    assert _reminded(office) == []


def test_a_waiting_reminder_of_a_call_that_was_put_off_does_not_leave(database: Database) -> None:
    office = _office(database)
    office.ticks(FIVE)
    office.reads(after(closes_at=quebec(10, 20, 11)), at=FIVE + MINUTE)
    office.ticks(FIVE + 2 * MINUTE)
    (one,) = office.told(kind=Kind.REMINDER)
    assert (one.state, one.letter) == (ToldState.RELEASED, LetterState.WITHDRAWN)


@pytest.mark.parametrize("state", [LetterState.REFUSED, LetterState.UNKNOWN])
def test_a_reminder_that_did_not_leave_is_given_the_next_day(
    database: Database, state: LetterState
) -> None:
    office = _office(database)
    office.ticks(FIVE)
    office.settles(state, stream=Stream.REMINDER)
    office.ticks(FIVE + timedelta(days=1))
    assert len(office.texts(Stream.REMINDER)) == 2
    office.settles(state, stream=Stream.REMINDER)
    office.ticks(FIVE + timedelta(days=2))
    # What is in doubt is told once more, what was refused until it is taken.
    again = {LetterState.REFUSED: 3, LetterState.UNKNOWN: 2}
    assert len(office.texts(Stream.REMINDER)) == again[state]


def test_who_paused_has_one_reason_a_day(database: Database) -> None:
    office = _office(database)
    with database.write() as session:
        anne = session.scalars(select(Contact.id).order_by(Contact.id)).first()
        assert anne is not None
        wishes.pause(session, anne, ONE, origin="staff", at=ANSWERED)
    for n in range(3):
        office.ticks(FIVE + n * MINUTE)
    with database.read() as session:
        reasons = select(Omission.why).join(Edition, Edition.id == Omission.edition_id)
        said = session.scalars(reasons.where(Edition.frequency == Stream.REMINDER))
        assert list(said) == [Why.PAUSED]
    office.ticks(ONE)
    assert _reminded(office) == [("anne", reminders.occasion(quebec(10, 2, 11), 1))]


def test_a_day_that_was_missed_is_made_up_for_at_night_only_where_it_presses(
    database: Database,
) -> None:
    office = _office(database)
    office.ticks(quebec(9, 27, 22))
    assert _reminded(office) == []
    office.ticks(quebec(10, 1, 22))
    assert _reminded(office) == [("anne", reminders.occasion(quebec(10, 2, 11), 1))]


def test_at_night_nobody_is_reminded_of_what_can_wait_because_another_s_cannot(
    database: Database,
) -> None:
    office = Office(database)
    with database.write() as session:
        entitled(session, "anne")
        entitled(session, "luc")
    later = quebec(10, 6, 11)
    office.reads(before(), before(OTHER, closes_at=later), at=MONDAY - MINUTE)
    office.ticks(MONDAY)
    office.settles()
    with database.write() as session:
        _answer(session, CALL)
        cluster_id = session.scalars(select(Tender.cluster_id).where(Tender.ocid == OTHER)).one()
        luc = session.scalars(select(Contact.id).order_by(Contact.id.desc())).first()
        assert luc is not None
        assert cluster_id is not None
        answer(session, luc, cluster_id, Answer.INTERESTED, ANSWERED)

    office.ticks(quebec(10, 1, 22))
    pressing = ("anne", reminders.occasion(quebec(10, 2, 11), 1))
    assert _reminded(office) == [pressing]
    office.ticks(quebec(10, 2, 6, 30))
    assert _reminded(office) == [pressing, ("luc", reminders.occasion(later, 5))]


def test_a_reminder_says_what_changed_since_the_call_was_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = _office(database)
    composed: list[Digest] = []
    plain = writing._compose

    def compose(desk: Any, digest: Digest, *rest: Any) -> Any:
        composed.append(digest)
        return plain(desk, digest, *rest)

    monkeypatch.setattr(writing, "_compose", compose)
    office.reads(after(documents=("addenda 1.pdf",)), at=FIVE - 5 * MINUTE)
    for n in range(3):
        office.ticks(FIVE + n * timedelta(minutes=10))
        office.settles()

    (notice,) = composed[0].notices
    assert (notice.kind, [one.field for one in notice.amendments]) == (
        Kind.REMINDER,
        [Field.DOCUMENTS],
    )
    # The reader knows of it by now.
    assert [one for one in office.changes() if one[0] == "anne"] == []
