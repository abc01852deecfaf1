"""A letter that became false while it waited does not leave: it is composed anew, under its key."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import false, select, update
from sqlalchemy.orm import Session

from alerts import holds, ledger, outbox, stale, writing
from alerts.answer_tables import Answer
from alerts.explanation import Because
from alerts.inquiry import explained
from alerts.outbox import Claimed
from alerts.reactions import answer, withdraw
from alerts.tables import Edition, Kind, Letter, LetterState, Omission, Stream, Told, ToldState, Why
from base.database import Database
from sources.tables import Revision, Tender
from subscriptions import wishes
from subscriptions.tables import Contact, Frequency
from tests.amending import (
    CALL,
    MONDAY,
    OTHER,
    Office,
    after,
    before,
    cancelled,
    quebec,
)
from tests.coop import DESK, entitled, letter, tender, told

LATER = MONDAY + timedelta(hours=2)
PUT_OFF = quebec(10, 9, 11)


def _office(database: Database, *releases: Any, **wished: object) -> Office:
    """Anne's weekly letter of those calls is written, and waits."""
    office = Office(database)
    with database.write() as session:
        holds.release_first_run(session, by="essai", at=MONDAY)
        entitled(session, "anne", **wished)
    office.reads(*(releases or (before(),)), at=MONDAY - timedelta(minutes=1))
    office.ticks(MONDAY)
    return office


def _claimed(database: Database, at: datetime = LATER) -> list[Claimed]:
    with database.write() as session:
        allowed = frozenset({"*"})
        return outbox.claim(session, claim="essai", most=100, allowed=allowed, at=at).claimed


def _letter(database: Database) -> Letter:
    with database.read() as session:
        return session.scalars(select(Letter)).one()


def test_a_letter_that_became_false_is_not_claimed_and_leaves_anew(database: Database) -> None:
    office = _office(database)
    written = _letter(database)
    office.reads(after(closes_at=PUT_OFF), at=LATER)
    assert _claimed(database) == []

    office.ticks(LATER)

    anew = _letter(database)
    assert (anew.id, anew.key, anew.message_id) == (written.id, written.key, written.message_id)
    assert anew.content != written.content
    (one,) = office.told()
    with database.read() as session:
        assert session.get_one(Revision, one.revision_id).closes_at == PUT_OFF
    assert [one.content for one in _claimed(database)] == [anew.content]


@pytest.mark.parametrize("state", [LetterState.WRITTEN, LetterState.DEFERRED])
def test_nobody_is_told_of_a_call_that_was_cancelled_before_the_letter_left(
    database: Database, state: LetterState
) -> None:
    office = _office(database)
    with database.write() as session:
        session.execute(update(Letter).values(state=state, attempts=3))
    office.reads(cancelled(), at=LATER)
    assert _claimed(database) == []
    for n in range(3):
        office.ticks(LATER + n * timedelta(minutes=20))

    assert _letter(database).state == LetterState.WITHDRAWN
    assert _letter(database).why == Why.NOTHING
    with database.read() as session:
        assert list(session.scalars(select(Omission.why))) == [Why.NOTHING]
    assert [(one.kind, one.state) for one in office.told()] == [(Kind.NEW, ToldState.RELEASED)]


def test_a_letter_leaves_with_what_is_still_true(database: Database) -> None:
    office = _office(database, before(), before(OTHER))
    office.reads(cancelled(), at=LATER)
    office.ticks(LATER)

    (text,) = office.texts(Stream.WEEKLY)
    assert (before(OTHER).uri in text, before().uri in text) == (True, False)
    assert _letter(database).notices == 1
    assert len(_claimed(database)) == 1


def _because(database: Database, call: str, at: datetime) -> Because:
    """What staff are answered who ask why Anne was, or was not, told."""
    with database.read() as session:
        anne = session.scalars(select(Contact)).one()
        ids = session.scalars(select(Tender.id).where(Tender.ocid == call)).all()
        return explained(session, DESK.lexicon, anne, ids, at=at).because


def test_nobody_is_said_to_be_told_of_what_the_letter_lost(database: Database) -> None:
    office = _office(database, before(), before(OTHER))
    office.reads(cancelled(), at=LATER)
    office.ticks(LATER)
    office.settles()

    lost, kept = office.told()
    assert (lost.state, kept.state) == (ToldState.RELEASED, ToldState.CONFIRMED)
    assert _because(database, OTHER, LATER) is Because.ACCEPTED
    assert _because(database, CALL, LATER) is Because.CANCELLED


def test_what_no_letter_has_any_more_was_cancelled_before_it_was_told(database: Database) -> None:
    office = _office(database)
    office.reads(cancelled(), at=LATER)
    office.ticks(LATER)
    assert _because(database, CALL, LATER) is Because.CANCELLED


def test_what_was_uncertain_stays_so_where_the_second_letter_lost_it(database: Database) -> None:
    office = _office(database)
    office.settles(LetterState.UNKNOWN)
    office.reads(before(OTHER), at=LATER)
    monday = MONDAY + timedelta(days=7)
    office.ticks(monday)
    assert [one.state for one in office.told()] == [ToldState.RESERVED] * 2
    office.reads(cancelled(), at=monday)
    office.ticks(monday + timedelta(minutes=5))
    office.settles(stream=Stream.WEEKLY)

    assert [(one.kind, one.state) for one in office.told(stream=Stream.WEEKLY)] == [
        (Kind.NEW, ToldState.UNCERTAIN),
        (Kind.NEW, ToldState.CONFIRMED),
        # Who may have read of it reads in the same letter that it is off.
        (Kind.CANCELLATION, ToldState.CONFIRMED),
    ]


def test_a_letter_leaves_without_what_closed_meanwhile(database: Database) -> None:
    soon = LATER + timedelta(hours=1)
    office = _office(database, before(closes_at=soon), before(OTHER))
    assert len(_claimed(database)) == 1
    with database.write() as session:
        outbox.give_back(session, list(session.scalars(select(Letter.id))), claim="essai")

    assert _claimed(database, soon) == []
    office.ticks(soon)
    assert _letter(database).notices == 1
    assert len(_claimed(database, soon)) == 1


@pytest.mark.parametrize(
    "later",
    [after(), after(title=before().title.upper())],
    ids=["the same once more", "typography"],
)
def test_a_letter_that_is_still_true_leaves_as_it_was_written(
    database: Database, later: Any
) -> None:
    office = _office(database)
    written = _letter(database).content
    office.reads(later, at=LATER)
    office.ticks(LATER)
    assert [one.content for one in _claimed(database)] == [written]


def test_a_claimed_letter_goes_on_and_the_change_is_told_after_it(database: Database) -> None:
    office = _office(database)
    ids = [one.id for one in _claimed(database)]
    office.reads(cancelled(), at=LATER)
    office.ticks(LATER)
    assert _letter(database).state == LetterState.CLAIMED
    assert office.changes() == []

    with database.write() as session:
        session.execute(update(Letter).values(state=LetterState.ACCEPTED))
        ledger.confirm(session, ids)
    office.ticks(LATER + timedelta(minutes=10))
    assert office.changes() == [("anne", Kind.CANCELLATION, Stream.CHANGE)]


def test_a_change_that_changes_again_is_told_as_it_is_now(database: Database) -> None:
    office = _office(database)
    office.settles()
    office.reads(after(closes_at=quebec(9, 30, 11)), at=LATER)
    office.ticks(LATER + timedelta(minutes=10))
    assert office.changes() == [("anne", Kind.CHANGE, Stream.CHANGE)]
    office.reads(cancelled(), at=LATER + timedelta(minutes=20))
    assert _claimed(database, LATER + timedelta(minutes=20)) == []
    office.ticks(LATER + timedelta(minutes=21))

    (first, last) = (one for one in office.told() if one.kind != Kind.NEW)
    assert (first.kind, first.state) == (Kind.CHANGE, ToldState.RELEASED)
    assert (last.kind, last.state) == (Kind.CANCELLATION, ToldState.RESERVED)
    assert len(office.texts(Stream.CHANGE)) == 1


def test_what_is_no_edition_s_is_never_false(database: Database) -> None:
    """A confirmation tells of no notice; a letter without an edition could not be rebuilt."""
    with database.write() as session:
        made, revision = tender(session)
        one = letter(session, entitled(session, "anne"))
        told(session, one, revision, made.id)
        made.closes_at = MONDAY
        assert session.scalar(select(Letter.id).where(stale.is_false(LATER))) is None
        one.edition_id = _edition(session)
        session.flush()
        assert session.scalar(select(Letter.id).where(stale.is_false(LATER))) is None
        made.latest = 2
        session.add(replace_revision(revision, closes_at=PUT_OFF))
        session.flush()
        assert session.scalar(select(Letter.id).where(stale.is_false(LATER))) == one.id


def _edition(session: Session) -> int:
    made = Edition(
        frequency="weekly",
        label="2026-W38",
        starts_at=MONDAY - timedelta(days=7),
        ends_at=MONDAY,
        opened_at=MONDAY,
        state="written",
    )
    session.add(made)
    session.flush()
    return made.id


def replace_revision(of: Revision, **changes: Any) -> Revision:
    values = {c.key: getattr(of, c.key) for c in Revision.__mapper__.column_attrs if c.key != "id"}
    return Revision(**values | {"number": 2, "material_hash": "1" * 64} | changes)


def test_a_letter_expires_while_it_is_to_be_composed_anew(database: Database) -> None:
    office = _office(database)
    office.reads(after(closes_at=PUT_OFF), at=LATER)
    with database.write() as session:
        assert stale.set_aside(session, at=LATER) == 1
    over = MONDAY + timedelta(days=3)
    with database.write() as session:
        assert outbox.expire(session, at=over) == 1
    assert (_letter(database).state, _letter(database).why) == (LetterState.WITHDRAWN, Why.EXPIRED)


def test_who_changed_rhythm_meanwhile_is_told_by_the_new_one(database: Database) -> None:
    office = _office(database)
    with database.write() as session:
        wanted = wishes.Wishes(frequency=Frequency.DAILY, sectors=("deneigement",))
        contact_id = session.scalars(select(Contact.id)).one()
        wishes.change(session, contact_id, wanted, origin="staff", at=LATER)
    office.reads(after(closes_at=PUT_OFF), at=LATER)
    office.ticks(quebec(9, 15, 6))

    with database.read() as session:
        states = select(Edition.frequency, Letter.state).join(Edition).order_by(Letter.id)
        assert [tuple(row) for row in session.execute(states)] == [
            (Stream.WEEKLY, LetterState.WITHDRAWN),
            (Stream.DAILY, LetterState.WRITTEN),
        ]
    assert [(one.kind, one.stream) for one in office.told()] == [(Kind.NEW, Stream.DAILY)]


def test_what_cannot_be_composed_anew_is_set_aside_after_its_tries(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = _office(database)
    office.reads(after(closes_at=PUT_OFF), at=LATER)

    def broken(*_: object) -> object:
        raise ValueError("a defect of ours")

    monkeypatch.setattr(writing, "_compose", broken)
    for n in range(5):
        office.ticks(LATER + n * timedelta(minutes=2))
    one = _letter(database)
    assert (one.state, one.attempts) == (LetterState.QUARANTINED, 3)
    assert _claimed(database) == []


def test_of_two_that_compose_it_anew_one_does(database: Database) -> None:
    office = _office(database)
    office.reads(after(closes_at=PUT_OFF), at=LATER)
    failed: list[BaseException] = []
    start = threading.Barrier(2)

    def write() -> None:
        try:
            start.wait()
            office.ticks(LATER)
        except BaseException as error:  # noqa: BLE001, told below
            failed.append(error)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert failed == []
    office.ticks(LATER)
    assert [(one.kind, one.state) for one in office.told()] == [(Kind.NEW, ToldState.RESERVED)]
    assert _letter(database).state == LetterState.WRITTEN


def _interested(session: Session, call: str = CALL) -> tuple[int, int]:
    contact_id = session.scalars(select(Contact.id)).one()
    cluster_id = session.scalars(select(Tender.cluster_id).where(Tender.ocid == call)).one()
    assert cluster_id is not None
    answer(session, contact_id, cluster_id, Answer.INTERESTED, LATER)
    return contact_id, cluster_id


@pytest.mark.parametrize("answered", [Answer.INTERESTED, Answer.HIDDEN])
def test_a_reminder_that_nobody_waits_for_any_more_does_not_leave(
    database: Database, answered: Answer
) -> None:
    office = _office(database)
    office.settles()
    with database.write() as session:
        contact_id, cluster_id = _interested(session)
    at = quebec(9, 27, 6, 30)
    office.ticks(at)
    assert len(office.told(kind=Kind.REMINDER)) == 1
    with database.write() as session:
        if answered is Answer.INTERESTED:
            withdraw(session, contact_id, cluster_id, Answer.INTERESTED)
        else:
            answer(session, contact_id, cluster_id, Answer.HIDDEN, at)
    assert _claimed(database, at) == []
    office.ticks(at)
    (one,) = office.told(kind=Kind.REMINDER)
    assert (one.state, one.letter) == (ToldState.RELEASED, LetterState.WITHDRAWN)


Step = Callable[["_Chance"], None]


class _Chance:
    """What sources, writers and dispatchers do to five readers, in an order drawn at random."""

    def __init__(self, database: Database, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311, seeded chance is to be repeated
        self.office = Office(database)
        self.at = MONDAY
        self.release = 0
        #: Letters that were claimed though what they told was not so.
        self.lies = self.claimed = 0
        #: Letters that were composed anew, or withdrawn with nothing left to tell.
        self.anew = 0
        with database.write() as session:
            holds.release_first_run(session, by="essai", at=MONDAY)
            for name in "abcde":
                entitled(session, name, frequency=self.dice.choice(["weekly", "daily"]))
        self.office.reads(before(), before(OTHER), at=MONDAY - timedelta(minutes=1))

    def read(self) -> None:
        """Put off, brought forward, with an addendum, cancelled, or open again."""
        one = self.dice.choice([CALL, OTHER])
        self.release += 1
        changes: dict[str, Any] = self.dice.choice(
            [
                {"closes_at": self.at + timedelta(days=self.dice.randrange(3, 30))},
                {"documents": (f"addenda {self.release}.pdf",)},
                {"status": cancelled().status},
                {},
            ]
        )
        made = before(one, release_id=f"202609141200{self.release:02}", **changes)
        self.office.reads(made, at=self.at)

    def write(self) -> None:
        written = self._written()
        self.office.ticks(self.at)
        self.anew += len(written - self._written())

    def _written(self) -> set[tuple[Any, ...]]:
        withdrawn = Letter.state == LetterState.WITHDRAWN
        with self.office.database.read() as session:
            rows = session.execute(select(Letter.id, Letter.sha256, withdrawn))
            return {tuple(row) for row in rows}

    def claim(self) -> None:
        for one in _claimed(self.office.database, self.at):
            self.claimed += 1
            with self.office.database.read() as session:
                self.lies += any(_is_a_lie(session, *row) for row in _tells(session, one.id))
            with self.office.database.write() as session:
                state = self.dice.choice(
                    [LetterState.ACCEPTED] * 3 + [LetterState.DEFERRED, LetterState.REFUSED]
                )
                values = {"state": state, "claim": "", "next_attempt_at": self.at}
                session.execute(update(Letter).where(Letter.id == one.id).values(**values))
                ledger.follow(session, one.id, state)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.dice.choice([self.read, self.write, self.claim])()
            self.at += timedelta(minutes=self.dice.choice([1, 1, 15, 15, 15, 300]))


def _tells(session: Session, letter_id: int) -> Iterable[tuple[Told, Revision, Tender]]:
    rows = session.execute(
        select(Told, Revision, Tender)
        .join(Revision, Revision.id == Told.revision_id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Told.letter_id == letter_id, Told.state == ToldState.RESERVED)
    )
    return [(a, b, c) for a, b, c in rows]


def _is_a_lie(session: Session, row: Told, revision: Revision, of: Tender) -> bool:
    """Told plainly: as new what is off, or anything as it was before the latest revision."""
    latest = session.scalars(
        select(Revision).where(Revision.tender_id == of.id, Revision.number == of.latest)
    ).one()
    off = of.status != "active" and row.kind != Kind.CANCELLATION
    return off or latest.material_hash != revision.material_hash


@pytest.mark.parametrize("seed", range(3))
def test_no_letter_leaves_with_what_is_not_so(database: Database, seed: int) -> None:
    chance = _Chance(database, seed)
    chance.run(90)
    assert chance.lies == 0
    assert chance.claimed >= 5
    assert chance.anew > 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_chances_notice_a_claim_that_does_not_ask(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox.stale, "is_false", lambda _: false())
    # Not the statement that was built before, and none that outlives this test.
    monkeypatch.setattr(outbox, "_next", outbox._next.__wrapped__)
    chance = _Chance(database, 1)
    chance.run(90)
    assert chance.lies > 0
