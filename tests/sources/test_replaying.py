"""Kept documents, read again: the same result, and what a corrected reader can now read."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from base.database import Database, connect, upgrade
from benchmarks.seao_generator import Generator
from sources import catalogue, readers, replaying, rounds
from sources.intake import Counts
from sources.reading import read_path
from sources.release import Fault
from sources.seao import read as seao_read
from sources.shape import Hold
from sources.tables import Reading, Revision, Tender
from sources.visits import Document, store
from tests.packages import package, release

AT = datetime(2025, 9, 22, 12, tzinfo=UTC)
SEAO = catalogue.load()["seao"]


def take(database: Database, name: str, content: bytes, at: datetime = AT) -> Any:
    address = f"https://exemple.quebec/{name}"
    document = Document(source=SEAO, address=address, content=content, sha256=f"{hash(content)}")
    return store(database, document, list(readers.read(SEAO, content)), at)


def rows(session: Session) -> list[tuple[Any, ...]]:
    """Tenders and revisions as they stand, without the numbers that a database gives."""
    found = session.execute(
        select(
            Tender.source, Tender.ocid, Tender.status, Tender.latest, Tender.closes_at,
            Tender.first_seen_at, Tender.backlog, Revision.number, Revision.release_id,
            Revision.material_hash, Revision.title, Revision.seen_at, Revision.conflicting,
        )
        .join(Revision, Revision.tender_id == Tender.id)
        .order_by(Tender.ocid, Revision.number)
    )  # fmt: skip
    return [tuple(row) for row in found]


@pytest.fixture
def weeks(database: Database) -> Database:
    for number, week in enumerate(Generator(seed=3, calls=40, contracts=40).weeks(3)):
        take(database, week.name, week.content, AT + timedelta(weeks=number))
    return database


def test_the_same_readers_change_nothing(weeks: Database) -> None:
    with weeks.read() as session:
        before = rows(session)
    assert len(before) > 120
    replayed = list(replaying.replay(weeks, at=AT + timedelta(weeks=3)))
    assert len(replayed) == 3
    assert sum((one.counts for one in replayed), Counts()).changed == 0
    with weeks.read() as session:
        assert rows(session) == before


def test_an_empty_database_gets_the_same_rows_from_the_kept_documents(
    weeks: Database, tmp_path: Any
) -> None:
    url = f"sqlite:///{tmp_path}/fresh.sqlite3"
    upgrade(url)
    fresh = connect(url)
    with weeks.read() as session:
        asked = select(Reading.address, Reading.document, Reading.at).order_by(Reading.id)
        kept = session.execute(asked).all()
        expected = rows(session)
    for address, document, at in kept:
        take(fresh, address.rpartition("/")[2], zlib.decompress(document), at)
    with fresh.read() as session:
        assert rows(session) == expected
    fresh.dispose()


def test_what_a_corrected_reader_can_read_comes_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = package(release(), release(ocid="ocds-ec9k95-2"))

    def worse(document: bytes) -> Any:
        for one in seao_read(document):
            yield Fault("seao", 1, one.ocid, "x") if one.ocid == "ocds-ec9k95-2" else one

    at = datetime(2026, 9, 15, tzinfo=UTC)
    monkeypatch.setattr(readers, "READERS", {**readers.READERS, "seao": worse})
    assert take(database, "f.json", content, at).counts.faults == 1
    monkeypatch.undo()
    (replayed,) = replaying.replay(database, at=at)
    assert replayed.counts.new == 1
    with database.read() as session:
        assert len(rows(session)) == 2


def test_a_reader_that_cleans_otherwise_makes_no_contradiction(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 9, 15, tzinfo=UTC)
    take(database, "f.json", package(release()), at)

    def other(document: bytes) -> Any:
        for one in seao_read(document):
            yield replace(one, title="Un titre nettoyé autrement")

    monkeypatch.setattr(readers, "READERS", {**readers.READERS, "seao": other})
    (replayed,) = replaying.replay(database, at=at)
    assert replayed.counts.changed == 0


def test_a_held_document_is_taken_in_when_staff_say_that_it_is_right(database: Database) -> None:
    usual, *_ = Generator(seed=3, calls=40, contracts=40).weeks(1)
    take(database, usual.name, usual.content)
    untitled = usual.content.replace(b'"title"', b'"titre"').replace(b"-20000", b"-21000")
    assert take(database, "hebdo_20250922_20250928.json", untitled).held == Hold.CHANGED
    assert list(replaying.replay(database, at=AT))[-1].fault
    accepted = replaying.accept(database, "seao", at=AT)
    assert accepted is not None
    assert accepted.counts.new + accepted.counts.conflicting > 20
    assert replaying.accept(database, "seao", at=AT) is None


def test_an_unchanged_file_writes_no_row(database: Database, tmp_path: Any) -> None:
    week, *_ = Generator(seed=3, calls=40, contracts=40).weeks(1)
    file = tmp_path / week.name
    file.write_bytes(week.content)
    (first,) = read_path(database, file, at=AT)
    (again,) = read_path(database, file, at=AT)
    assert (again.unchanged, again.counts.new) == (True, 0)
    assert again.counts.open == first.counts.open > 20
    assert again.counts.releases == first.counts.releases
    (later,) = read_path(database, file, at=AT + timedelta(days=300))
    assert later.counts.open == 0
    with database.read() as session:
        assert len(session.scalars(select(Reading.id)).all()) == 1


def test_raw_documents_are_let_go_after_their_time(weeks: Database) -> None:
    assert rounds.prune(weeks, AT + timedelta(days=390)) == 0
    assert rounds.prune(weeks, AT + timedelta(days=401)) == 1
    assert rounds.prune(weeks, AT + timedelta(days=401)) == 0
