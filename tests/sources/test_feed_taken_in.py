"""A feed from one reading to the next: what it no longer has stays open, what it has is no news."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from base.database import Database
from sources import feed, places, tenders
from sources.intake import Counts, take_in
from sources.tables import Reading, Tender
from tests.wordpress import SNOW, Post, rss

AT = datetime(2025, 9, 11, 14, tzinfo=UTC)
ROOF = replace(SNOW, title="Appel d’offres S2025-03 – Toiture", slug="toiture", number=1300)


def take(database: Database, *posts: Post, days: int = 0) -> Counts:
    at = AT + timedelta(days=days)
    with database.write() as session:
        reading = Reading(source="feed", at=at, address="feed")
        session.add(reading)
        session.flush()
        results = feed.read(rss(posts))
        return take_in(session, reading, results, directory=places.load(), at=at)


def open_titles(database: Database, days: int = 0) -> list[str]:
    with database.read() as session:
        found = tenders.open_at(session, AT + timedelta(days=days))
        return sorted(revision.title for _, revision in found)


@pytest.mark.parametrize("left", [(), (ROOF,)], ids=["empties", "shrinks"])
def test_a_feed_that_empties_or_shrinks_closes_nothing(
    database: Database, left: tuple[Post, ...]
) -> None:
    assert take(database, SNOW, ROOF).new == 2
    counts = take(database, *left, days=1)
    assert (counts.new, counts.amended, counts.cancelled) == (0, 0, 0)
    assert open_titles(database, 1) == [SNOW.title, ROOF.title]
    assert open_titles(database, 30) == []


@pytest.mark.parametrize(
    "guid",
    ["", "<guid>77b1</guid>", "<guid isPermaLink='false'>2025-09-12T04:00:00Z</guid>"],
    ids=["gone", "another", "made anew each day"],
)
def test_an_entry_whose_guid_changes_is_not_told_again(database: Database, guid: str) -> None:
    take(database, SNOW, ROOF)
    again = [replace(post, instead={"guid": guid}) for post in (SNOW, ROOF)]
    assert take(database, *again, days=1).new == 0
    with database.read() as session:
        assert len(list(session.scalars(select(Tender)))) == 2


def test_an_entry_that_comes_back_after_a_week_is_not_told_again(database: Database) -> None:
    take(database, SNOW, ROOF)
    take(database, ROOF, days=1)
    assert take(database, SNOW, ROOF, days=8).new == 0
