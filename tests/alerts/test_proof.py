"""Who was told of a call, entitled by what: from the rows, and from nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from alerts import proof
from alerts.history import Sent, Silence, history
from alerts.proof import Counted, Entry
from alerts.recipients import members_told, recipients
from alerts.tables import Letter, LetterState, Told, ToldBefore, ToldState, Why
from base.database import Database
from sources import tenders
from subscriptions.tables import Membership
from tests.coop import AT
from tests.told_story import HANDED, NUMBER, WEEK, letters, live, member, of, write


@pytest.fixture
def lived(database: Database) -> Database:
    live(database)
    return database


def _proven(database: Database) -> tuple[list[Entry], Counted]:
    with database.read() as session:
        (ids,) = tenders.named(session, NUMBER)
        which = proof.of_call(session, ids)
        return proof.entries(session, which), proof.counted(session, which)


def _of_week(database: Database, weeks: int) -> Counted:
    start = AT + weeks * WEEK
    with database.read() as session:
        return proof.counted(session, proof.of_period(start, start + WEEK))


def test_everyone_told_is_named_with_the_membership_and_the_relays_answer(lived: Database) -> None:
    found, counted = _proven(lived)
    assert [(one.contact_id, one.state) for one in found] == [
        (of(lived, "anne").id, LetterState.ACCEPTED),
        (of(lived, "luc").id, LetterState.UNKNOWN),
        (of(lived, "luc").id, LetterState.ACCEPTED),
    ]
    anne = found[0]
    assert (anne.member, anne.reply) == (member(lived, "anne").name, "250 2.0.0 Ok: anne")
    assert anne.guarded_at == HANDED
    assert anne.membership is not None
    assert anne.membership.ends_at is None
    assert all(one.within for one in found)
    assert counted == Counted(letters=3, outside=0, corrected=0, members=2, contacts=2)


def test_a_letter_that_told_it_before_another_took_the_notice_over_is_still_counted(
    lived: Database,
) -> None:
    first, second = letters(lived, "luc")
    with lived.read() as session:
        (ids,) = tenders.named(session, NUMBER)
        ledger = session.scalars(select(Told.letter_id).where(Told.letter_id.in_([first.id])))
        assert ledger.all() == []
        assert {one.letter_id for one in recipients(session, ids)} >= {first.id, second.id}


def test_what_a_letter_lost_when_it_was_composed_anew_is_not_told_by_it(lived: Database) -> None:
    (letter,) = letters(lived, "anne")
    anne = of(lived, "anne").id
    with lived.write() as session:
        session.get_one(Letter, letter.id).written_at = AT + timedelta(hours=1)
        (lost,) = session.scalars(select(Told).where(Told.contact_id == anne))
        lost.state = ToldState.RELEASED
    found, counted = _proven(lived)
    assert anne not in {one.contact_id for one in found}
    assert (counted.letters, counted.contacts) == (2, 1)
    with lived.read() as session:
        (ids,) = tenders.named(session, NUMBER)
        assert anne not in {one.contact_id for one in recipients(session, ids)}
        sent = [one for one in history(session, anne).turns if isinstance(one, Sent)]
        assert [one.notices for one in sent] == [()]
    # Nor once another letter tells it.
    write(lived, weeks=2)
    with lived.read() as session:
        told = select(Told.letter_id).where(Told.contact_id == anne)
        assert session.scalars(told).all() == [letters(lived, "anne")[-1].id] != [letter.id]
        assert session.scalars(select(ToldBefore.letter_id)).all().count(letter.id) == 0


def test_the_proof_of_a_period_has_the_letters_that_left_in_it(lived: Database) -> None:
    assert (_of_week(lived, 0).letters, _of_week(lived, 1).letters) == (2, 1)
    assert _of_week(lived, 2) == Counted(letters=0, outside=0, corrected=0, members=0, contacts=0)


def _set(database: Database, name: str, **values: object) -> None:
    with database.write() as session:
        ids = [one.id for one in letters(database, name)]
        session.execute(update(Letter).where(Letter.id.in_(ids)).values(**values))


@pytest.mark.parametrize(
    "ends_at", [HANDED, HANDED - timedelta(seconds=1)], ids=["the very moment", "before"]
)
def test_a_letter_past_the_end_of_its_interval_is_outside(lived: Database, ends_at: object) -> None:
    with lived.write() as session:
        mine = Membership.member_id == member(lived, "anne").id
        session.execute(update(Membership).where(mine).values(ends_at=ends_at))
    found, counted = _proven(lived)
    assert [one.within for one in found] == [False, True, True]
    assert counted.outside == 1


def test_a_letter_before_its_interval_begins_is_outside(lived: Database) -> None:
    with lived.write() as session:
        mine = Membership.member_id == member(lived, "anne").id
        later = HANDED + timedelta(seconds=1)
        session.execute(update(Membership).where(mine).values(starts_at=later))
    assert _proven(lived)[1].outside == 1


def test_anothers_interval_entitles_nobody(lived: Database) -> None:
    with lived.read() as session:
        theirs = session.scalars(
            select(Membership.id).where(Membership.member_id == member(lived, "luc").id)
        ).one()
    _set(lived, "anne", membership_id=theirs)
    assert _proven(lived)[1].outside == 1


def test_what_was_corrected_after_the_letter_left_is_said_apart(lived: Database) -> None:
    with lived.write() as session:
        mine = session.scalars(
            select(Membership).where(Membership.member_id == member(lived, "anne").id)
        ).one()
        mine.superseded_at = HANDED + timedelta(days=2)
        session.add(
            Membership(
                member_id=mine.member_id,
                starts_at=mine.starts_at,
                ends_at=HANDED - timedelta(days=30),
                recorded_at=HANDED + timedelta(days=2),
                recorded_by="essai",
            )
        )
    _, counted = _proven(lived)
    assert (counted.outside, counted.corrected) == (0, 1)


@pytest.mark.parametrize("lost", ["membership_id", "in_doubt_at"])
def test_a_letter_that_left_without_a_guard_is_outside_and_not_forgotten(
    lived: Database, lost: str
) -> None:
    _set(lived, "anne", **{lost: None})
    _, counted = _proven(lived)
    assert (counted.letters, counted.outside) == (3, 1)
    assert _of_week(lived, 0).outside == 1


def test_whoever_was_not_told_is_there_with_the_reason(lived: Database) -> None:
    with lived.read() as session:
        (ids,) = tenders.named(session, NUMBER)
        found = recipients(session, ids)
    by_name = {one.address.partition("@")[0]: one for one in found}
    assert by_name.keys() == {"anne", "luc", "marie"}
    assert (by_name["marie"].state, by_name["marie"].why) == (
        LetterState.WITHDRAWN,
        Why.MEMBERSHIP,
    )
    assert members_told(found) == 2


def test_a_contacts_history_has_its_letters_and_its_silences(lived: Database) -> None:
    with lived.read() as session:
        luc, paul, anne = (history(session, of(lived, name).id) for name in ("luc", "paul", "anne"))
        late = history(session, of(lived, "luc").id, since=AT + timedelta(days=1))
    assert [(one.letter.state, [n.number for n in one.notices]) for one in luc.letters] == [
        (LetterState.UNKNOWN, [NUMBER]),
        (LetterState.ACCEPTED, [NUMBER]),
    ]
    assert [one.letter.edition for one in late.letters] == ["2026-W40"]
    (silence,) = paul.turns
    assert isinstance(silence, Silence)
    assert (silence.editions, silence.why) == (("2026-W39", "2026-W40"), Why.NOTHING)
    assert [type(turn) for turn in anne.turns] == [Sent, Silence]
