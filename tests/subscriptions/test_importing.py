"""An import: what it changes is shown, then done; what a reader decided stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from base.database import Database, connect
from base.progress import untold
from subscriptions import editing, importing, mailboxes, members, undo_plan, undoing, wishes
from subscriptions.applying import Application
from subscriptions.cells import Fault
from subscriptions.difference import Kind, Notice
from subscriptions.editing import Hand
from subscriptions.errors import ChangeRefused, Overtaken
from subscriptions.listing import listing
from subscriptions.roster import Reason
from subscriptions.tables import Contact, Member, Membership, Origin, Subscription
from tests import rosters
from tests.rosters import AT, NORTH, SOUTH

LATER = AT + timedelta(days=10)
ANNE = "anne@exemple.quebec"


def test_the_same_roster_twice_changes_nothing(database: Database) -> None:
    assert len(rosters.take_in(database, NORTH, SOUTH).contacts) == 2
    again = rosters.take_in(database, NORTH, SOUTH, at=LATER)
    assert (again.is_empty, again.unchanged) == (True, 2)


def test_added_changed_lapsed_and_returning_are_told_apart(database: Database) -> None:
    rosters.take_in(database, NORTH, SOUTH)
    lapsed = SOUTH.replace("actif", "radié")
    kinds = [m.kind for m in rosters.take_in(database, NORTH, lapsed, at=LATER).members]
    assert kinds == [Kind.ENDED]
    moved = NORTH.replace("0101", "0199")
    found = rosters.take_in(database, moved, SOUTH, at=LATER + timedelta(days=1))
    assert [m.kind for m in found.members] == [Kind.CHANGED, Kind.RETURNING]


def test_a_correction_supersedes_what_was_known_and_keeps_it(database: Database) -> None:
    rosters.take_in(database, NORTH)
    rosters.take_in(database, NORTH.replace(";2024-01-01;;", ";2024-01-01;2026-12-31;"), at=LATER)
    with database.read() as session:
        rows = members.memberships(session, 1)
    old, new = rows
    assert (old.ends_at, old.recorded_at, old.superseded_at) == (None, AT, LATER)
    assert (new.recorded_at, new.superseded_at) == (LATER, None)
    assert new.ends_at is not None
    assert old.starts_at == new.starts_at


def test_who_lapsed_is_listed_so_and_the_lapse_twice_changes_nothing(database: Database) -> None:
    rosters.take_in(database, NORTH)
    lapsed = NORTH.replace("actif", "radié")
    rosters.take_in(database, lapsed, at=LATER)
    assert rosters.take_in(database, lapsed, at=LATER + timedelta(days=1)).is_empty
    with database.read() as session:
        (member,) = listing(session, LATER)
    (known,) = rosters.known(database).members.values()
    assert (member.active, len(known.stretches)) == (False, 1)


def test_a_change_since_it_was_shown_stops_the_import(database: Database) -> None:
    found = rosters.read(NORTH)
    with database.read() as session:
        shown = importing.difference(session, found, AT)
    rosters.take_in(database, NORTH.replace("0101", "0199"))
    with pytest.raises(Overtaken), database.write() as session:
        importing.take_in(session, found, at=AT, by="essai", shown=shown)
    assert rosters.known(database).members["coop fictive du nord"].telephone == "450 555-0199"


def test_two_imports_at_once_are_one(database: Database, database_url: str) -> None:
    def both(_: int) -> bool:
        other = connect(database_url)
        try:
            return bool(rosters.take_in(other, NORTH, SOUTH).members)
        finally:
            other.dispose()

    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(both, range(4)))
    assert changed.count(True) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Member)) == 2
        assert session.scalar(select(func.count()).select_from(Membership)) == 2


def test_an_address_of_another_enterprise_is_refused_with_both_names(database: Database) -> None:
    rosters.take_in(database, NORTH)
    (refused,) = rosters.take_in(database, NORTH.replace("du Nord", "du Sud")).refused
    assert refused.reason == Reason.TWO_ENTERPRISES
    assert refused.detail == "Coop fictive du Nord | Coop fictive du Sud"


def test_dates_reversed_are_refused(database: Database) -> None:
    found = rosters.take_in(database, NORTH.replace(";2024-01-01;;", ";2024-01-01;2023-12-31;"))
    assert [r.reason for r in found.refused] == [Fault.DATES_REVERSED]
    assert found.is_empty


def test_who_left_is_not_subscribed_by_an_import(database: Database) -> None:
    rosters.take_in(database, NORTH)
    rosters.leave(database, ANNE)
    daily = NORTH.replace("hebdomadaire", "quotidien").replace("exprès", "adhésion")
    found = rosters.take_in(database, daily, at=LATER)
    assert (found.contacts, [r.notice for r in found.remarks]) == ((), [Notice.HAS_LEFT])
    assert not rosters.subscribed(database, ANNE)


def _applied_while_the_reader_leaves(database: Database) -> None:
    found = rosters.read(NORTH.replace("hebdomadaire", "quotidien"))
    with database.write() as session:
        difference = importing.difference(session, found, AT)
        wishes.unsubscribe(session, 1, origin="member", at=AT)
        applied = Application.of(session, 1, difference, at=AT, by="x")
        applied.run(difference, untold)


def test_who_leaves_while_an_import_is_applied_stays_gone(database: Database) -> None:
    rosters.take_in(database, NORTH)
    with pytest.raises(Overtaken):
        _applied_while_the_reader_leaves(database)


def test_a_removed_contact_is_taken_back_and_not_made_anew(database: Database) -> None:
    rosters.take_in(database, NORTH)
    hand = Hand(at=AT, by="essai", action="contacts retirer")
    with database.write() as session:
        mailboxes.remove(session, session.get_one(Contact, 1), hand=hand)
    assert not rosters.subscribed(database, ANNE)
    (change,) = rosters.take_in(database, NORTH, at=LATER).contacts
    assert (change.kind, change.contact_id) == (Kind.RETURNING, 1)
    back = rosters.contact(database, ANNE)
    assert (back.id, back.ended_at, back.link_version) == (1, None, 2)
    assert rosters.subscribed(database, ANNE)


def test_a_line_of_a_merged_contact_is_refused(database: Database) -> None:
    second = NORTH.replace("anne@", "a.fictive@")
    rosters.take_in(database, NORTH, second)
    hand = Hand(at=AT, by="essai", action="contacts fusionner")
    with database.write() as session:
        kept, merged = session.get_one(Contact, 1), session.get_one(Contact, 2)
        mailboxes.merge(session, kept, merged, hand=hand)
    (refused,) = rosters.take_in(database, NORTH, second).refused
    assert (refused.line, refused.reason, refused.detail) == (3, Reason.MERGED, ANNE)


def test_ending_more_than_a_tenth_of_the_members_is_noticed(database: Database) -> None:
    lines = [NORTH.replace("du Nord", f"no {n}").replace("anne", f"n{n}") for n in range(20)]
    rosters.take_in(database, *lines)
    ended = [line.replace("actif", "radié") for line in lines]
    with database.read() as session:
        few = importing.difference(session, rosters.read(*ended[:2], *lines[2:]), LATER)
        many = importing.difference(session, rosters.read(*ended[:3], *lines[3:]), LATER)
    assert (few.ended, few.ends_many) == (2, False)
    assert (many.ended, many.active, many.ends_many) == (3, 20, True)


def test_a_new_address_that_is_nearly_a_known_one_is_noticed(database: Database) -> None:
    rosters.take_in(database, NORTH)
    near = NORTH.replace("anne@exemple", "anne@exempel")
    (remark,) = rosters.take_in(database, near).remarks
    assert (remark.notice, remark.detail) == (Notice.LOOKS_LIKE, ANNE)


#: What staff may do, in any order, after a contact left.
DEEDS = ("same", "daily", "lapsed", "other enterprise", "remove", "add", "merge", "undo", "rename")


@given(deeds=st.lists(st.sampled_from(DEEDS), min_size=1, max_size=7))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_that_staff_do_subscribes_again_who_left(
    database: Database, deeds: list[str]
) -> None:
    with database.write() as session:
        for table in (Subscription, Membership, Contact, Member):
            session.query(table).delete()
    rosters.take_in(database, NORTH, NORTH.replace("anne@", "a.fictive@"))
    rosters.leave(database, ANNE)
    at = AT
    for deed in deeds:
        at += timedelta(hours=1)
        _do(database, deed, Hand(at=at, by="essai", action="essai"))
        with database.read() as session:
            live = (
                select(Contact.address)
                .join(Subscription, Subscription.contact_id == Contact.id)
                .where(Subscription.ended_at.is_(None))
            )
            assert ANNE not in session.scalars(live).all(), deed


def _do(database: Database, deed: str, hand: Hand) -> None:
    lines = {
        "same": NORTH,
        "daily": NORTH.replace("hebdomadaire", "quotidien").replace("exprès", "achat"),
        "lapsed": NORTH.replace("actif", "radié"),
        "other enterprise": NORTH.replace("du Nord", "du Sud"),
    }
    if deed in lines:
        rosters.take_in(database, lines[deed], at=hand.at)
        return
    contact = rosters.contact(database, ANNE)
    with database.write() as session:
        try:
            row = session.get_one(Contact, contact.id)
            other = session.scalars(
                select(Contact).where(Contact.address == "a.fictive@exemple.quebec")
            ).one()
            member = session.get_one(Member, row.member_id)
            if deed == "remove":
                mailboxes.remove(session, row, hand=hand)
            elif deed == "add":
                asked = mailboxes.Asked(wishes=wishes.Wishes(frequency="daily", sectors=("x",)))
                mailboxes.add(session, member, ANNE, asked, hand=hand)
            elif deed == "merge":
                mailboxes.merge(session, row, other, hand=hand)
            elif deed == "rename":
                editing.rename(session, member, name="Autre nom", telephone=None, hand=hand)
            elif (plan := undo_plan.undoing(session)) is not None and plan.done:
                undoing.undo(session, plan, at=hand.at, by=hand.by)
        except ChangeRefused:
            session.rollback()


def test_wishes_that_the_member_chose_are_not_the_rosters(database: Database) -> None:
    rosters.take_in(database, NORTH)
    with database.write() as session:
        asked = wishes.Wishes(frequency="daily", sectors=("buanderie-textile",))
        wishes.change(session, 1, asked, origin=Origin.MEMBER.value, at=AT)
    found = rosters.take_in(database, NORTH, at=LATER)
    assert (found.contacts, [r.notice for r in found.remarks]) == ((), [Notice.WISHES_KEPT])
