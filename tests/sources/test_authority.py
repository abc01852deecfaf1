"""The weekly file's word against the search's, where both have a call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from base.database import Database
from sources import tenders
from sources.tables import Reading, Revision, Tender

AT = datetime(2026, 9, 21, 14, tzinfo=UTC)
SOON = datetime(2026, 9, 28, 15, tzinfo=UTC)
PAST = datetime(2026, 9, 20, 15, tzinfo=UTC)


def put(
    database: Database, source: str, cluster: int, status: str, closes: datetime | None
) -> None:
    with database.write() as session:
        reading = Reading(source=source, at=AT, address="f")
        tender = Tender(
            source=source,
            ocid=f"{source}-{cluster}",
            number="",
            cluster_id=cluster,
            first_seen_at=AT,
            latest=1,
            status=status,
            closes_at=closes,
        )
        session.add_all([reading, tender])
        session.flush()
        texts = (
            "release_id material_hash title buyer buyer_id reference municipality mrc region uri"
        )
        empty = dict.fromkeys([*texts.split(), "category", "procurement_method_details"], "")
        session.add(
            Revision(
                tender_id=tender.id,
                number=1,
                reading_id=reading.id,
                seen_at=AT,
                status=status,
                closes_at=closes,
                place_basis="unknown",
                items=[],
                description="",
                documents=[],
                **empty,
            )
        )


@pytest.mark.parametrize(
    ("status", "closes", "cluster", "told"),
    [
        pytest.param("active", SOON, 1, ["seao", "seao_search"], id="both open"),
        pytest.param("cancelled", SOON, 1, [], id="cancelled"),
        pytest.param("complete", SOON, 1, [], id="ended"),
        pytest.param("active", PAST, 1, ["seao_search"], id="closed, the search says later"),
        pytest.param("cancelled", SOON, 2, ["seao_search"], id="another call cancelled"),
    ],
)
def test_a_notice_of_the_search_is_off_when_the_weekly_file_says_so(
    database: Database, status: str, closes: datetime, cluster: int, told: list[str]
) -> None:
    put(database, "seao", cluster, status, closes)
    put(database, "seao_search", 1, "active", SOON)
    with database.read() as session:
        assert [tender.source for tender, _ in tenders.open_at(session, AT)] == told


def test_the_search_never_overrules_the_weekly_file_nor_another_source(database: Database) -> None:
    put(database, "seao", 1, "active", SOON)
    put(database, "seao_search", 1, "cancelled", SOON)
    put(database, "feed", 2, "active", SOON)
    put(database, "canadabuys", 2, "cancelled", SOON)
    put(database, "seao", 3, "cancelled", SOON)
    put(database, "ville", 3, "active", SOON)
    with database.read() as session:
        found = [tender.source for tender, _ in tenders.open_at(session, AT)]
    assert found == ["seao", "feed", "ville"]
