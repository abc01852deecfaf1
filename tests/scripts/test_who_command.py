"""`alertes avis qui` and `alertes contact historique`: in French, within 80 columns, in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from base.database import Database
from tests.conftest import Said
from tests.told_story import NUMBER, letters, live, of


@pytest.fixture
def said(
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    alertes: Callable[..., Said],
) -> Callable[..., Said]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "80")
    live(database)
    return alertes


def _flat(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def test_who_was_told_is_a_table_of_eighty_columns(
    said: Callable[..., Said], database: Database
) -> None:
    told = said("avis", "qui", NUMBER)
    assert told.code == 0
    assert "2 contacts avisés, de 2 entreprises." in _flat(told.out)
    assert "retirée (l’adhésion de l’entreprise n’est pas active)" in _flat(told.out)
    assert "250 2.0.0 Ok: anne" in told.out
    assert "depuis le 2025-08-17" in _flat(told.out)
    table = [line for line in told.out.splitlines() if line.startswith(("│", "┃", "└"))]
    assert table
    assert max(map(len, table)) <= 80


def test_who_was_told_as_json_has_every_letter(
    said: Callable[..., Said], database: Database
) -> None:
    (call,) = json.loads(said("avis", "qui", NUMBER, "--json").out)["calls"]
    assert call["members_told"] == 2
    by_letter = {one["letter"]: one for one in call["recipients"]}
    (anne,) = letters(database, "anne")
    assert by_letter[anne.id]["reply"] == "250 2.0.0 Ok: anne"
    assert by_letter[anne.id]["membership"]["id"] == anne.membership_id
    assert len(by_letter) == 4


def test_a_notice_that_nobody_knows_is_said_and_ends_with_one(said: Callable[..., Said]) -> None:
    unknown = said("avis", "qui", "99999999")
    assert (unknown.code, unknown.out) == (1, "")
    assert "Aucune source n’a montré l’avis 99999999" in unknown.err


def test_a_history_says_what_was_received_and_why_not_the_rest(
    said: Callable[..., Said], database: Database
) -> None:
    luc = _flat(said("contact", "historique", "luc@exemple.quebec").out)
    paul = _flat(said("contact", "historique", str(of(database, "paul").id)).out)
    assert "1 lettre acceptée par le serveur de courriel, 1 avis." in luc
    assert "édition 2026-W39 : incertaine" in luc
    assert "édition 2026-W40 : acceptée" in luc
    assert luc.count(f"{NUMBER} Déneigement") == 2
    assert "2 éditions (2026-W39 à 2026-W40) : rien, aucun nouvel avis" in paul


def test_a_history_as_json_and_since_a_day(said: Callable[..., Said]) -> None:
    words = ("contact", "historique", "luc@exemple.quebec", "--json")
    every, late = (json.loads(said(*words, *more).out) for more in ([], ["--depuis", "2026-09-22"]))
    assert [turn["letter"]["edition"] for turn in every["turns"]] == ["2026-W39", "2026-W40"]
    assert [turn["letter"]["edition"] for turn in late["turns"]] == ["2026-W40"]


def test_a_day_that_is_none_is_wrong_usage(said: Callable[..., Said]) -> None:
    wrong = said("contact", "historique", "luc@exemple.quebec", "--depuis", "hier")
    assert wrong.code == 2
    assert "n’est pas une date" in wrong.err
