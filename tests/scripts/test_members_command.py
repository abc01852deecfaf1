"""`alertes membres`: shown before it is done, asked on a terminal only, done whole or not."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select

from base.database import Database, connect
from scripts.members_words import BASES, COLUMNS, FREQUENCIES
from scripts.roster_template import SECTORS, document
from subscriptions import roster, sectors
from subscriptions.cells import Fault
from subscriptions.import_tables import RosterImport
from subscriptions.tables import Contact, Member, Membership, Subscription
from tests import terminal
from tests.conftest import Said
from tests.coop import entitled

Alertes = Callable[..., Said]
ROSTER = Path(__file__).parents[2] / "samples" / "roster" / "membres_fictifs.csv"
CATALOGUE = sectors.load()
TABLES = (Member, Membership, Contact, Subscription, RosterImport)


def _rows(url: str) -> list[int]:
    database = connect(url)
    with database.read() as session:
        found = [session.scalar(select(func.count()).select_from(t)) or 0 for t in TABLES]
    database.dispose()
    return found


def _changed(tmp_path: Path, old: str, new: str, name: str = "autre.csv") -> Path:
    path = tmp_path / name
    path.write_text(ROSTER.read_bytes().decode("cp1252").replace(old, new), "cp1252")
    return path


def test_a_script_gets_the_difference_as_one_object(alertes: Alertes, tmp_path: Path) -> None:
    alertes("membres", "importer", str(ROSTER), "--appliquer")
    path = _changed(tmp_path, "450 555-0101;Actif", "450 555-0199;Radié")
    said = alertes("membres", "importer", str(path), "--json")
    found = json.loads(said.out)
    assert (said.code, found["applied"], found["ended"]) == (0, False, 1)
    (member,) = found["members"]
    assert (member["kind"], member["line"]) == ("ended", 2)
    assert member["facts"][0] == {
        "field": "telephone",
        "before": "450 555-0101",
        "after": "450 555-0199",
        "texte": "téléphone\u00a0: 450 555-0101 → 450 555-0199",
    }


def test_many_ended_memberships_must_be_named(alertes: Alertes, tmp_path: Path) -> None:
    alertes("membres", "importer", str(ROSTER), "--appliquer")
    path = _changed(tmp_path, ";Actif;", ";Radié;")
    refused = alertes("membres", "importer", str(path), "--appliquer")
    assert refused.code == 1
    assert "12\u00a0adhésions sur 12 en cours" in refused.err
    wrong = ("--appliquer", "--adhesions-terminees", "3")
    assert alertes("membres", "importer", str(path), *wrong).code == 1
    members = json.loads(alertes("membres", "lister", "--json").out)["members"]
    assert sum(m["active"] for m in members) == 12
    agreed = ("--appliquer", "--adhesions-terminees", "12")
    assert alertes("membres", "importer", str(path), *agreed).code == 0
    members = json.loads(alertes("membres", "lister", "--json").out)["members"]
    assert sum(m["active"] for m in members) == 0


def test_an_import_is_undone_once_and_shown_first(alertes: Alertes) -> None:
    nothing = alertes("membres", "importer", str(ROSTER)), alertes("membres", "annuler-import")
    assert [said.code for said in nothing] == [0, 1]
    alertes("membres", "importer", str(ROSTER), "--appliquer")
    shown = alertes("membres", "annuler-import")
    assert (shown.code, "rien n’a été changé" in shown.out) == (0, True)
    assert len(json.loads(alertes("membres", "lister", "--json").out)["members"]) == 15
    done = alertes("membres", "annuler-import", "--appliquer", "--json")
    assert (done.code, json.loads(done.out)["kept"]) == (0, [])
    assert json.loads(alertes("membres", "lister", "--json").out)["members"] == []
    again = alertes("membres", "annuler-import", "--appliquer")
    assert (again.code, "est déjà annulé" in again.err) == (1, True)
    alertes("membres", "importer", str(ROSTER), "--appliquer")
    assert len(json.loads(alertes("membres", "lister", "--json").out)["members"]) == 15


@pytest.mark.parametrize("name", ["liste.csv", "liste.xlsx"])
def test_an_export_is_whole_its_readers_alone_and_imports_again(
    alertes: Alertes, name: str
) -> None:
    alertes("membres", "importer", str(ROSTER), "--appliquer")
    said = alertes("membres", "exporter", name, "--json")
    assert json.loads(said.out) == {"file": name, "lines": 16, "apart": 0}
    assert Path(name).stat().st_mode & 0o077 == 0
    again = json.loads(alertes("membres", "importer", name, "--json").out)
    assert (again["members"], again["contacts"], again["unchanged"]) == ([], [], 16)
    before = Path(name).read_bytes()
    assert alertes("membres", "exporter", name).code == 1
    assert Path(name).read_bytes() == before
    assert alertes("membres", "exporter", name, "--remplacer").code == 0


def test_an_export_of_another_type_is_wrong_usage(alertes: Alertes) -> None:
    alertes("membres", "importer", str(ROSTER), "--appliquer")
    said = alertes("membres", "exporter", "liste.pdf")
    assert (said.code, "doit finir par .csv ou .xlsx" in said.err) == (2, True)


@pytest.mark.parametrize("words", [["exporter", "d/l.csv"], ["modele", "d/m.xlsx"]])
def test_a_file_that_cannot_be_written_is_said(alertes: Alertes, words: list[str]) -> None:
    alertes("membres", "importer", str(ROSTER), "--appliquer")
    for folder in ("absent", "d"):
        # A file where the folder should be: no right helps, whoever runs the test.
        Path("d").write_text("") if folder == "d" else None
        said = alertes("membres", *words)
        assert (said.code, "ne peut pas être écrit" in said.err) == (1, True)


def test_a_folder_without_the_right_to_write_is_said(alertes: Alertes) -> None:
    alertes("membres", "importer", str(ROSTER), "--appliquer")
    Path("d").mkdir(mode=0o500)
    # Root may write anywhere, but nobody makes a file among the kernel's own.
    folder = Path("/sys") if os.geteuid() == 0 else Path("d")
    with pytest.raises(PermissionError):
        (folder / "l.csv").touch()
    before = list(folder.iterdir())
    said = alertes("membres", "exporter", str(folder / "l.csv"))
    assert (said.code, "ne peut pas être écrit" in said.err) == (1, True)
    assert list(folder.iterdir()) == before


def _filled(*lines: dict[str, object]) -> bytes:
    """The template with these lines, as a person chooses them."""
    workbook = openpyxl.load_workbook(io.BytesIO(document(CATALOGUE)))
    page = workbook["Membres"]
    headings = [cell.value for cell in page[1]]
    for number, line in enumerate(lines, start=2):
        for heading, value in line.items():
            page.cell(number, headings.index(heading) + 1, value)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


LINE = {
    "Entreprise": "Coop fictive du Modèle",
    "Statut": "Actif",
    "Début": date(2026, 1, 1),
    "Courriel": "anne@exemple.quebec",
    "Secteur 1": "Déneigement de bâtiments et de stationnements",
}


def test_a_filled_in_template_imports() -> None:
    full = LINE | {
        "Téléphone": "450 555-0101",
        "Fin": date(2026, 12, 31),
        "Contact": "Anne Fictive",
        "Secteur 3": "Espaces verts, horticulture et paysagement",
        "Fréquence": "dès la parution",
        "Territoire": "Mirabel|Argenteuil",
        "Base de consentement": "exprès",
        "Preuve": "Formulaire fictif 1",
        "Date de consentement": date(2026, 1, 2),
    }
    found = roster.read(_filled(full), CATALOGUE)
    assert found.refused == ()
    assert found.unknown_headings == ()
    (entry,) = found.entries
    assert entry.sectors == ("deneigement", "espaces-verts")
    assert (entry.membership.ends_on, entry.frequency) == (date(2026, 12, 31), "instant")
    assert (entry.territory, entry.consented_on) == (("Mirabel", "Argenteuil"), date(2026, 1, 2))


def test_each_choice_of_the_template_is_understood() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(document(CATALOGUE)))
    page = workbook["Membres"]
    lists = {
        str(page[str(rule.sqref).split(":")[0].replace("2", "1")].value): str(rule.formula1)
        for rule in page.data_validations.dataValidation
        if rule.type == "list"
    }
    assert set(lists) == {"Statut", "Fréquence", "Base de consentement"} | {
        f"Secteur {number}" for number in range(1, SECTORS + 1)
    }
    for heading, where in lists.items():
        place = where.partition("!")[2].replace("$", "")
        choices = [cell.value for (cell,) in workbook["Listes"][place]]
        assert len(choices) >= 3
        lines = [
            LINE | {"Entreprise": f"Coop {n}", "Courriel": f"n{n}@exemple.quebec", heading: choice}
            for n, choice in enumerate(choices)
        ]
        found = roster.read(_filled(*lines), CATALOGUE)
        assert (found.refused, len(found.entries)) == ((), len(choices))
    assert workbook["Listes"].sheet_state == "hidden"


def test_the_template_explains_every_column_in_french(alertes: Alertes) -> None:
    assert alertes("membres", "modele", "m.xlsx").code == 0
    guide = openpyxl.load_workbook("m.xlsx")["Mode d’emploi"]
    said = [row[0].value for row in guide.iter_rows(min_row=2) if row[0].value]
    assert said == list(COLUMNS.values())
    assert set(FREQUENCIES.values()) >= {"quotidien"}
    assert set(BASES.values()) >= {"exprès"}
    empty = alertes("membres", "importer", "m.xlsx")
    assert (empty.code, "aucun membre" in empty.err) == (1, True)


def test_a_formula_in_one_of_the_sector_columns_is_refused() -> None:
    found = roster.read(_filled(LINE | {"Secteur 2": "=A1"}), CATALOGUE)
    assert [(r.line, r.reason) for r in found.refused] == [(2, Fault.FORMULA)]


def test_one_enterprise_is_added_corrected_ended_and_reinstated(alertes: Alertes) -> None:
    steps = (
        ("ajouter", "Coop fictive", "--debut", "2025-01-01", "--telephone", "450 555-0101"),
        ("terminer", "coop", "--dernier-jour", "2026-03-31", "--motif", "départ"),
        ("retablir", "1", "--des", "2026-05-01", "--fin", "2099-12-31"),
        ("modifier", "Coop fictive", "--nom", "Coop fictive du Nord", "--fin", ""),
    )
    for words in steps:
        said = alertes("membres", *words)
        assert said.code == 0, said.err
    found = json.loads(alertes("membres", "voir", "nord", "--json").out)
    assert (found["name"], found["telephone"]) == ("Coop fictive du Nord", "450 555-0101")
    assert [(m["starts_at"][:10], (m["ends_at"] or "")[:10], m["known"])
            for m in found["memberships"]] == [
        ("2025-01-01", "", False),
        ("2025-01-01", "2026-04-01", True),
        ("2026-05-01", "2100-01-01", False),
        ("2026-05-01", "", True),
    ]  # fmt: skip
    assert "Ce qui était su avant" in alertes("membres", "voir", "nord").out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["ajouter", "Coop fictive"], 1, "a déjà ce nom"),
        (["ajouter", "🎉"], 2, "ni lettre ni chiffre"),
        (["ajouter", "Autre", "--debut", "05/11/2026"], 2, "n’est pas une date sûre"),
        (["ajouter", "Autre", "--debut", "2026-02-02", "--fin", "2026-02-01"], 1, "avant le début"),
        (["terminer", "personne"], 1, "Aucune entreprise ne répond"),
        (["terminer", "1", "--dernier-jour", "2001-01-01"], 1, "Aucune adhésion n’est en cours"),
        (["retablir", "1"], 1, "déjà en cours"),
        (["modifier", "1"], 2, "Indiquer ce qui change"),
        (["modifier", "1", "--fin", "2001-01-01"], 1, "avant le début"),
        (["voir", "1", "--su-le", "hier"], 2, "n’est pas une date sûre"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_said_in_french_and_changes_nothing(
    alertes: Alertes, words: list[str], code: int, told: str
) -> None:
    alertes("membres", "ajouter", "Coop fictive", "--debut", "2025-01-01")
    before = alertes("membres", "voir", "1", "--json").out
    said = alertes("membres", *words)
    assert (said.code, told in " ".join(said.err.split())) == (code, True), said.err
    known = json.loads(alertes("membres", "voir", "1", "--json").out)
    assert known["memberships"] == json.loads(before)["memberships"]
    assert len(json.loads(alertes("membres", "lister", "--json").out)["members"]) == 1


def test_a_terminal_is_asked_and_a_no_changes_nothing(tmp_path: Path) -> None:
    words = ["membres", "importer", str(ROSTER)]
    no = terminal.typed(words, {"Écrire oui": "non\n"}, tmp_path)
    assert (no.code, "rien n’a été changé" in no.text) == (0, True)
    url = f"sqlite:///{tmp_path}/a.sqlite3"
    assert _rows(url) == [0] * 5
    yes = terminal.typed(words, {"Écrire oui": "oui\n"}, tmp_path)
    assert (yes.code, "Fait\u00a0:" in yes.text) == (0, True)
    assert _rows(url) == [15, 15, 16, 16, 1]
    undo = terminal.typed(["membres", "annuler-import"], {"Écrire oui": "oui\n"}, tmp_path)
    assert (undo.code, "est annulé" in undo.text) == (0, True)


def test_a_terminal_without_colour_and_of_80_columns_shows_all(tmp_path: Path) -> None:
    words = ["membres", "importer", str(ROSTER), "--tout"]
    said = terminal.typed(words, {"Écrire oui": "non\n"}, tmp_path, TERM="dumb", NO_COLOR="1")
    assert "\x1b" not in said.raw
    tables = [line for line in said.text.split("\n") if line[:1] in set("│┃┏┡└├")]
    assert tables
    assert max(map(len, tables)) <= 80
    assert "odile@solidarite.exemple.quebec" in said.text
    assert "…" not in "".join(tables)


def _large(path: Path, lines: int) -> Path:
    text = ["Entreprise;Statut;Début;Contact;Courriel;Secteurs;Fréquence;Base de consentement"]
    label = CATALOGUE.sectors[0].label
    text += [
        f"Coop fictive {n // 2};Actif;2024-01-01;Personne fictive {n};"
        f"p{n}@c{n // 2}.exemple.quebec;{label};hebdomadaire;exprès"
        for n in range(lines)
    ]
    path.write_text("\n".join(text), "utf-8")
    return path


def test_a_break_in_the_middle_of_an_import_leaves_nothing_half_done(tmp_path: Path) -> None:
    """Ctrl-C while the transaction of the import has the database's lock."""
    path = _large(tmp_path / "grande.csv", 5000)
    url = f"sqlite:///{tmp_path}/a.sqlite3"
    terminal.typed(["membres", "lister"], {}, tmp_path)
    process = subprocess.Popen(  # noqa: S603, our own command
        [*terminal.COMMAND, "membres", "importer", str(path), "--appliquer"],
        cwd=tmp_path,
        env=terminal.environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    begun = time.monotonic()
    while not _locked(tmp_path) and process.poll() is None and time.monotonic() - begun < 120:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Abandonné. Ce qui n’était pas fini n’a pas été fait." in err.decode()
    assert _rows(url) == [0] * 5


def _locked(folder: Path) -> bool:
    """Whether somebody is writing to the database."""
    connection = sqlite3.connect(folder / "a.sqlite3", timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False


def test_a_list_of_thousands_shows_some_and_says_how_to_see_all(
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    alertes: Alertes,
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setattr("scripts.members.MOST_SHOWN", 2)
    with database.write() as session:
        for name in ("anne", "luc", "marie"):
            entitled(session, name)
    some, every = (alertes("membres", "lister", *more).out for more in ([], ["--tout"]))
    assert ("fictive luc" in some, "fictive marie" in some) == (True, False)
    assert "… et 1\u00a0autre entreprise. Tout voir\u00a0: ajouter --tout." in some
    assert "fictive marie" in every
    assert "Tout voir" not in every
    assert all("3\u00a0entreprises, dont 3\u00a0actives" in one for one in (some, every))
