"""Wishes: one subscription lives a contact, and what was stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from base.database import Database
from subscriptions import wishes
from subscriptions.members import add_contact, add_member
from subscriptions.tables import Origin
from subscriptions.wishes import Wishes

AT = datetime(2026, 9, 21, 14, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
SNOW = Wishes(frequency="weekly", sectors=("deneigement",))
STAFF, MEMBER = Origin.STAFF.value, Origin.MEMBER.value


@pytest.fixture
def contact(database: Database) -> int:
    """The number of a contact without a subscription."""
    with database.write() as session:
        member = add_member(session, "Coop fictive du Déneigement", at=AT)
        return add_contact(session, member.id, "info@exemple.quebec", at=AT).id


@pytest.fixture
def subscriber(database: Database, contact: int) -> int:
    """The number of a contact with a weekly subscription."""
    with database.write() as session:
        wishes.subscribe(session, contact, SNOW, origin=STAFF, at=AT)
    return contact


def test_equal_wishes_open_nothing(database: Database, subscriber: int) -> None:
    with database.write() as session:
        wishes.subscribe(session, subscriber, SNOW, origin=MEMBER, at=LATER)
        assert wishes.change(session, subscriber, SNOW, origin=MEMBER, at=LATER)
        assert len(wishes.history(session, subscriber)) == 1


def test_a_change_ends_one_and_opens_the_next(database: Database, subscriber: int) -> None:
    daily = replace(SNOW, frequency="daily")
    with database.write() as session:
        wishes.change(session, subscriber, daily, origin=MEMBER, at=LATER)
    with database.read() as session:
        old, new = wishes.history(session, subscriber)
    assert (old.ended_at, old.end_reason, old.end_origin) == (LATER, "changed", "member")
    assert wishes.wishes_of(old) == SNOW
    assert wishes.wishes_of(new) == daily


def test_change_and_pause_open_nothing_for_who_has_none(database: Database, contact: int) -> None:
    with database.write() as session:
        assert wishes.change(session, contact, SNOW, origin=STAFF, at=AT) is None
        assert wishes.pause(session, contact, LATER, origin=STAFF, at=AT) is None
        assert wishes.live(session, contact) is None


def test_a_pause_keeps_the_rest(database: Database, subscriber: int) -> None:
    with database.write() as session:
        paused = wishes.pause(session, subscriber, LATER, origin=STAFF, at=AT)
        assert paused is not None
        assert wishes.wishes_of(paused) == replace(SNOW, paused_until=LATER)


def test_leaving_twice_is_leaving_once(database: Database, subscriber: int) -> None:
    with database.write() as session:
        assert wishes.unsubscribe(session, subscriber, origin=MEMBER, at=AT)
    with database.write() as session:
        assert not wishes.unsubscribe(session, subscriber, origin=STAFF, at=LATER)
        assert wishes.has_left(session, subscriber)
        (only,) = wishes.history(session, subscriber)
    assert (only.ended_at, only.end_origin) == (AT, "member")


def test_who_changed_or_came_back_has_not_left(database: Database, subscriber: int) -> None:
    with database.write() as session:
        daily = replace(SNOW, frequency="daily")
        wishes.change(session, subscriber, daily, origin=MEMBER, at=AT)
        assert not wishes.has_left(session, subscriber)
        wishes.unsubscribe(session, subscriber, origin=MEMBER, at=LATER)
        wishes.subscribe(session, subscriber, SNOW, origin=MEMBER, at=LATER)
        assert not wishes.has_left(session, subscriber)


def test_of_20_at_once_one_leaves(database: Database, subscriber: int) -> None:
    def leave(_turn: int) -> bool:
        with database.write() as session:
            return wishes.unsubscribe(session, subscriber, origin=MEMBER, at=AT)

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(leave, range(20))) == 1
