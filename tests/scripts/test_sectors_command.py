"""`alertes secteurs`: a catalogue is checked and its effect shown; the score is measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from base.clock import utc_now
from base.database import Database
from sources.tables import Reading, Revision, Tender
from subscriptions import sectors
from tests.conftest import Said

LABELLED = Path(__file__).parents[1] / "data" / "labelled" / "labelled_dev.csv"

Alertes = Callable[..., Said]


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A copy of the catalogue that ships, to be changed."""
    path = tmp_path / "secteurs.toml"
    path.write_bytes(sectors.DEFAULT.read_bytes())
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), "utf-8")


def seen(database: Database, *titles: str, at: datetime) -> None:
    """Tenders of those titles in the database, first seen at that moment."""
    with database.write() as session:
        reading = Reading(source="seao", at=at, address="essai.json")
        session.add(reading)
        session.flush()
        for n, title in enumerate(titles):
            ocid = f"ocds-{at:%Y%m%d}-{n}"
            tender = Tender(
                source="seao", ocid=ocid, number=f"{at:%Y%m%d}{n}", first_seen_at=at, latest=1,
                status="active", closes_at=None,
            )  # fmt: skip
            session.add(tender)
            session.flush()
            session.add(
                Revision(
                    tender_id=tender.id, number=1, reading_id=reading.id, release_id="1",
                    seen_at=at, published_at=at, changed_at=at, material_hash="0",
                    status="active", title=title, buyer="Ville fictive", buyer_id="", reference="",
                    municipality="", mrc="", region="", place_basis="unknown", category="services",
                    procurement_method_details="", closes_at=None, items=[], description="",
                    documents=[], uri="",
                )
            )  # fmt: skip


def test_the_score_of_a_labelled_file_needs_no_settings(alertes: Alertes) -> None:
    said = alertes("secteurs", "evaluer", str(LABELLED), "--json")

    assert (said.code, said.err) == (0, "")
    found = json.loads(said.out)
    assert list(found) == ["rows", "micro", "none_rows", "none_alerted", "sectors", "errors"]
    assert (found["rows"], found["none_rows"]) == (344, 145)
    assert set(found["micro"]) == {"precision", "recall", "f1"}
    assert found["micro"]["f1"] >= 0.95
    assert found["sectors"]["deneigement"]["right"] == 7
    for error in found["errors"]:
        assert error["missed"] or all(wrong["evidence"] for wrong in error["wrong"])


def test_the_score_is_told_in_french_with_every_error_and_its_evidence(
    alertes: Alertes, tmp_path: Path
) -> None:
    path = tmp_path / "juges.csv"
    path.write_text(
        "source,title,buyer,unspsc_or_category,expected_sectors,note\n"
        "x,Déneigement des stationnements,V,S14 | 72102901,none,\n"
        "x,Contrat 2026-17,V,S14,espaces-verts,\n",
        "utf-8",
    )
    said = alertes("secteurs", "evaluer", str(path))

    assert said.code == 0
    assert "2\u00a0titres" in said.out
    assert "seraient annoncés\u00a0: 1 de 1" in said.out
    assert "de trop\u00a0: deneigement" in said.out
    assert "titre «\u00a0Déneigement des stationnements\u00a0»; code 72102901" in said.out
    assert "manque\u00a0: espaces-verts" in said.out


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("title,buyer\n", "manque des colonnes"),
        ("title,buyer,unspsc_or_category,expected_sectors\na,b,c,menage\n",
         "ligne 2\u00a0: «\u00a0menage\u00a0» n’est pas un secteur"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_labelled_is_refused_with_what_to_do(
    alertes: Alertes, tmp_path: Path, document: str, sentence: str
) -> None:
    path = tmp_path / "autre.csv"
    path.write_text(document, "utf-8")
    said = alertes("secteurs", "evaluer", str(path))
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err


def test_a_file_that_is_not_there_is_said(alertes: Alertes) -> None:
    said = alertes("secteurs", "evaluer", "absent.csv")
    assert (said.code, said.out) == (1, "")
    assert "absent.csv n’existe pas" in said.err


def test_faults_are_told_by_line_with_what_to_do_and_nothing_is_compared(
    alertes: Alertes, catalogue: Path
) -> None:
    change(catalogue, 'slug = "deneigement"', 'slug = "espaces-verts"')
    change(catalogue, 'seao = ["S9", "S14", "S10", "S12", "O1"]', 'seao = ["9"]')
    said = alertes("secteurs", "verifier", str(catalogue))

    assert (said.code, said.out) == (1, "")
    assert "«\u00a0espaces-verts\u00a0» est déjà celui d’un autre secteur" in said.err
    assert "entretien-menager, seao\u00a0: «\u00a09\u00a0» n’est pas une catégorie" in said.err
    assert "2\u00a0erreurs\u00a0: le catalogue ne peut pas être utilisé." in said.err


def test_a_valid_catalogue_is_said_to_be_so_without_a_database(
    alertes: Alertes, catalogue: Path
) -> None:
    said = alertes("secteurs", "verifier", str(catalogue))
    assert said.code == 0
    assert "Catalogue valide\u00a0: 35\u00a0secteurs." in said.out
    assert "Effet non calculé" in said.err


def test_the_effect_on_the_last_year_is_shown_before_a_catalogue_is_used(
    alertes: Alertes,
    catalogue: Path,
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    now = utc_now()
    seen(database, "Tonte des pelouses", "Licornes à louer", "Pavage", at=now - timedelta(days=3))
    seen(database, "Tonte ancienne", at=now - timedelta(days=400))
    change(catalogue, '"tonte", ', "")
    change(catalogue, '"déneigement", ', '"déneigement", "licorne", ')
    said = alertes("secteurs", "verifier", str(catalogue), "--json")

    assert said.code == 0
    found = json.loads(said.out)
    assert (found["faults"], found["tenders"]) == ([], 3)
    assert {(one["title"], *one["gained"], *one["lost"]) for one in found["effects"]} == {
        ("Tonte des pelouses", "espaces-verts"),
        ("Licornes à louer", "deneigement"),
    }
    text = alertes("secteurs", "verifier", str(catalogue))
    assert (
        "Sur 3\u00a0appels d’offres de la dernière année, 2\u00a0sont triés autrement." in text.out
    )
    assert "deneigement\u00a0: + 1, − 0" in text.out
    assert "espaces-verts\u00a0: + 0, − 1" in text.out
    assert "Tonte des pelouses" in text.out


def test_the_catalogue_in_use_changes_nothing(
    alertes: Alertes, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    seen(database, "Tonte des pelouses", at=datetime.now(UTC))
    said = alertes("secteurs", "verifier", "--json")
    assert json.loads(said.out) == {"faults": [], "tenders": 1, "effects": []}
