"""A call that SEAO's search and its weekly file both have: shown once, as the file has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec
import pytest

from alerts import calls
from alerts.classification import Lexicon
from base.database import Database
from sources import places, seao, seao_search, tenders
from sources.intake import take_in
from sources.tables import Reading
from subscriptions import sectors
from tests.packages import SNOW, package, release
from tests.seao_search import detail, notice

AT = datetime(2026, 9, 21, 14, tzinfo=UTC)
CLOSES_AT = datetime(2026, 9, 28, 15, tzinfo=UTC)
UUID = "0d2661a7-edc6-42ff-9274-850fc9cd5991"
PAGE = f"https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId={UUID}"
READERS = {"seao": seao.read, "seao_search": seao_search.read}


def visit(closes_at: str = "2026-09-28T15:00:00Z") -> bytes:
    """The notice in the search, with a description that the weekly file never has."""
    found = notice(
        uuid=UUID,
        titre="Contrat de déneigement, réseau routier",
        nomDonneurOuvrage="Municipalité de Saint-Sylvère",
        dateFermetureUtc=closes_at,
    )
    listed = msgspec.json.encode({"apiData": {"results": [found], "total": 1}})
    exchanges = [
        {"url": "https://x/recherche", "answer": msgspec.Raw(listed)},
        {"url": f"https://x/avis/{UUID}/consulter", "answer": msgspec.Raw(detail("<p>Sel.</p>"))},
    ]
    return msgspec.json.encode({"exchanges": exchanges})


def read(database: Database, documents: Mapping[str, bytes], order: Iterable[str]) -> calls.Call:
    """The one call that those documents, by source, make in that order."""
    with database.write() as session:
        for source in order:
            reading = Reading(source=source, at=AT, address="f")
            session.add(reading)
            session.flush()
            results = READERS[source](documents[source])
            take_in(session, reading, results, directory=places.load(), at=AT)
    with database.read() as session:
        notices = tenders.open_at(session, AT)
        (cluster_id,) = {tender.cluster_id for tender, _ in notices}
        return calls.call(cluster_id or 0, notices, Lexicon.of(sectors.load()))


@pytest.mark.parametrize("first", ["seao_search", "seao"])
def test_the_weekly_file_is_shown_and_the_search_adds_its_description(
    database: Database, first: str
) -> None:
    documents = {"seao": package(release(SNOW)), "seao_search": visit()}
    call = read(database, documents, sorted(documents, key=lambda one: one != first))
    assert call.tender.source == "seao"
    assert call.tender.number == "20169865"
    assert call.revision.title.startswith("CONTRAT DE DÉNEIGEMENT ET L’ENTRETIEN D’HIVER")
    assert call.facts.description == "Sel."
    assert call.closes_at == CLOSES_AT


@pytest.mark.parametrize("written", ["2026-09-25T15:00:00Z", "2026-10-02T15:00:00Z"])
def test_the_closing_moment_is_the_weekly_file_s(database: Database, written: str) -> None:
    documents = {"seao": package(release(SNOW)), "seao_search": visit(written)}
    assert read(database, documents, documents).closes_at == CLOSES_AT


def test_without_the_weekly_file_the_search_s_closing_moment_counts(database: Database) -> None:
    documents = {"seao_search": visit("2026-09-25T15:00:00Z")}
    closes_at = read(database, documents, documents).closes_at
    assert closes_at == datetime(2026, 9, 25, 15, tzinfo=UTC)
