"""`alertes`: exit codes, French on the right stream, JSON alone on standard output."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from base.database import Database
from tests.conftest import Said
from tests.packages import SEPTEMBER, package, release

Alertes = Callable[..., Said]
ROSTER = Path(__file__).parents[2] / "samples" / "roster" / "membres_fictifs.csv"
READ = ("sources", "lire", "--format", "seao", "--au", "2026-09-21", "--fichier")
KEYS = ["releases", "open", "new", "amended", "cancelled", "passed_over", "faults"]


def test_a_source_is_read_with_no_setting_at_all_into_a_new_database(alertes: Alertes) -> None:
    said = alertes(*READ, str(SEPTEMBER), "--json")
    counts = json.loads(said.out)
    assert said.code == 0
    assert [counts[key] for key in KEYS] == [23, 10, 10, 0, 0, 13, 0]
    assert Path("var/alertes.sqlite3").is_file()


def test_faults_are_said_on_standard_error_and_the_code_is_0(
    alertes: Alertes, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixte.json"
    mixed.write_bytes(package(release(), release(tender=...)))
    said = alertes(*READ, str(mixed), "--json")
    assert (said.code, json.loads(said.out)["faults"]) == (0, 1)
    assert "position 1" in said.err


def test_a_file_that_cannot_be_read_is_code_1_with_its_reason(
    alertes: Alertes, tmp_path: Path
) -> None:
    cut = tmp_path / "coupe.json"
    cut.write_bytes(SEPTEMBER.read_bytes()[:1000])
    said = alertes(*READ, str(cut), "--json")
    assert (said.code, json.loads(said.out)["new"]) == (1, 0)
    assert "coupe.json" in said.err
    missing = alertes(*READ, str(tmp_path / "absent.json"))
    assert missing.code == 1
    assert "n’existe pas" in missing.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sources", "lire", "--fichier", "x"], "--format"),
        (["sources", "lire", "--fichier", "x", "--format", "xml"], "n’est pas un format connu"),
        (["sources", "lire", "--au", "hier"], "n’est pas une date"),
        (["sources", "lire", "--jour", "hier"], "L’option --jour n’existe pas."),
        (["membres", "importer"], "Il manque FICHIER."),
        (["membres", "importer", "a", "b"], "De trop sur la ligne"),
        (["abonnement"], "La commande abonnement n’existe pas."),
        (["pages", "--port", "mille"], "Valeur incorrecte pour --port."),
        (["sources", "lire", "--au"], "L’option --au attend une valeur."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_usage_is_code_2_and_said_in_french(
    alertes: Alertes, words: list[str], told: str
) -> None:
    said = alertes(*words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert "--help" in said.err


@pytest.mark.parametrize(
    "words",
    [["--help"], ["sources", "--help"], ["sources", "lire", "--help"], ["envois", "--help"]],
    ids=" ".join,
)
def test_help_is_in_french(alertes: Alertes, words: list[str]) -> None:
    said = alertes(*words)
    assert said.code == 0
    assert "Montrer cette aide." in said.out
    assert not any(word in said.out for word in ("Show this", "Commands", "[OPTIONAL]", "required"))


def test_sending_never_creates_a_database(
    alertes: Alertes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _settings(monkeypatch)
    said = alertes("envois", "envoyer")
    assert said.code == 1
    assert "alertes base creer" in said.err
    assert not Path("var/alertes.sqlite3").exists()


def test_sending_names_every_missing_variable(alertes: Alertes) -> None:
    said = alertes("envois", "envoyer")
    assert said.code == 1
    for name in ("SMTP_HOST", "AUTHOR_EMAIL", "BOUNCE_EMAIL", "LIST_DOMAIN", ".env"):
        assert name in said.err


def test_sending_without_a_postal_address_is_refused(
    alertes: Alertes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _settings(monkeypatch)
    monkeypatch.delenv("POSTAL_ADDRESS")
    alertes("base", "creer")
    said = alertes("envois", "envoyer")
    assert said.code == 1
    assert "POSTAL_ADDRESS" in said.err


def test_an_older_database_is_refused_with_the_command_to_run(alertes: Alertes) -> None:
    alertes("base", "creer")
    with sqlite3.connect("var/alertes.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    said = alertes("membres", "lister")
    assert said.code == 1
    assert "alertes base mettre-a-niveau" in said.err


def test_an_import_is_a_rehearsal_until_it_is_applied(alertes: Alertes) -> None:
    rehearsed = alertes("membres", "importer", str(ROSTER))
    assert (rehearsed.code, "rien n’a été changé" in rehearsed.out) == (0, True)
    assert json.loads(alertes("membres", "lister", "--json").out)["members"] == []

    applied = alertes("membres", "importer", str(ROSTER), "--appliquer")
    assert applied.code == 0
    listed = json.loads(alertes("membres", "lister", "--json").out)["members"]
    assert len(listed) == 15
    again = alertes("membres", "importer", str(ROSTER), "--appliquer")
    assert "Rien à changer" in again.out


def test_a_wrong_line_is_told_with_its_number_and_the_good_ones_go_in(
    alertes: Alertes, tmp_path: Path
) -> None:
    lines = ROSTER.read_bytes().decode("cp1252").splitlines()
    lines[2] = lines[2].replace("bruno@transport", "bruno à transport")
    wrong = tmp_path / "membres.csv"
    wrong.write_bytes("\r\n".join(lines).encode("cp1252"))
    said = alertes("membres", "importer", str(wrong), "--appliquer")
    assert said.code == 0
    assert "│ 3     │ Courriel" in said.out
    members = json.loads(alertes("membres", "lister", "--json").out)["members"]
    assert sum(len(member["contacts"]) for member in members) == 15


def test_holding_and_resuming_are_said_and_can_be_done_twice(
    alertes: Alertes, monkeypatch: pytest.MonkeyPatch, database: Database, database_url: str
) -> None:
    _settings(monkeypatch)
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert "sont retenus" in alertes("envois", "retenir", "--motif", "essai").out
    assert "déjà retenus" in alertes("envois", "retenir").out
    assert json.loads(alertes("envois", "etat", "--json").out)["retenues"] == ["staff"]
    assert "reprennent" in alertes("envois", "reprendre").out
    assert "n’étaient pas retenus" in alertes("envois", "reprendre").out


def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of a co-op that sends to nobody."""
    for name, value in {
        "TENANT_NAME": "Coop fictive",
        "POSTAL_ADDRESS": "1, rue Fictive",
        "CONTACT_EMAIL": "bonjour@exemple.quebec",
        "PRIVACY_OFFICER": "Responsable fictive",
        "PUBLIC_URL": "https://alertes.exemple.quebec",
        "LINK_KEYS": "une-cle-d-essai-assez-longue-pour-signer",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "9",
        "SMTP_TLS": "none",
        "AUTHOR_EMAIL": "alertes@exemple.quebec",
        "BOUNCE_EMAIL": "retours@exemple.quebec",
        "LIST_DOMAIN": "exemple.quebec",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("variables", "words", "told"),
    [
        ({"DATABASE_URL": "ici"}, ["membres", "lister"], "sqlite:///"),
        (
            {"DATABASE_URL": "sqlite:///autre.txt"},
            ["membres", "lister"],
            "ne peut pas être ouverte",
        ),
        ({"DATABASE_URL": "sqlite:///."}, ["base", "creer"], "ne peut pas être ouverte"),
        (
            {"DATABASE_URL": "postgresql+psycopg://u:secret@127.0.0.1:1/x"},
            ["base", "creer"],
            "ne peut pas être ouverte",
        ),
    ],
)
def test_a_database_that_cannot_be_opened_is_said_with_what_to_do(
    alertes: Alertes,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    words: list[str],
    told: str,
) -> None:
    Path("autre.txt").write_text("Ceci n’est pas une base de données. " * 40, "utf-8")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = alertes(*words)
    assert (said.code, said.out) == (1, "")
    assert told in " ".join(said.err.split())
    assert "secret" not in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("address", ["https://", "http://127.0.0.1.exemple.quebec", "ftp://x"])
def test_an_address_of_the_pages_that_names_no_safe_server_is_refused(
    alertes: Alertes, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    alertes("base", "creer")
    monkeypatch.setenv("PUBLIC_URL", address)
    for name in ("TENANT_NAME", "POSTAL_ADDRESS", "CONTACT_EMAIL", "PRIVACY_OFFICER"):
        monkeypatch.setenv(name, "Fictif")
    said = alertes("pages")
    assert said.code == 1
    assert "Réglage incorrect\u00a0: PUBLIC_URL" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pause", "anne", "--jusqu-au", "demain"], "--jusqu-au"),
        (["modifier", "anne", "--jours-restants", "99"], "Il faut un nombre de 0 à 60."),
    ],
)
def test_a_wrong_value_is_told_with_its_option_and_what_is_expected(
    alertes: Alertes, words: list[str], told: str
) -> None:
    alertes("membres", "importer", str(ROSTER), "--appliquer", "--au", "2026-09-01")
    said = alertes("abonnements", *words)
    assert said.code == 2
    assert told in said.err


@pytest.mark.parametrize("answer", ["\n", "non\n", ""], ids=["enter", "no", "end of input"])
def test_nobody_is_unsubscribed_by_staff_without_a_yes(
    alertes: Alertes, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    alertes("membres", "importer", str(ROSTER), "--appliquer", "--au", "2026-09-01")
    said = alertes("abonnements", "desabonner", "anne@deneigement.exemple.quebec")
    assert said.code == 1
    assert "y/N" not in said.err
    assert "Abandonné" in said.err
    shown = alertes("abonnements", "voir", "anne@deneigement.exemple.quebec")
    assert "en cours" in shown.out
    assert "adhésion, depuis" in shown.out
