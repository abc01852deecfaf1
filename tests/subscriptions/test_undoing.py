"""The last import undone: what it did and nothing else, and never over a reader's word."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from base.database import Database
from subscriptions import consent, editing, members, undo_plan, undoing, wishes
from subscriptions.editing import Hand
from subscriptions.errors import Overtaken
from subscriptions.import_tables import Step
from subscriptions.tables import Consent, Contact, Member, Membership, Subscription
from subscriptions.undo_plan import Since, Undoing
from tests import rosters
from tests.rosters import AT, NORTH, SOUTH

NEXT, LATER = AT + timedelta(days=1), AT + timedelta(days=2)
ANNE, BRUNO = "anne@exemple.quebec", "bruno@exemple.quebec"
NORTH_DAILY = NORTH.replace("hebdomadaire", "quotidien").replace("0101", "0199")


def _plan(database: Database) -> Undoing:
    with database.read() as session:
        found = undo_plan.undoing(session)
    assert found is not None
    return found


def _undo(database: Database) -> Undoing:
    plan = _plan(database)
    with database.write() as session:
        return undoing.undo(session, plan, at=LATER, by="essai")


def test_everything_that_an_import_changed_is_put_back(database: Database) -> None:
    rosters.take_in(database, NORTH)
    before = rosters.known(database)
    ended = NORTH_DAILY.replace(";actif;", ";radié;").replace("Anne", "Annie")
    rosters.take_in(database, ended, SOUTH, at=NEXT)
    plan = _undo(database)
    assert plan.kept == ()
    after = rosters.known(database, LATER)
    (name,) = before.members
    assert after.members[name].telephone == before.members[name].telephone
    assert [(s.starts_at, s.ends_at) for s in after.members[name].stretches] == [
        (s.starts_at, s.ends_at) for s in before.members[name].stretches
    ]
    assert after.contacts[ANNE].wishes == before.contacts[ANNE].wishes
    assert after.contacts[ANNE].name == "Anne Fictive"
    assert BRUNO not in after.contacts
    assert after.members["coop fictive du sud"].stretches == ()


def test_an_undo_deletes_no_row(database: Database) -> None:
    tables = (Member, Membership, Contact, Subscription, Consent)

    def rows() -> list[int]:
        with database.read() as session:
            return [session.scalar(select(func.count()).select_from(t)) or 0 for t in tables]

    rosters.take_in(database, NORTH, SOUTH)
    before = rows()
    _undo(database)
    assert rows() == before
    with database.read() as session:
        assert members.active_membership(session, 1, LATER) is None
        assert consent.holds(session, 1, LATER) is None
        # What was known between the two stays known.
        (row,) = members.memberships(session, 1)
    assert (row.recorded_at, row.superseded_at) == (AT, LATER)


def test_what_was_undone_can_be_imported_again(database: Database) -> None:
    rosters.take_in(database, NORTH, SOUTH)
    _undo(database)
    rosters.take_in(database, NORTH, SOUTH, at=LATER)
    assert rosters.contact(database, ANNE).id == 1
    assert rosters.subscribed(database, ANNE)
    assert rosters.known(database, LATER).contacts[ANNE].may_be_written_to


def test_who_left_since_is_not_subscribed_again(database: Database) -> None:
    rosters.take_in(database, NORTH)
    rosters.take_in(database, NORTH_DAILY, at=NEXT)
    rosters.leave(database, ANNE, at=NEXT)
    plan = _undo(database)
    assert [(s.what, s.about, s.since) for s in plan.kept] == [
        (Step.SUBSCRIPTION, ANNE, Since.LEFT)
    ]
    assert [s.what for s in plan.done] == [Step.TELEPHONE]
    assert not rosters.subscribed(database, ANNE)


def test_who_left_a_first_subscription_keeps_the_trace_of_it(database: Database) -> None:
    rosters.take_in(database, NORTH, SOUTH)
    rosters.leave(database, ANNE, at=NEXT)
    plan = _undo(database)
    assert {(s.what, s.since) for s in plan.kept} == {
        (Step.CONTACT, Since.LEFT),
        (Step.SUBSCRIPTION, Since.LEFT),
    }
    with database.read() as session:
        assert wishes.has_left(session, 1)


def test_what_staff_or_the_member_changed_since_stays_and_is_named(database: Database) -> None:
    rosters.take_in(database, NORTH, SOUTH)
    rosters.take_in(database, NORTH_DAILY, SOUTH.replace("actif", "radié"), at=NEXT)
    hand = Hand(at=LATER, by="essai", action="membres modifier")
    with database.write() as session:
        north, south = session.get_one(Member, 1), session.get_one(Member, 2)
        editing.rename(session, north, name=None, telephone="450 555-0177", hand=hand)
        editing.reinstate(session, south, first=None, last=None, reason="", hand=hand)
        asked = wishes.Wishes(frequency="weekly", sectors=("buanderie-textile",))
        wishes.change(session, 1, asked, origin="member", at=LATER)
    plan = _plan(database)
    assert [(s.what, s.about) for s in plan.kept] == [
        (Step.TELEPHONE, "Coop fictive du Nord"),
        (Step.MEMBERSHIP, "Coop fictive du Sud"),
        (Step.SUBSCRIPTION, ANNE),
    ]
    assert plan.done == ()
    with pytest.raises(Overtaken), database.write() as session:
        undoing.undo(session, plan, at=LATER, by="essai")


def test_only_the_last_import_is_undone_and_once(database: Database) -> None:
    rosters.take_in(database, NORTH)
    rosters.take_in(database, SOUTH, at=NEXT)
    shown = _undo(database)
    assert rosters.subscribed(database, ANNE)
    again = _plan(database)
    assert (again.undone_at, again.undone_by, again.steps) == (LATER, "essai", ())
    with pytest.raises(Overtaken), database.write() as session:
        undoing.undo(session, shown, at=LATER, by="essai")


def test_a_change_between_the_look_and_the_undo_stops_it(database: Database) -> None:
    rosters.take_in(database, NORTH)
    rosters.take_in(database, NORTH_DAILY, at=NEXT)
    plan = _plan(database)
    rosters.leave(database, ANNE, at=NEXT)
    with pytest.raises(Overtaken), database.write() as session:
        undoing.undo(session, plan, at=LATER, by="essai")


def test_no_import_no_undo(database: Database) -> None:
    with database.read() as session:
        assert undo_plan.undoing(session) is None
