"""`alertes envois`: hold, resume, and what is in quarantine; in French, and in the audit."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from alerts import editions, holds
from alerts.handing import Fault, Tally
from alerts.hold_tables import Hold
from alerts.tables import Letter, LetterState
from base.audit import Audit
from base.clock import utc_now
from base.database import Database
from scripts.__main__ import application
from scripts.concerns_words import SENTENCES
from scripts.stopped_words import stopped
from subscriptions.tables import Contact
from tests.coop import AT, entitled, tender
from tests.writers import desk


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path):  # noqa: ANN201
    settings = {
        "DATABASE_URL": database_url,
        "SMTP_HOST": "127.0.0.1",
        "AUTHOR_EMAIL": "alertes@exemple.quebec",
        "BOUNCE_EMAIL": "retours@exemple.quebec",
        "LIST_DOMAIN": "alertes.exemple.quebec",
        "JOURNAL_FILE": str(tmp_path / "journal"),
        "COLUMNS": "200",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(application("envois"), ["envois", *arguments])

    return invoke


def _flat(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def test_hold_and_resume_say_what_they_did_and_are_recorded(database: Database, run) -> None:  # noqa: ANN001
    first = run("retenir", "--motif", "fichier douteux")
    second = run("retenir")
    state = run("etat")
    resumed, again = run("reprendre"), run("reprendre")

    assert "Les envois sont retenus." in first.output
    assert "déjà retenus" in second.output
    assert "à la demande du personnel (fichier douteux)" in _flat(state.output)
    assert "Les envois reprennent." in resumed.output
    assert "n’étaient pas retenus" in again.output
    with database.read() as session:
        assert [one.lifted_at is None for one in session.scalars(select(Hold))] == [False]
        actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions == ["envois retenir"] * 2 + ["envois reprendre"] * 2


def _first_edition(database: Database, at: object) -> None:
    with database.write() as session:
        entitled(session, "anne")
        entitled(session, "luc")
        session.scalars(select(Contact)).first().address = "luc@\nexemple.quebec"  # type: ignore[union-attr]
        tender(session, closes_at=AT + timedelta(days=14))
        editions.open_due(session, AT)
    editions.write_open(database, desk(), at=AT)


def test_the_first_run_is_shown_and_resuming_settles_its_concern(
    database: Database,
    run,  # noqa: ANN001
) -> None:
    _first_edition(database, AT)
    assert "premier envoi, à vérifier" in _flat(run("etat").output)
    assert "premier envoi, à vérifier" in _flat(run("reprendre").output)
    with database.read() as session:
        assert not holds.is_held(session)


def test_quarantine_is_listed_and_a_letter_can_be_tried_again(database: Database, run) -> None:  # noqa: ANN001
    assert "Aucune lettre en quarantaine" in run("quarantaine").output
    _first_edition(database, AT)
    listed = _flat(run("quarantaine").output)
    with database.read() as session:
        number = session.scalars(
            select(Letter.id).where(Letter.state == LetterState.QUARANTINED)
        ).one()
    again, unknown = (
        run("quarantaine", "--reessayer", str(number)),
        run("quarantaine", "--reessayer", "999"),
    )
    assert "2026-W39" in listed
    assert "LetterUnwritable" in listed
    assert (again.exit_code, unknown.exit_code) == (0, 1)
    with database.read() as session:
        waiting = session.get_one(Letter, number)
        assert (waiting.attempts, waiting.expires_at > utc_now()) == (0, True)


def test_every_concern_of_handing_over_has_its_sentence(database_url: str) -> None:
    raised = {
        "hold first run", "hold brake", "hold policy", "quarantined", "left out",
        "relay refuses", "relay away",
    }  # fmt: skip
    assert raised <= SENTENCES.keys()


@pytest.mark.parametrize("fault", Fault)
def test_whatever_ends_a_run_early_is_said_in_french(fault: Fault) -> None:
    said = _flat(stopped(Tally(fault=fault, stopped="RelayUnreachable: 421 later")))
    assert said.startswith("Les envois")
    technical = "421 later" in said
    assert technical is (fault in {Fault.DATABASE, Fault.REFUSED, Fault.UNREACHABLE})
    assert stopped(Tally()) == ""
