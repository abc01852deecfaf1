"""A call of several sources changes once, and SEAO's weekly file is the one that is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.tables import Kind, Stream
from base.database import Database
from sources import absences
from sources.release import Release, Status
from sources.tables import Reading
from tests.amending import MONDAY, SOON, WEDNESDAY, Office, after, before, cancelled, quebec
from tests.coop import entitled

MINUTE = timedelta(minutes=1)
TOLD = [("anne", Kind.CANCELLATION, Stream.CHANGE)]


def _of(source: str, release: Release | None = None) -> Release:
    """The same notice as another source has it, on the same page."""
    of = release or before()
    return replace(of, source=source, ocid=f"{source}-{of.number}", release_id="")


def _told(database: Database, *releases: Release) -> Office:
    """Anne was told of the call, as the first of those sources had it."""
    office = Office(database)
    with database.write() as session:
        entitled(session, "anne")
    office.reads(releases[0], at=MONDAY - MINUTE)
    office.ticks(MONDAY)
    assert office.settles() == 1
    for one in releases[1:]:
        office.reads(one, at=MONDAY + SOON)
    office.ticks(WEDNESDAY - SOON)
    assert office.changes() == []
    return office


@pytest.mark.parametrize("other", ["seao_search", "canadabuys"])
def test_what_the_weekly_file_calls_off_is_off_for_who_read_of_it_elsewhere(
    database: Database, other: str
) -> None:
    office = _told(database, _of(other), before())
    office.reads(cancelled(), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    office.settles()
    office.ticks(WEDNESDAY + 2 * SOON)
    assert office.changes() == TOLD


def test_the_other_source_s_words_are_no_change(database: Database) -> None:
    """Its documents and its buyer are named otherwise; only the moment and the state are said
    alike."""
    worded = replace(_of("canadabuys"), buyer="CSSHBO", documents=("avis.html",))
    office = _told(database, worded, before())
    office.reads(after(documents=("addenda 1.pdf",)), at=WEDNESDAY)
    office.ticks(MONDAY + timedelta(days=7))
    assert office.changes() == []


def test_the_authority_s_earlier_closing_is_told_at_once(database: Database) -> None:
    office = _told(database, _of("canadabuys"), before())
    office.reads(after(closes_at=quebec(9, 30, 11)), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    assert office.changes() == [("anne", Kind.CHANGE, Stream.CHANGE)]


@pytest.mark.parametrize("other", ["seao_search", "canadabuys"])
def test_what_another_source_says_beside_the_weekly_file_does_not_count(
    database: Database, other: str
) -> None:
    office = _told(database, before(), _of(other))
    office.reads(_of(other, after(status=Status.CANCELLED)), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    assert office.changes() == []


def test_where_the_weekly_file_has_closed_a_later_moment_of_the_search_holds(
    database: Database,
) -> None:
    office = _told(database, before(), _of("seao_search"))
    office.reads(_of("seao_search", after(closes_at=quebec(10, 20, 11))), at=quebec(10, 2, 12))
    office.ticks(quebec(10, 5, 6))
    assert office.changes() == [("anne", Kind.CHANGE, Stream.WEEKLY)]


def test_a_single_source_is_believed_of_its_own(database: Database) -> None:
    office = _told(database, _of("canadabuys"))
    office.reads(_of("canadabuys", after(status=Status.CANCELLED)), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    assert office.changes() == TOLD


def test_one_absence_is_no_cancellation_and_two_are_a_withdrawal(database: Database) -> None:
    office = _told(database, _of("canadabuys"))
    for n in range(2):
        at = WEDNESDAY + n * timedelta(days=1)
        with database.write() as session:
            reading = Reading(source="canadabuys", at=at, address="essai.csv")
            session.add(reading)
            session.flush()
            assert absences.conclude(session, reading, [], at=at) == n
        office.ticks(at + SOON)
        assert office.changes() == TOLD * n
