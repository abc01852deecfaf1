"""`alertes envois retours` and `a-appeler` say in French what came back and whom to call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from base.clock import utc_now
from base.database import Database
from scripts.__main__ import application
from subscriptions.tables import Member
from tests.returned import DAY, about, accepted, message, reception_in

SETTINGS = {
    "TENANT_NAME": "Coop fictive",
    "POSTAL_ADDRESS": "1, rue Fictive, Mont-Laurier (Québec) J9L 0A0",
    "CONTACT_EMAIL": "info@exemple.quebec",
    "PRIVACY_OFFICER": "Responsable fictive, info@exemple.quebec",
    "PUBLIC_URL": "https://alertes.exemple.quebec",
    "LINK_KEYS": "clé-d-essai-" + "k" * 32,
    "SMTP_HOST": "127.0.0.1",
    "SMTP_TLS": "none",
    "AUTHOR_EMAIL": "alertes@exemple.quebec",
    "BOUNCE_EMAIL": "retours@exemple.quebec",
    "LIST_DOMAIN": "alertes.exemple.quebec",
}


@pytest.fixture
def maildir(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Maildir of settings that are complete."""
    folder = tmp_path / "retours"
    reception_in(folder)
    named = {"DATABASE_URL": database_url, "BOUNCE_MAILBOX": f"maildir:{folder}"}
    for name, value in (SETTINGS | named).items():
        monkeypatch.setenv(name, value)
    return folder


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(application("envois"), ["envois", *words])
    return result.exit_code, result.output


def test_reading_now_counts_what_came_and_the_sheet_tells_whom_to_call(
    database: Database, maildir: Path
) -> None:
    at = utc_now()
    with database.write() as session:
        letters = [accepted(session, label=f"W{n}", at=at - n * DAY) for n in range(2)]
        session.execute(update(Member).values(telephone="450 555-0100"))
    for one in letters:
        (maildir / "new" / f"{one.id}.a").write_bytes(about("ecrits/gmail", one))
    (maildir / "new" / "9.b").write_bytes(message("ecrits/pourriel"))

    assert run("retours") == (0, "2\u00a0adresses inexistantes\n1\u00a0message à lire\n")
    assert run("retours") == (0, "Rien de nouveau dans la boîte des retours.\n")
    code, sheet = run("a-appeler")
    assert code == 0
    assert "Coop fictive anne, Personne fictive anne\u00a0: 450 555-0100" in sheet
    assert "anne@exemple.quebec ne reçoit plus depuis le" in sheet
    assert "(code 5.1.1)" in sheet
    assert sheet.count("Déneigement des stationnements (Municipalité fictive)") == 2
    (call,) = json.loads(run("a-appeler", "--json")[1])["a_appeler"]
    assert (call["telephone"], len(call["missed"])) == ("450 555-0100", 2)
    assert "Offre à ne pas manquer" in run("retours", "--a-lire")[1]


def test_without_anything_it_says_so(database: Database, maildir: Path) -> None:
    assert run("retours", "--json") == (0, '{\n  "retours": {}\n}\n')
    assert run("a-appeler") == (0, "Personne à appeler.\n")
    assert run("retours", "--a-lire") == (0, "Rien à lire.\n")


@pytest.mark.parametrize("named", ["", "maildir:/nulle/part"], ids=["unset", "absent"])
def test_without_a_mailbox_it_says_what_to_fill_in(
    database: Database, maildir: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("BOUNCE_MAILBOX", named)
    code, said = run("retours")
    assert code == 1
    assert "boîte des retours" in said
