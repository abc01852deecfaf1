"""The reports: one file each, whose figures are the database's, and a proof that can be checked."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from alerts.tables import Letter
from base.database import Database
from scripts import reports_charts as charts
from scripts import reports_page as pages
from sources.tables import Revision
from subscriptions.tables import Contact, Member, Membership
from tests.browser import chromium, needs_chromium, violations
from tests.conftest import Said
from tests.told_story import HANDED, NUMBER, letters, live, member, of

FOLDER = Path("var/rapports")
WEEK_OF = ("--du", "2026-09-21", "--au", "2026-09-27")


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
    with database.write() as session:
        session.execute(
            update(Revision).values(municipality="Saint-Jérôme", mrc="La Rivière-du-Nord")
        )
    return alertes


def _page(name: str) -> str:
    return (FOLDER / f"{name}.html").read_text("utf-8")


def _flat(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).replace("\u00a0", " ").split())


REPORTS = {
    "semaine-2026-S39": ("semaine", "--au", "2026-09-22"),
    f"preuve-{NUMBER}": ("preuve", NUMBER),
    "preuve-2026-09-21-2026-09-27": ("preuve", *WEEK_OF),
    "delais-2026-09-21-2026-09-27": ("delais", "--depuis", "2026-09-21", "--jusqua", "2026-09-27"),
    "secteurs-2026-09-21-2026-09-27": ("secteurs", *WEEK_OF),
    "sans-avis-2026-09-30": ("sans-avis", "--au", "2026-09-30"),
    "sources-2026-09-30": ("sources", "--au", "2026-09-30"),
    "municipalite-saint-jerome-2026-09-21-2026-09-27": ("municipalite", "saint jerome", *WEEK_OF),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_one_file_that_asks_for_no_other(said: Callable[..., Said], name: str) -> None:
    told = said("rapport", *REPORTS[name], "--classeur")
    assert (told.code, told.err.replace("Classement des avis…", "").strip()) == (0, "")
    assert f"{FOLDER / name}.html" in told.out
    page = _page(name)
    for asked in re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)|url\(([^)]*)\)""", page):
        assert re.match(r"#|data:text/csv", "".join(asked)), asked
    assert "<script" not in page
    assert (FOLDER / f"{name}.html").stat().st_mode & 0o077 == 0
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    book = load_workbook(FOLDER / f"{name}.xlsx")
    assert all(sheet.max_row > 1 for sheet in book.worksheets)


@pytest.mark.browser
def test_every_report_opens_without_a_request_is_accessible_and_prints(
    said: Callable[..., Said],
) -> None:
    needs_chromium()
    for words in REPORTS.values():
        assert said("rapport", *words).code == 0
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 1200})
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        for name in REPORTS:
            page.goto((FOLDER / f"{name}.html").resolve().as_uri())
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.pdf(format="Letter").startswith(b"%PDF")
        assert [url for url in requests if not url.startswith("file:")] == []


def test_the_print_on_the_page_is_that_of_the_lines_and_of_the_database(
    said: Callable[..., Said], database: Database
) -> None:
    made = json.loads(said("rapport", "preuve", NUMBER, "--json").out)
    lines = (FOLDER / f"preuve-{NUMBER}.csv").read_bytes()
    assert made["sha256"] == hashlib.sha256(lines).hexdigest()
    assert made["sha256"] in _page(f"preuve-{NUMBER}")
    assert (made["letters"], made["outside"], made["members"]) == (3, 0, 2)
    same = said("rapport", "preuve", NUMBER, "--verifier", made["sha256"])
    assert (same.code, "Les lignes sont les mêmes" in same.out) == (0, True)
    with database.write() as session:
        (anne,) = letters(database, "anne")
        session.execute(update(Letter).where(Letter.id == anne.id).values(reply="250 autre"))
    changed = said("rapport", "preuve", NUMBER, "--verifier", made["sha256"])
    assert (changed.code, "ne sont plus les mêmes" in changed.err) == (1, True)


def test_each_line_of_the_proof_has_who_what_when_and_by_what_right(
    said: Callable[..., Said], database: Database
) -> None:
    said("rapport", "preuve", NUMBER)
    page = _flat(_page(f"preuve-{NUMBER}"))
    (anne,) = letters(database, "anne")
    assert f"{member(database, 'anne').name} {of(database, 'anne').name}" in page
    assert "250 2.0.0 Ok: anne" in page
    assert "2026-09-21 6 h 01 min 00 s" in page
    assert f"n o {anne.membership_id}, inscrite le 2025-08-17" in page
    assert "1 lettre est incertaine" in page
    assert "SELECT count(letter.id)" in page


def test_a_letter_outside_is_a_figure_of_the_proof_and_its_exit_code(
    said: Callable[..., Said], database: Database
) -> None:
    with database.write() as session:
        mine = Membership.member_id == member(database, "anne").id
        session.execute(update(Membership).where(mine).values(ends_at=HANDED))
    for words, name in ((NUMBER,), f"preuve-{NUMBER}"), (WEEK_OF, "preuve-2026-09-21-2026-09-27"):
        told = said("rapport", "preuve", *words)
        assert told.code == 1
        assert "hors d’une adhésion\u00a0: 1." in told.out
        assert "1 lettre est partie hors d’une adhésion active" in _flat(_page(name))
        assert "Réponse : 1." in _flat(_page(name))
    assert "Parties hors d’une adhésion" in said("rapport", "semaine", "--au", "2026-09-22").out


def test_a_proof_without_names_names_nobody(said: Callable[..., Said], database: Database) -> None:
    said("rapport", "preuve", NUMBER, "--sans-noms", "--classeur")
    files = [FOLDER / f"preuve-{NUMBER}.{kind}" for kind in ("html", "csv")]
    content = "".join(path.read_text("utf-8") for path in files)
    book = load_workbook(FOLDER / f"preuve-{NUMBER}.xlsx").worksheets[0]
    content += " ".join(str(cell) for row in book.iter_rows(values_only=True) for cell in row)
    with database.read() as session:
        names = [*session.scalars(select(Contact.name)), *session.scalars(select(Contact.address))]
        names += session.scalars(select(Member.name))
    assert [name for name in names if name in content] == []


def test_the_week_says_what_left_what_did_not_and_why(said: Callable[..., Said]) -> None:
    made = json.loads(said("rapport", "semaine", "--au", "2026-09-22", "--json").out)
    weekly = next(run for run in made["runs"] if run["stream"] == "weekly")
    assert weekly["states"] == {"accepted": 1, "unknown": 1, "withdrawn": 1}
    assert weekly["omitted"] == {"nothing": 1}
    assert (made["notices_told"], made["median_days_left"], made["outside"]) == (1, 19, 0)
    page = _flat(_page("semaine-2026-S39"))
    assert "2026-W39 hebdomadaire 3 1 0 0 1 1 0 1" in page
    assert "aucun nouvel avis dans ses secteurs 1" in page


def test_sectors_and_places_count_the_calls_and_whom_they_reached(
    said: Callable[..., Said],
) -> None:
    made = json.loads(said("rapport", "secteurs", *WEEK_OF, "--json").out)
    assert made["by_sector"] == {"deneigement": 1}
    assert made["by_mrc"] == {"La Rivière-du-Nord": 1}
    assert (made["calls"], made["untold"]) == (1, 0)
    elsewhere = said("rapport", "secteurs", *WEEK_OF, "--region", "abitibi témiscamingue", "--json")
    assert json.loads(elsewhere.out)["calls"] == 0
    assert said("rapport", "secteurs", "--region", "Atlantide").code == 2


def test_members_without_a_letter_are_there_with_the_reason(said: Callable[..., Said]) -> None:
    told = said("rapport", "sans-avis", "--au", "2026-09-30", "--json")
    (paul,) = json.loads(told.out)["members"]
    assert (paul["member"], paul["why"], paul["last_at"]) == ("Coop fictive paul", None, None)
    assert "aucun avis dans ses choix" in _flat(_page("sans-avis-2026-09-30"))


def test_a_municipality_learns_how_many_and_never_who(
    said: Callable[..., Said], database: Database
) -> None:
    told = said("rapport", "municipalite", "Saint-Jérôme", *WEEK_OF, "--classeur")
    assert "moins de 5" in told.out
    page = _page("municipalite-saint-jerome-2026-09-21-2026-09-27")
    assert "moins de 5" in page
    assert "Déneigement des stationnements" in page
    with database.read() as session:
        names = [*session.scalars(select(Member.name)), *session.scalars(select(Contact.name))]
    assert [name for name in names if name in page] == []
    unknown = said("rapport", "municipalite", "Atlantis")
    assert (unknown.code, unknown.out) == (1, "")


def test_days_reversed_or_none_are_wrong_usage(said: Callable[..., Said]) -> None:
    reversed_days = said("rapport", "preuve", "--du", "2026-09-27", "--au", "2026-09-21")
    assert (reversed_days.code, "vient après" in reversed_days.err) == (2, True)
    assert said("rapport", "preuve", "--du", "hier").code == 2


def test_a_folder_that_cannot_be_written_is_said(said: Callable[..., Said]) -> None:
    Path("var").write_text("un fichier")
    told = said("rapport", "preuve", NUMBER)
    assert (told.code, "ne peut pas être écrit" in told.err) == (1, True)


@pytest.mark.parametrize("hostile", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", " =1", "\t=1", "\r=1"])
def test_no_cell_is_ever_a_formula(hostile: str) -> None:
    assert pages.safe(hostile).startswith("'")
    book = load_workbook(io.BytesIO(pages.workbook({"Essai": (["A"], [[hostile]])})))
    cell = book.worksheets[0]["A2"]
    assert cell.data_type == "s"


def test_a_chart_says_in_words_what_it_shows_and_escapes_what_it_is_given() -> None:
    drawn = charts.bars("a", [("<b>Deux</b> à 5 $ & 6 $", 12500), ("Un", 0)], alt='"Avis" <tous>')
    assert 'role="img" aria-label="&quot;Avis&quot; &lt;tous&gt;"' in drawn
    assert "&lt;b&gt;Deux&lt;/b&gt; à 5 $ &amp; 6 $" in drawn
    assert "12\u00a0500" in drawn
    assert "<metadata" not in drawn
    assert charts.bars("a", [], alt="") == ""


def test_columns_beyond_what_can_be_told_apart_are_put_together() -> None:
    many = {f"source {n}": [n, 1] for n in range(1, 8)}
    drawn = charts.columns("a", ["x", "y"], many, alt="tout")
    assert "autres" in drawn
    assert ("source 7" in drawn, "source 1" in drawn) == (True, False)
    assert ">28<" in drawn
    assert charts.columns("a", ["x"], {"rien": [0]}, alt="") == ""
