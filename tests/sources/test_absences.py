"""A call that is missing from a list of all that is open is not cancelled until two lists agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from base.database import Database
from sources import seao
from sources.amendments import Grade, amendments
from sources.catalogue import Access, Address, Rhythm, Source
from sources.release import Fault
from sources.tables import Reading, Revision, Tender
from sources.tenders import open_at
from sources.visits import Document, Outcome, Results, store
from tests.packages import package, release

AT = datetime(2026, 9, 15, 12, tzinfo=UTC)
URL = "https://exemple.quebec/ouverts.json"
#: The real notice, as ten calls: one more missing is then far from half of them.
TEN = [release(ocid=f"ocds-ec9k95-{n}") for n in range(10)]


def source(*, complete: bool = True) -> Source:
    return Source(
        key="list",
        name="",
        short="",
        format="seao",
        access=Access.DOCUMENT,
        rhythm=Rhythm.DAILY,
        licence="",
        credit="",
        addresses=(Address(url=URL, complete=complete),),
    )


def day(
    database: Database,
    number: int,
    releases: list[dict[str, Any]],
    *,
    complete: bool = True,
    more: Results | None = None,
) -> Outcome:
    document = Document(source=source(complete=complete), address=URL, sha256=f"{number}")
    results = [*seao.read(package(*releases)), *(more or [])]
    return store(database, document, results, AT + timedelta(days=number))


def first(session: Session) -> Tender:
    return session.scalars(select(Tender).where(Tender.ocid == "ocds-ec9k95-0")).one()


def test_missing_once_changes_nothing(database: Database) -> None:
    day(database, 0, TEN)
    assert day(database, 1, TEN[1:]).counts.withdrawn == 0
    with database.read() as session:
        assert (first(session).status, first(session).latest) == ("active", 1)
        assert len(open_at(session, AT + timedelta(days=1))) == 10


def test_missing_twice_is_withdrawn_and_tells_those_who_were_told(database: Database) -> None:
    day(database, 0, TEN)
    day(database, 1, TEN[1:])
    assert day(database, 2, TEN[1:]).counts.withdrawn == 1
    assert day(database, 3, TEN[1:]).counts.withdrawn == 0
    with database.read() as session:
        gone = first(session)
        assert (gone.status, gone.latest) == ("withdrawn", 2)
        before, after = session.scalars(
            select(Revision).where(Revision.tender_id == gone.id).order_by(Revision.number)
        )
        (found,) = amendments(before, after)
        assert (found.after, found.grade) == ("withdrawn", Grade.CRITICAL)
        assert after.title == before.title


def test_missing_then_there_then_missing_is_not_twice(database: Database) -> None:
    for number, releases in enumerate((TEN, TEN[1:], TEN, TEN[1:])):
        assert day(database, number, releases).counts.withdrawn == 0
    with database.read() as session:
        assert first(session).status == "active"


def test_a_withdrawn_call_that_comes_back_is_open_again(database: Database) -> None:
    for number, releases in enumerate((TEN, TEN[1:], TEN[1:])):
        day(database, number, releases)
    assert day(database, 3, TEN).counts.amended == 1
    assert day(database, 4, TEN).counts.changed == 0
    with database.read() as session:
        assert (first(session).status, first(session).latest) == ("active", 3)


def test_a_release_that_cannot_be_read_is_not_missing(database: Database) -> None:
    broken: Results = [Fault("list", 0, "ocds-ec9k95-0", "wrong type")]
    for number in range(3):
        day(database, number, TEN if number == 0 else TEN[1:], more=broken)
    with database.read() as session:
        assert first(session).status == "active"


def test_half_of_a_list_missing_at_once_means_that_the_list_is_broken(database: Database) -> None:
    day(database, 0, TEN)
    for number in (1, 2, 3):
        outcome = day(database, number, TEN[:3])
        assert outcome.counts.withdrawn == 0
        assert outcome.held == "shrunken"
    with database.read() as session:
        assert len(open_at(session, AT + timedelta(days=3))) == 10
        assert session.scalar(select(Tender.id).where(Tender.missed_at.is_not(None))) is None
        assert len(session.scalars(select(Reading).where(Reading.held != "")).all()) == 3


def test_a_source_that_does_not_list_everything_withdraws_nothing(database: Database) -> None:
    for number, releases in enumerate((TEN, TEN[1:], TEN[1:], TEN[1:])):
        day(database, number, releases, complete=False)
    with database.read() as session:
        assert first(session).status == "active"


def test_a_call_that_closed_meanwhile_is_not_withdrawn(database: Database) -> None:
    for number in (0, 20, 21, 22):
        day(database, number, TEN if number == 0 else TEN[1:])
    with database.read() as session:
        assert first(session).status == "active"
