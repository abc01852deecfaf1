"""Only what is known now of a membership entitles; what entitled a letter stays its proof."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.entitlement import contacts_refused, hold_still, let_pass
from alerts.tables import Letter, LetterState, Why
from base.database import Database, connect
from subscriptions import editing, members
from subscriptions.editing import Hand
from subscriptions.errors import Overtaken
from subscriptions.tables import Member, Membership
from tests import coop
from tests.coop import AT

DAY = timedelta(days=1)
HAND = Hand(at=AT, by="essai", action="essai")
ALL = frozenset({"*"})


@pytest.fixture
def letter_id(database: Database) -> int:
    """A letter of an active member's contact, claimed."""
    with database.write() as session:
        letter = coop.letter(session, coop.entitled(session, "anne"))
        letter.state, letter.claim = LetterState.CLAIMED, "a"
        return letter.id


def _passes(database: Database, letter_id: int, at: datetime = AT) -> bool:
    with database.write() as session:
        hold_still(session, [letter_id])
        return letter_id in let_pass(session, [letter_id], claim="a", allowed=ALL, at=at)


def _withdrawn(session: Session, member: Member) -> None:
    for row in members.memberships(session, member.id):
        members.withdraw_membership(session, row.id, at=AT)


def _ended_last_month(session: Session, member: Member) -> None:
    editing.end(session, member, last=(AT - 30 * DAY).date(), reason="", hand=HAND)


def _ended_now(session: Session, member: Member) -> None:
    members.end_membership(session, member.id, ends_at=AT, at=AT, by="essai", reason="")


def _moved_to_come(session: Session, member: Member) -> None:
    first = (AT + DAY).date()
    editing.redate(session, member, first=first, last=None, reason="", hand=HAND)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_withdrawn, id="never was"),
        pytest.param(_ended_last_month, id="ended in the past"),
        pytest.param(_ended_now, id="ended now"),
        pytest.param(_moved_to_come, id="begins tomorrow"),
    ],
)
def test_a_superseded_stretch_lets_nothing_leave(
    database: Database, letter_id: int, change: Callable[[Session, Member], None]
) -> None:
    with database.write() as session:
        change(session, session.scalars(select(Member)).one())
        # The former stretch is there, and would hold.
        assert session.scalars(select(Membership).where(Membership.ends_at.is_(None))).first()
    with database.read() as session:
        assert contacts_refused(session, [1], at=AT) == {1: Why.MEMBERSHIP}
        assert members.active_membership(session, 1, AT) is None
    assert not _passes(database, letter_id)


def test_the_proof_of_a_letter_is_what_was_known_when_it_left(
    database: Database, letter_id: int
) -> None:
    assert _passes(database, letter_id)
    with database.write() as session:
        _ended_last_month(session, session.scalars(select(Member)).one())
    with database.read() as session:
        letter = session.get_one(Letter, letter_id)
        proof = session.get_one(Membership, letter.membership_id)
    assert (proof.starts_at, proof.ends_at, proof.superseded_at) == (coop.LONG_AGO, None, AT)


def test_a_corrected_stretch_that_still_holds_is_the_proof(
    database: Database, letter_id: int
) -> None:
    with database.write() as session:
        member = session.scalars(select(Member)).one()
        editing.end(session, member, last=(AT + 30 * DAY).date(), reason="", hand=HAND)
    assert _passes(database, letter_id)
    with database.read() as session:
        letter = session.get_one(Letter, letter_id)
        assert session.get_one(Membership, letter.membership_id).superseded_at is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lapse_that_is_being_committed_wins_over_a_letter(
    database: Database, database_url: str, letter_id: int
) -> None:
    other = connect(database_url)
    begun, answers = threading.Event(), list[bool]()

    def pass_it() -> None:
        begun.set()
        answers.append(_passes(other, letter_id))

    with database.write() as session:
        _ended_now(session, session.scalars(select(Member)).one())
        waiting = threading.Thread(target=pass_it)
        waiting.start()
        begun.wait()
        waiting.join(0.2)
        assert answers == []
    waiting.join()
    other.dispose()
    assert answers == [False]


def test_a_stretch_is_superseded_once(database: Database) -> None:
    with database.write() as session:
        coop.entitled(session, "anne")
        members.withdraw_membership(session, 1, at=AT)
    with pytest.raises(Overtaken), database.write() as session:
        members.withdraw_membership(session, 1, at=AT)
