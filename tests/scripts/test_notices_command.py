"""`alertes avis` and `alertes sources`: what staff type, what they read, what stays unsaid."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Said
from tests.packages import SAMPLES

Alertes = Callable[..., Said]
ADD = (
    "avis", "ajouter", "--titre", "Tonte secrète des parcs", "--organisme", "Ville fictive",
    "--numero", "INV-7",
)  # fmt: skip


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan de la tonte secrète.pdf"
    path.write_bytes(b"%PDF-1.7 plan")
    return path


def test_an_invitation_is_added_shown_changed_and_cancelled(
    alertes: Alertes, plan: Path, tmp_path: Path
) -> None:
    added = alertes(*ADD, "--limite", "2099-12-04 11:00", "--document", str(plan))
    assert (added.code, "ajoutée" in added.out) == (0, True)
    listed = alertes("avis", "liste")
    assert "INV-7" in listed.out
    assert plan.name in listed.out
    assert "modifiée" in alertes(*ADD, "--limite", "2099-12-11 11:00").out
    written = alertes("avis", "documents", "INV-7", "--dans", str(tmp_path / "sortie"))
    assert "1" in written.out
    assert (tmp_path / "sortie" / plan.name).read_bytes() == b"%PDF-1.7 plan"
    assert "annulée" in alertes("avis", "annuler", "INV-7").out
    assert alertes("avis", "annuler", "INV-7").code == 1
    assert "Aucune" in alertes("avis", "liste").out


def test_a_title_is_only_a_title(alertes: Alertes) -> None:
    titled = [word.replace("Tonte", "[/b] [red]Tonte") for word in ADD]
    assert alertes(*titled, "--limite", "2099-12-04 11:00").code == 0
    listed = alertes("avis", "liste")
    assert (listed.code, "[/b]" in listed.out, "[red]" in listed.out) == (0, True, True)


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--limite", "demain"), 1, "date"),
        ((), 2, "--limite"),
        (("--limite", "2099-12-04 11:00", "--document", "absent.pdf"), 1, "absent.pdf"),
    ],
    ids=["no date", "nothing", "no document"],
)
def test_what_lacks_is_said_and_nothing_is_added(
    alertes: Alertes, more: tuple[str, ...], code: int, said: str
) -> None:
    found = alertes(*ADD, *more)
    assert found.code == code
    assert said in found.err
    assert "INV-7" not in alertes("sources", "--json").out
    assert "Traceback" not in found.err


def test_a_program_is_not_kept_as_a_document(alertes: Alertes, tmp_path: Path) -> None:
    program = tmp_path / "plan.exe"
    program.write_bytes(b"MZ")
    found = alertes(*ADD, "--limite", "2099-12-04 11:00", "--document", str(program))
    assert found.code == 1
    assert "n’est pas gardé" in found.err


def test_no_log_names_a_reserved_invitation(
    alertes: Alertes, plan: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alertes(*ADD, "--limite", "2099-12-04 11:00", "--document", str(plan))
    alertes("avis", "annuler", "INV-7")
    assert "secrète" not in caplog.text


def test_every_format_of_the_samples_is_read_by_hand(alertes: Alertes) -> None:
    said = alertes(
        "sources", "lire", "--fichier", str(SAMPLES), "--format", "seao", "--au", "2026-09-21"
    )
    assert said.code == 0
    listed = json.loads(alertes("sources", "--json").out)["sources"]
    assert [one["key"] for one in listed] == ["seao", "canadabuys"]
    assert listed[0]["counts"]["new"] == 10


def test_sources_shows_each_source_and_replay_finds_nothing_more(alertes: Alertes) -> None:
    alertes("sources", "lire", "--fichier", str(SAMPLES), "--format", "seao", "--au", "2026-09-21")
    shown = alertes("sources")
    assert "Secrétariat du Conseil du trésor" in shown.out
    again = json.loads(alertes("sources", "rejouer", "--json").out)
    assert (again["documents"], again["new"], again["amended"]) == (2, 0, 0)
    assert alertes("sources", "accepter", "seao").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("lire", "inconnue"),
        ("lire", "invitations"),
        ("lire", "--format", "seao"),
        ("lire", "--fichier", "f.json"),
        ("rejouer", "inconnue"),
        ("accepter", "inconnue"),
    ],
)
def test_wrong_words_are_wrong_usage(alertes: Alertes, words: tuple[str, ...]) -> None:
    assert alertes("sources", *words).code == 2


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--limite", "2020-12-04 11:00"], 1, "la date limite est déjà passée"),
        (["--limite", "2099-12-04 11:00", "--categorie", "truc"], 2, "--categorie"),
        (["--limite", "2099-12-04 11:00", "--lien", "nulle part"], 2, "--lien"),
        (["--limite", "2099-12-04 11:00", "--document", "absent.pdf"], 1, "absent.pdf"),
    ],
    ids=["closed", "category", "link", "document"],
)
def test_a_wrong_invitation_adds_nothing_and_says_what_is_wrong(
    alertes: Alertes, words: list[str], code: int, told: str
) -> None:
    alertes("base", "creer")
    said = alertes(*ADD, *words)
    assert (said.code, said.out) == (code, "")
    assert told in said.err
    assert "Aucune invitation" in alertes("avis", "liste").out


def test_a_title_in_brackets_is_shown_whole(alertes: Alertes) -> None:
    title = "Tonte [lot 2]"
    alertes("avis", "ajouter", "--titre", title, "--organisme", "V", "--limite", "2099-12-04 11:00")
    assert title in alertes("avis", "liste").out


def test_documents_of_nothing_or_into_a_file_are_code_1(alertes: Alertes, tmp_path: Path) -> None:
    alertes(*ADD, "--limite", "2099-12-04 11:00")
    occupied = tmp_path / "occupé"
    occupied.write_text("un fichier", "utf-8")
    into_a_file = alertes("avis", "documents", "INV-7", "--dans", str(occupied))
    unknown = alertes("avis", "documents", "INV-8", "--dans", str(tmp_path / "sortie"))
    assert (into_a_file.code, unknown.code) == (1, 1)
    assert "ne peut pas être écrit" in into_a_file.err
    assert "Aucune invitation" in unknown.err
    assert not (tmp_path / "sortie").exists()
