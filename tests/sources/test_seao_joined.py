"""One call in SEAO's search and in its weekly file: told once, whole, and never as modified."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from base.database import Database
from sources import places, seao, seao_search, tenders
from sources.intake import Counts, take_in
from sources.tables import Reading, Revision, Tender
from tests.packages import SNOW, package, release
from tests.seao_search import answer, notice

AT = datetime(2026, 9, 21, 14, tzinfo=UTC)
UUID = "0d2661a7-edc6-42ff-9274-850fc9cd5991"


def weekly(**changes: Any) -> bytes:
    """The weekly file with the real notice 20169865."""
    return package(release(SNOW, **changes))


def search(**changes: Any) -> bytes:
    """An answer of the search with the same notice."""
    real = release(SNOW)
    return answer(
        notice(
            **{
                "id": 20_169_865,
                "uuid": UUID,
                "numero": real["tender"]["id"],
                "titre": real["tender"]["title"],
                "nomDonneurOuvrage": real["buyer"]["name"],
                "datePublicationUtc": "2026-09-14T12:00:23Z",
                "dateFermetureUtc": "2026-09-28T15:00:00Z",
            }
            | changes
        )
    )


READERS = {"seao": seao.read, "seao_search": seao_search.read}


def take(database: Database, source: str, document: bytes, at: datetime = AT) -> Counts:
    with database.write() as session:
        reading = Reading(source=source, at=at, address="f")
        session.add(reading)
        session.flush()
        results = READERS[source](document)
        return take_in(session, reading, results, directory=places.load(), at=at)


def in_order(first: str) -> Iterable[tuple[str, bytes]]:
    documents = {"seao": weekly(), "seao_search": search()}
    return sorted(documents.items(), key=lambda one: one[0] != first)


ORDERS = pytest.mark.parametrize("first", ["seao_search", "seao"])


@ORDERS
def test_it_is_one_call_of_two_notices_in_either_order(database: Database, first: str) -> None:
    counts = [take(database, source, document) for source, document in in_order(first)]
    assert [(one.new, one.amended, one.cancelled, one.faults) for one in counts] == [
        (1, 0, 0, 0)
    ] * 2
    with database.read() as session:
        found = tenders.open_at(session, AT)
    assert {tender.source for tender, _ in found} == {"seao", "seao_search"}
    assert len({tender.cluster_id for tender, _ in found}) == 1


@ORDERS
def test_what_is_compared_is_the_same_in_both_and_so_nothing_is_modified(
    database: Database, first: str
) -> None:
    for source, document in in_order(first):
        take(database, source, document)
    with database.read() as session:
        one, other = session.scalars(select(Revision).order_by(Revision.id))
    same = ("title", "buyer", "closes_at", "status", "documents", "uri", "municipality", "region")
    assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]


@ORDERS
def test_reading_both_again_changes_nothing(database: Database, first: str) -> None:
    for source, document in in_order(first):
        take(database, source, document)
    later = AT + timedelta(days=1)
    for source, document in in_order(first):
        counts = take(database, source, document, later)
        assert (counts.new, counts.amended, counts.cancelled) == (0, 0, 0)
    with database.read() as session:
        assert len(list(session.scalars(select(Tender)))) == 2
        assert len(list(session.scalars(select(Revision)))) == 2


@ORDERS
def test_where_the_weekly_file_has_no_page_the_two_are_one_call_all_the_same(
    database: Database, first: str
) -> None:
    documents = {"seao": weekly(tender_documents=...), "seao_search": search()}
    for source in sorted(documents, key=lambda one: one != first):
        take(database, source, documents[source])
    with database.read() as session:
        assert len({tender.cluster_id for tender, _ in tenders.open_at(session, AT)}) == 1


@ORDERS
def test_two_calls_with_one_title_of_one_buyer_stay_two(database: Database, first: str) -> None:
    other = search(uuid="0d2661a7-edc6-42ff-9274-000000000000", id=20_999_999)
    documents = {"seao": weekly(), "seao_search": other}
    for source in sorted(documents, key=lambda one: one != first):
        take(database, source, documents[source])
    with database.read() as session:
        assert len({tender.cluster_id for tender, _ in tenders.open_at(session, AT)}) == 2


@ORDERS
def test_a_call_that_the_weekly_file_cancels_is_not_open_for_the_search_still_having_it(
    database: Database, first: str
) -> None:
    for source, document in in_order(first):
        take(database, source, document)
    cancelled = weekly(id="20260922120000", tag=["tenderCancellation"], tender_status="cancelled")
    assert take(database, "seao", cancelled).cancelled == 1
    with database.read() as session:
        assert tenders.open_at(session, AT) == []
