"""`alertes personne`: what the law asks for one person is one command each, in French."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from alerts import persons
from alerts.access import plain
from alerts.tables import Letter, LetterState
from base.audit import Audit
from base.clock import utc_now
from base.database import Base, Database
from base.inventory import Tie, inventory, kept_in
from subscriptions import wishes
from subscriptions.tables import Consent, Contact, Membership
from tests import coop
from tests.conftest import Said
from tests.everything import fill

Alertes = Callable[..., Said]


@pytest.fixture(autouse=True)
def _settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def accepted(database: Database) -> int:
    """A contact with an accepted letter, and one that was withdrawn."""
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        (membership,) = session.scalars(select(Membership))
        letter = coop.letter(session, contact)
        letter.state, letter.reply = LetterState.ACCEPTED, "250 2.0.0 Ok"
        letter.in_doubt_at = letter.settled_at = coop.AT
        letter.membership_id = membership.id
        coop.letter(session, contact, "2026-W40").state = LetterState.WITHDRAWN
        return contact.id


def test_the_access_export_has_every_table_in_json_csv_and_french(
    database: Database, alertes: Alertes, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    with database.write() as session:
        made = fill(session, "anne@ex.ca", "Anne Fictive")
        fill(session, "zoe@ex.ca", "Zoé Fictive")
    said = alertes("personne", "acces", str(made.ids["contact"]), "--dossier", "anne")
    assert said.code == 0
    folder = tmp_path / "anne"
    answer = json.loads((folder / "renseignements.json").read_text("utf-8"))["tables"]
    page = (folder / "renseignements.html").read_text("utf-8")
    personal = [one.table for one in inventory() if one.tie is not Tie.NONE]
    assert sorted(answer) == sorted(personal)
    with database.read() as session:
        for name in personal:
            table = Base.metadata.tables[name]
            ours = session.execute(select(table).where(table.c.id == made.ids[name])).mappings()
            row = {column: plain(value) for column, value in ours.one().items()}
            if name == "message":
                row["content"] = f"lettres/lettre-{made.ids['letter']}.eml"
            assert row in answer[name]["lignes"], name
            content = (folder / "csv" / f"{name}.csv").read_text("utf-8-sig")
            head, *lines = csv.reader(io.StringIO(content))
            assert head == list(table.c.keys())
            assert str(made.ids[name]) in [line[0] for line in lines]
            kept = kept_in(name)
            assert f"<h2>{kept.title}</h2>" in page
            assert all(f"<dt>{label}</dt>" in page for label in kept.personal.values()), name
    assert "zoe@ex.ca" not in page + json.dumps(answer)
    assert b"anne@ex.ca" in (folder / f"lettres/lettre-{made.ids['letter']}.eml").read_bytes()
    whole = [f"{len(answer)} of {len(personal)} tables", f"{len(persons.tables())} in the schema"]
    record_property("measured", f"access export: {', '.join(whole)}")


def test_the_export_is_for_its_owner_s_eyes_and_overwrites_nothing(
    database: Database, alertes: Alertes, tmp_path: Path
) -> None:
    number = str(accepted(database))
    assert alertes("personne", "acces", number).code == 0
    folder = tmp_path / f"acces-{number}"
    assert {p.stat().st_mode & 0o077 for p in [folder, *folder.rglob("*")]} == {0}
    again = alertes("personne", "acces", number)
    assert (again.code, "Rien n’est écrasé" in again.err) == (1, True)


def test_the_export_says_until_when_the_law_wants_it_and_leaves_a_trace(
    database: Database, alertes: Alertes
) -> None:
    number = str(accepted(database))
    said = alertes("personne", "acces", number, "--recue", "2026-09-01", "--json")
    assert json.loads(said.out)["echeance"] == "2026-10-01"
    late = alertes("personne", "acces", number, "--recue", "2020-01-01", "--dossier", "autre")
    assert "Ce délai est passé." in late.out
    with database.read() as session:
        audits = session.execute(select(Audit.action, Audit.subject)).all()
    assert [tuple(one) for one in audits] == [("personne acces", f"contact:{number}")] * 2


def test_formulas_of_others_are_harmless_in_the_csv(
    database: Database, alertes: Alertes, tmp_path: Path
) -> None:
    number = accepted(database)
    with database.write() as session:
        session.execute(update(Contact).values(name="=cmd|' /C calc'!A0"))
    assert alertes("personne", "acces", str(number), "--dossier", "x").code == 0
    assert "'=cmd" in (tmp_path / "x/csv/contact.csv").read_text("utf-8-sig")


def test_the_dossier_proves_each_letter_by_the_rows_of_its_instant(
    database: Database, alertes: Alertes, tmp_path: Path
) -> None:
    number = accepted(database)
    said = alertes("personne", "dossier", "anne@exemple.quebec")
    assert said.code == 0
    assert "1\u00a0lettre acceptée; à l’instant de chacune, une adhésion et un" in said.out
    assert "250 2.0.0 Ok" in said.out
    told = json.loads(alertes("personne", "dossier", str(number), "--json").out)
    (proof,) = told["parties"]["Les lettres acceptées"]
    assert (proof["Adhésion"], proof["Consentement"]) == ("no 1", "no 1, exprès")
    assert [one["État"] for one in told["parties"]["Les autres lettres"]] == [
        "retirée, n’est pas partie"
    ]
    assert alertes("personne", "dossier", str(number), "--fichier", "d.html").code == 0
    page = (tmp_path / "d.html").read_text("utf-8")
    assert "<h2>Les consentements</h2>" in page
    assert "src=" not in page


@pytest.mark.parametrize("lack", ["consent", "membership"])
def test_a_letter_without_its_proof_is_said_and_fails_the_command(
    database: Database, alertes: Alertes, lack: str
) -> None:
    number = accepted(database)
    with database.write() as session:
        if lack == "consent":
            session.execute(update(Consent).values(starts_at=coop.AT + timedelta(seconds=1)))
        else:
            session.execute(update(Letter).values(membership_id=None))
    said = alertes("personne", "dossier", str(number), "--json")
    assert said.code == 1
    assert len(json.loads(said.out)["sans_preuve"]) == 1


def test_an_erasure_is_first_a_rehearsal(database: Database, alertes: Alertes) -> None:
    number = accepted(database)
    said = alertes("personne", "effacer", str(number))
    assert said.code == 0
    assert "C’était un essai\u00a0: rien n’a été changé." in said.out
    assert "letter\u00a0: 2\u00a0lignes\u00a0: effacé" in said.out
    assert "la preuve que seuls des membres ont été avisés" in said.out
    with database.read() as session:
        assert session.get_one(Contact, number).address == "anne@exemple.quebec"
        assert wishes.live(session, number) is not None


def test_an_erasure_applied_is_verified_and_said_once(database: Database, alertes: Alertes) -> None:
    number = accepted(database)
    said = alertes("personne", "effacer", "anne@exemple.quebec", "--appliquer", "--json")
    assert said.code == 0
    answer = json.loads(said.out)
    sqlite = database.engine.dialect.name == "sqlite"
    assert (answer["fait"], answer["fichiers"]) == (True, [] if sqlite else None)
    with database.read() as session:
        assert session.get_one(Contact, number).address == ""
    again = alertes("personne", "effacer", str(number), "--appliquer")
    assert (again.code, "est déjà effacé" in again.err) == (1, True)
    assert alertes("personne", "effacer", "anne@exemple.quebec").code == 1


def test_a_letter_in_doubt_is_decided_first(database: Database, alertes: Alertes) -> None:
    number = accepted(database)
    with database.write() as session:
        session.execute(update(Letter).values(state=LetterState.UNKNOWN))
    for words in ([], ["--appliquer"]):
        said = alertes("personne", "effacer", str(number), *words)
        assert said.code == 1
        assert "alertes envois incertains" in said.err


def test_who_comes_back_is_readmitted_on_proof(database: Database, alertes: Alertes) -> None:
    number = accepted(database)
    assert alertes("personne", "effacer", str(number), "--appliquer").code == 0
    words = ("personne", "readmettre", "Anne@Exemple.Quebec")
    assert alertes(*words).code == 2
    assert alertes(*words, "--preuve", " ").code == 2
    assert alertes(*words, "--preuve", "courriel du 2026-11-01").code == 0
    assert alertes(*words, "--preuve", "courriel du 2026-11-01").code == 1
    assert alertes("personne", "readmettre", "pas une adresse", "--preuve", "x").code == 1


def test_who_left_by_mistake_comes_back_with_the_same_wishes_and_a_consent(
    database: Database, alertes: Alertes
) -> None:
    with database.write() as session:
        contact = coop.entitled(session, "anne", sectors=["menuiserie"])
    words = ("personne", "readmettre", contact.address, "--preuve", "appel du 2026-11-01")
    assert alertes(*words).code == 1
    assert alertes("abonnements", "desabonner", contact.address, "--oui").code == 0
    assert alertes(*words).code == 0
    shown = alertes("abonnements", "voir", contact.address).out
    assert "menuiserie" in shown.lower()
    assert shown.endswith("en cours\n")
    assert "appel du 2026-11-01" in alertes("personne", "dossier", contact.address).out


def test_who_left_and_complained_does_not_come_back(database: Database, alertes: Alertes) -> None:
    from subscriptions import suppressions  # noqa: PLC0415, two tests only

    with database.write() as session:
        contact = coop.entitled(session, "anne")
        suppressions.suppress(session, contact.address, reason="complaint", at=coop.AT)
    assert alertes("abonnements", "desabonner", contact.address, "--oui").code == 0
    assert alertes("personne", "readmettre", contact.address, "--preuve", "appel").code == 1
    assert "désabonné" in alertes("abonnements", "voir", contact.address).out


def test_what_a_complaint_bars_is_not_readmitted(database: Database, alertes: Alertes) -> None:
    from subscriptions import suppressions  # noqa: PLC0415, two tests only

    with database.write() as session:
        suppressions.suppress(session, "max@exemple.quebec", reason="complaint", at=coop.AT)
    said = alertes("personne", "readmettre", "max@exemple.quebec", "--preuve", "téléphone")
    assert said.code == 1


def test_the_limits_are_said_and_kept_when_asked(database: Database, alertes: Alertes) -> None:
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        letter = coop.letter(session, contact, at=utc_now() - timedelta(days=500))
        assert letter.id
    said = alertes("personne", "conservation")
    assert "Le contenu des lettres" in said.out
    assert "14 jours après la remise." in said.out
    assert "1\u00a0ligne échue." in said.out
    assert said.out.endswith("Rien n’a été changé.\n")
    assert alertes("personne", "conservation", "--appliquer").code == 0
    due = json.loads(alertes("personne", "conservation", "--json").out)["limites"]
    assert {one["lignes"] for one in due} == {0}


def test_each_is_answered_in_a_second_for_a_contact_of_two_years(
    database: Database, alertes: Alertes, record_property: pytest.RecordProperty
) -> None:
    """Measured, not asserted: 110 letters and 1,100 notices of one contact."""
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        for week in range(110):
            letter = coop.letter(session, contact, f"S{week}")
            letter.state, letter.in_doubt_at = LetterState.ACCEPTED, coop.AT
            for one in range(10):
                tender, revision = coop.tender(session, f"{week:03}{one:03}")
                coop.told(session, letter, revision, tender.id)
        number = str(contact.id)
    for words in (("dossier", number, "--json"), ("acces", number)):
        begun = time.perf_counter()
        assert alertes("personne", *words).code in {0, 1}
        took = time.perf_counter() - begun
        kind = database.engine.dialect.name
        record_property("measured", f"alertes personne {words[0]}, {kind}: {took:.2f} s")
