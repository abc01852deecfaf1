"""Answers are kept once, with the evidence of the day, and come back to staff."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from alerts import reactions, relevance
from alerts.answer_tables import Answer, Reaction
from alerts.classification import Lexicon
from base.database import Database
from scripts.__main__ import application
from scripts.sector_returns import COLUMNS, safe
from sources.tables import Tender
from subscriptions import sectors
from tests.coop import AT, entitled, letter, tender, told

LATER = AT + timedelta(days=1)
WHY = [{"sector": "deneigement", "evidence": "« déneigement » dans le titre"}]
LABELLED = Path(__file__).parent.parent / "data" / "labelled" / "labelled_dev.csv"


def _told(session: Session, *names: str, **values: object) -> int:
    """Those contacts were told of one notice; its cluster."""
    call, revision = tender(session, **values)  # type: ignore[arg-type]
    for name in names:
        row = told(session, letter(session, entitled(session, name)), revision, call.id)
        row.reasons = WHY
    return call.id


def _rows(session: Session) -> list[tuple[int, str, object]]:
    found = session.scalars(select(Reaction).order_by(Reaction.id))
    return [(one.contact_id, one.answer, one.reasons) for one in found]


def test_an_answer_is_kept_once_with_the_evidence_of_the_day(database: Database) -> None:
    with database.write() as session:
        cluster = _told(session, "anne")
        for at in (AT, LATER):
            assert reactions.answer(session, 1, cluster, Answer.NOT_RELEVANT, at)
        kept = session.scalars(select(Reaction)).one()
        assert (kept.at, kept.reasons) == (AT, WHY)
        assert kept.revision_id == 1


def test_interested_and_not_relevant_take_each_others_place(database: Database) -> None:
    with database.write() as session:
        cluster = _told(session, "anne")
        for answer in (Answer.NOT_RELEVANT, Answer.HIDDEN, Answer.INTERESTED):
            reactions.answer(session, 1, cluster, answer, AT)
        assert [row[1] for row in _rows(session)] == [Answer.HIDDEN, Answer.INTERESTED]


def test_an_answer_is_taken_back_and_given_again(database: Database) -> None:
    with database.write() as session:
        cluster = _told(session, "anne")
        assert not reactions.withdraw(session, 1, cluster, Answer.HIDDEN)
        reactions.answer(session, 1, cluster, Answer.HIDDEN, AT)
        assert reactions.withdraw(session, 1, cluster, Answer.HIDDEN)
        assert _rows(session) == []
        assert reactions.answer(session, 1, cluster, Answer.HIDDEN, LATER)


def test_a_notice_that_was_not_told_has_no_evidence_and_an_unknown_one_no_answer(
    database: Database,
) -> None:
    with database.write() as session:
        contact = entitled(session, "anne")
        call, _ = tender(session)
        assert reactions.answer(session, contact.id, call.id, Answer.INTERESTED, AT)
        assert not reactions.answer(session, contact.id, 10**6, Answer.INTERESTED, AT)
        assert _rows(session) == [(contact.id, Answer.INTERESTED, [])]


def _answered(session: Session) -> None:
    """Anne and Luc refuse a cleaning, on which they do not agree; Anne refuses a formula."""
    title = "Entretien ménager et déneigement de l’école"
    cluster = _told(session, "anne", "luc", title=title)
    reactions.answer(session, 1, cluster, Answer.NOT_RELEVANT, AT)
    reactions.answer(session, 2, cluster, Answer.INTERESTED, LATER)
    call, revision = tender(session, "20169999", title="=CMD()|déneigement des trottoirs",
                            items=[{"code": "SEAO:S9", "label": ""},
                                   {"code": "UNSPSC:72102903", "label": ""}])  # fmt: skip
    row = told(session, letter(session, entitled(session, "marie")), revision, call.id)
    row.reasons = WHY
    reactions.answer(session, 3, call.id, Answer.NOT_RELEVANT, LATER)


def test_staff_see_the_returns_by_sector(database: Database) -> None:
    with database.write() as session:
        _answered(session)
        (snow,) = relevance.by_sector(session)
    assert (snow.sector, snow.not_relevant, snow.interested) == ("deneigement", 2, 1)
    assert [one.number for one in snow.returned] == ["20169999", "20169865"]
    assert snow.returned[0].evidence == WHY[0]["evidence"]


def test_returns_become_labelled_rows(database: Database) -> None:
    with database.write() as session:
        _answered(session)
        cleaning, formula = relevance.labelled(session, Lexicon.of(sectors.load()))
    assert cleaning.sectors == ("deneigement", "entretien-menager")
    assert cleaning.disputed == ("deneigement",)
    assert "deneigement" not in formula.sectors
    assert formula.codes == "S9 | 72102903"


def test_the_export_has_the_columns_and_no_formula(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with database.write() as session:
        _answered(session)
    run, path = CliRunner().invoke, tmp_path / "retours.csv"
    made = run(application("secteurs"), ["secteurs", "retours", "--exporter", str(path)])
    assert made.exit_code == 0, made.output
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with LABELLED.open(encoding="utf-8", newline="") as stream:
        assert tuple(next(csv.reader(stream))) == COLUMNS == tuple(rows[0])
    assert [row["title"][:2] for row in rows] == ["En", "'="]
    assert rows[1]["expected_sectors"] == "none"
    assert "« déneigement »" in run(application("secteurs"), ["secteurs", "retours"]).output
    assert (
        '"not_relevant": 2'
        in run(application("secteurs"), ["secteurs", "retours", "--json"]).output
    )
    assert (
        run(application("secteurs"), ["secteurs", "retours", "--exporter", str(tmp_path)]).exit_code
        == 1
    )


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@SOMME(A1)", "\tx", "\rx"])
def test_what_a_spreadsheet_would_compute_is_text(cell: str) -> None:
    assert safe(cell) == f"'{cell}"
    assert safe(f"x{cell}") == f"x{cell}"


def test_a_reaction_survives_its_cluster(database: Database) -> None:
    with database.write() as session:
        cluster = _told(session, "anne")
        reactions.answer(session, 1, cluster, Answer.NOT_RELEVANT, AT)
        session.get_one(Tender, cluster).cluster_id = 999
        session.flush()
        assert len(relevance.by_sector(session)) == 1
