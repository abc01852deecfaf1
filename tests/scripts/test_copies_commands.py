"""`alertes sauvegarder`, `restaurer` and `base`: safe by default, and in French."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts import holds
from base import heartbeat
from base.clock import utc_now
from base.database import Database, head, history, revision
from subscriptions.tables import Contact
from tests.conftest import Said
from tests.coop import entitled
from tests.pgtools import tools

Run = Callable[..., Said]


@pytest.fixture
def run(alertes: Run, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    tools(monkeypatch)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    return alertes


def _flat(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def _copy(run: Run) -> str:
    assert run("sauvegarder", "copies").code == 0
    return str(max(Path("copies").iterdir()))


def _is_held(database: Database) -> bool:
    with database.read() as session:
        return holds.is_held(session)


def test_restoring_asks_first_then_keeps_what_it_replaces_and_holds(
    run: Run, database: Database
) -> None:
    with database.write() as session:
        entitled(session, "anne")
    copy = _copy(run)

    shown = run("restaurer", copy)
    assert (shown.code, _is_held(database)) == (0, False)
    assert "ajouter --appliquer" in _flat(shown.out)

    with database.write() as session:
        entitled(session, "luc")
    said = run("restaurer", copy, "--appliquer")
    assert (said.code, _is_held(database)) == (0, True), said.err
    assert "Les envois sont retenus" in said.out
    (aside,) = Path("copies").glob("avant-restauration-*")
    assert run("restaurer", str(aside), "--appliquer").code == 0
    with database.read() as session:
        assert len(session.scalars(select(Contact.id)).all()) == 2


def test_a_service_at_work_is_stopped_first(run: Run, database: Database) -> None:
    copy = _copy(run)
    with database.write() as session:
        heartbeat.beat(session, "service", at=utc_now())
    for words in (("restaurer", copy, "--appliquer"), ("base", "revenir", "0011", "--copie", "c")):
        said = run(*words)
        assert (said.code, "Le service est en marche" in said.err) == (1, True)
    assert not _is_held(database)


def test_the_schema_goes_back_and_forth_each_time_after_a_copy(
    run: Run, database_url: str, database: Database
) -> None:
    database.dispose()
    assert f"Programme : {head()}" in _flat(run("base", "etat").out)
    assert run("base", "revenir", "0011", "--copie", "avant").code == 0
    assert revision(database_url) == "0011"
    state = run("base", "etat")
    assert (state.code, "alertes base mettre-a-niveau" in state.err) == (1, True)
    assert run("base", "mettre-a-niveau", "--copie", "avant").code == 0
    assert revision(database_url) == head()
    assert len(list(Path("avant").iterdir())) == 2


@pytest.mark.parametrize("to", ["9999", "base", ""])
def test_a_version_that_is_not_older_is_refused(run: Run, database_url: str, to: str) -> None:
    said = run("base", "revenir", to or history()[-1], "--copie", "avant")
    assert (said.code, "n’est pas plus ancienne" in said.err) == (1, True)
    assert revision(database_url) == head()
    assert not Path("avant").exists()


def test_what_is_no_copy_is_said_in_french(run: Run) -> None:
    Path("liste.csv").write_text("Nom;Courriel\n")
    said = run("restaurer", "liste.csv")
    assert (said.code, "n’est pas une copie" in _flat(said.err)) == (1, True)
    assert run("restaurer", "absente").code == 1


def test_old_copies_go_when_asked(run: Run) -> None:
    Path("copies").mkdir()
    for day in "123":
        Path(f"copies/alertes-2026010{day}T000000Z.sqlite3").write_text("x")
    said = run("sauvegarder", "copies", "--garder", "2")
    assert (said.code, len(list(Path("copies").iterdir()))) == (0, 2)
    assert "copies anciennes effacées" in _flat(said.out)
