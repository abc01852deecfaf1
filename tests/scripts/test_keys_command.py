"""`alertes cles`: a new key signs, an old one stays for 400 days, and none is ever shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from base.audit import Audit
from base.database import Database
from base.settings import Keys
from scripts.keys import fingerprint
from subscriptions.links import Links, Purpose
from tests.conftest import Said
from tests.coop import AT

OLD = "une-premiere-cle-d-essai-assez-longue"
SETTINGS = f"""# Les réglages
TENANT_NAME=Coop de l’été # un nom
# La clé :
LINK_KEYS={OLD}
SMTP_HOST=
"""
Run = Callable[..., Said]


@pytest.fixture
def run(alertes: Run, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATABASE_URL", database_url)
    Path(".env").write_text(SETTINGS, "utf-8")
    Path(".env").chmod(0o600)
    return alertes


def _keys() -> list[str]:
    return Keys.read().as_list()


def _since(database: Database, days: int) -> None:
    with database.write() as session:
        for one in session.scalars(select(Audit)):
            one.at -= timedelta(days=days)


def test_a_new_key_signs_and_old_links_go_on_working(run: Run) -> None:
    old = Links([OLD], "https://x.quebec").leave("0123456789abcdef", 1, AT)
    said = run("cles", "renouveler")

    assert said.code == 0
    first, second = _keys()
    assert first == OLD
    assert len(second) >= 43
    links = Links(_keys(), "https://x.quebec")
    assert links.read(Purpose.LEAVE, old.rpartition("/")[2], AT).version == 1
    new = links.leave("0123456789abcdef", 1, AT).rpartition("/")[2]
    assert Links([second], "").read(Purpose.LEAVE, new, AT).version == 1
    assert "doit y rester jusqu’au" in " ".join(said.out.split())
    assert second not in said.out + said.err


def test_only_that_line_of_the_file_changes_and_its_rights_stay(run: Run) -> None:
    run("cles", "renouveler")
    written = Path(".env").read_text("utf-8")
    assert re.sub(r"LINK_KEYS='(\S+) \S+'", r"LINK_KEYS=\1", written) == SETTINGS
    assert Path(".env").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in Path().iterdir() if path.name.startswith(".env")] == [".env"]


def test_an_old_key_stays_until_its_last_link_has_had_its_time(
    run: Run, database: Database
) -> None:
    run("cles", "renouveler")
    mark = fingerprint(OLD)
    early = run("cles", "retirer", mark)
    assert (early.code, len(_keys())) == (1, 2)
    assert "Il est trop tôt" in early.err
    _since(database, 399)
    assert run("cles", "retirer", mark).code == 1
    _since(database, 1)
    assert run("cles", "retirer", mark).code == 0
    assert OLD not in _keys()


def test_a_stolen_key_is_removed_at_once_and_a_key_of_unknown_age_is_not(run: Run) -> None:
    Path(".env").write_text(SETTINGS.replace(OLD, f"{'z' * 40} {OLD}"), "utf-8")
    assert run("cles", "retirer", fingerprint("z" * 40)).code == 1
    said = run("cles", "retirer", fingerprint("z" * 40), "--tout-de-suite")
    assert (said.code, _keys()) == (0, [OLD])
    assert "ne fonctionnent plus" in said.err


def test_the_key_that_signs_and_an_unknown_one_are_not_removed(run: Run) -> None:
    assert "signe les nouveaux liens" in run("cles", "retirer", fingerprint(OLD)).err
    assert "Aucune clé" in run("cles", "retirer", "0" * 8).err
    assert _keys() == [OLD]


def test_keys_that_the_environment_gives_are_not_written_to_the_file(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINK_KEYS", "y" * 40)
    assert "de l’environnement" in run("cles", "renouveler").err
    assert Path(".env").read_text("utf-8") == SETTINGS


def test_keys_are_shown_by_their_fingerprints_and_the_audit_says_who(
    run: Run, database: Database
) -> None:
    run("cles", "renouveler")
    said = run("cles", "voir")
    assert fingerprint(OLD) in said.out
    assert not any(key in said.out for key in _keys())
    with database.read() as session:
        (one,) = session.scalars(select(Audit))
    assert (one.action, one.subject) == ("cles renouveler", f"key:{fingerprint(OLD)}")
