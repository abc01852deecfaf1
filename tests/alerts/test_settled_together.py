"""Many answers recorded in one transaction: each as if alone, and none of a letter not ours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from alerts import ledger, outbox, outcomes
from alerts.delivery import Outcome, Phase, Receipt
from alerts.outbox import Claimed
from alerts.outcomes import Settled
from alerts.tables import Attempt, Letter, LetterState, Told, ToldState
from base.database import Database
from tests.coop import AT, entitled, letter, tender, told

LATER = AT + timedelta(minutes=1)


def _claimed(database: Database, *names: str) -> dict[str, Claimed]:
    with database.write() as session:
        call, revision = tender(session)
        for name in names:
            told(session, letter(session, entitled(session, name)), revision, call.id)
        lot = outbox.claim(session, claim="moi", most=99, allowed=frozenset({"*"}), at=AT)
        session.execute(update(Letter).values(state=LetterState.IN_DOUBT, in_doubt_at=AT))
    return {one.address.partition("@")[0]: one for one in lot.claimed}


def _settled(letters: dict[str, Claimed], **outcomes_: Outcome) -> list[Settled]:
    return [
        Settled(letters[name], Receipt(outcome, Phase.DOT, f"250 {name}"))
        for name, outcome in outcomes_.items()
    ]


def test_answers_of_every_kind_in_one_group_are_each_recorded(database: Database) -> None:
    letters = _claimed(database, "anne", "luc", "marie", "zoe", "eve")
    done = _settled(
        letters,
        anne=Outcome.ACCEPTED,
        luc=Outcome.REFUSED,
        marie=Outcome.ACCEPTED,
        zoe=Outcome.UNKNOWN,
        eve=Outcome.DEFERRED,
    )
    with database.write() as session:
        assert outcomes.settle(session, done, claim="moi", at=LATER) == []

    with database.read() as session:
        rows = select(Letter.address, Letter.state, Letter.reply, Told.state).join(
            Told, Told.letter_id == Letter.id
        )
        found = {row[0].partition("@")[0]: tuple(row)[1:] for row in session.execute(rows)}
        attempts = session.execute(select(Attempt.letter_id, Attempt.outcome, Attempt.reply)).all()
    assert found == {
        "anne": (LetterState.ACCEPTED, "250 anne", ToldState.CONFIRMED),
        "luc": (LetterState.REFUSED, "250 luc", ToldState.RELEASED),
        "marie": (LetterState.ACCEPTED, "250 marie", ToldState.CONFIRMED),
        "zoe": (LetterState.UNKNOWN, "250 zoe", ToldState.UNCERTAIN),
        "eve": (LetterState.DEFERRED, "250 eve", ToldState.RESERVED),
    }
    assert sorted(tuple(row) for row in attempts) == sorted(
        (one.letter.id, one.receipt.outcome, one.receipt.reply) for one in done
    )


@pytest.mark.parametrize("taken_by", ["another claim", "a person"])
def test_a_stranger_among_a_group_is_left_alone_and_the_others_are_recorded(
    database: Database, taken_by: str
) -> None:
    letters = _claimed(database, "anne", "luc", "marie")
    with database.write() as session:
        others = update(Letter).where(Letter.id == letters["luc"].id)
        if taken_by == "another claim":
            session.execute(others.values(claim="autre"))
        else:
            session.execute(others.values(state=LetterState.WITHDRAWN))
            ledger.release(session, [letters["luc"].id])
    everyone = dict.fromkeys(("anne", "luc", "marie"), Outcome.ACCEPTED)
    with database.write() as session:
        strangers = outcomes.settle(session, _settled(letters, **everyone), claim="moi", at=LATER)

    assert strangers == [letters["luc"].id]
    with database.read() as session:
        rows = select(Letter.address, Letter.state, Letter.reply, Told.state).join(
            Told, Told.letter_id == Letter.id
        )
        found = {row[0].partition("@")[0]: tuple(row)[1:] for row in session.execute(rows)}
        attempts = set(session.scalars(select(Attempt.letter_id)))
    kept = (
        (LetterState.IN_DOUBT, "", ToldState.RESERVED)
        if taken_by == "another claim"
        else (LetterState.WITHDRAWN, "", ToldState.RELEASED)
    )
    assert found == {
        "anne": (LetterState.ACCEPTED, "250 anne", ToldState.CONFIRMED),
        "luc": kept,
        "marie": (LetterState.ACCEPTED, "250 marie", ToldState.CONFIRMED),
    }
    assert attempts == {letters["anne"].id, letters["marie"].id}


def test_a_letter_accepted_by_another_dispatcher_is_a_stranger_too(database: Database) -> None:
    """Its row says ACCEPTED, but under a claim that is not ours."""
    letters = _claimed(database, "anne", "luc")
    with database.write() as session:
        accepted = {"state": LetterState.ACCEPTED, "claim": "autre"}
        session.execute(update(Letter).where(Letter.id == letters["luc"].id).values(accepted))
    both = dict.fromkeys(("anne", "luc"), Outcome.ACCEPTED)
    with database.write() as session:
        strangers = outcomes.settle(session, _settled(letters, **both), claim="moi", at=LATER)
        assert strangers == [letters["luc"].id]
        assert session.scalars(select(Attempt.letter_id)).all() == [letters["anne"].id]


def test_what_was_given_back_is_not_told_though_its_letter_is_accepted(database: Database) -> None:
    """A notice that was released may be another letter's by now."""
    letters = _claimed(database, "anne")
    with database.write() as session:
        session.execute(update(Told).values(state=ToldState.RELEASED))
    with database.write() as session:
        done = _settled(letters, anne=Outcome.ACCEPTED)
        assert outcomes.settle(session, done, claim="moi", at=LATER) == []
        assert session.execute(select(Told.state, Told.days_left)).one() == ("released", None)


DAY = timedelta(days=1)
MOMENTS = [
    AT,
    AT + timedelta(microseconds=1),
    AT - timedelta(microseconds=1),
    AT + timedelta(seconds=59, microseconds=999_999),
    AT + 7 * DAY,
    AT + 7 * DAY + timedelta(microseconds=1),
    AT + 7 * DAY + timedelta(seconds=1),
    AT + 30 * DAY,
    AT - 400 * DAY,
]


@pytest.mark.parametrize("accepted_at", MOMENTS, ids=str)
def test_the_days_left_are_those_that_datetime_counts(
    database: Database, accepted_at: datetime
) -> None:
    """Rounded down, to the microsecond; a call that has closed since has less than none left."""
    closes_at = AT + 7 * DAY
    with database.write() as session:
        call, revision = tender(session)
        one = letter(session, entitled(session, "anne"))
        dated = told(session, one, revision, call.id)
        dated.closes_at = closes_at
        open_ended = told(session, letter(session, entitled(session, "luc")), revision, call.id)
        ids = [dated.letter_id, open_ended.letter_id]
        session.execute(update(Letter).values(in_doubt_at=accepted_at))
    with database.write() as session:
        ledger.confirm(session, ids)
        found = session.execute(select(Told.state, Told.days_left).order_by(Told.letter_id)).all()
    assert [tuple(row) for row in found] == [
        (ToldState.CONFIRMED, (closes_at - accepted_at).days),
        (ToldState.CONFIRMED, None),
    ]
