"""`alertes incidents`: the register has the regulation's fields, and no line of it can go."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from alerts.tables import Letter, LetterState
from base.audit import Audit
from base.database import Database
from base.incidents import Facts, Incident
from scripts.incidents_words import LABELS
from tests import coop
from tests.conftest import Said

Alertes = Callable[..., Said]
FIRST = (
    "incidents", "ajouter", "--renseignements", "adresses courriel et secteurs",
    "--circonstances", "lettre de Coop A reçue par Coop B", "--quand", "le 2026-09-21 vers 7 h",
    "--connu-le", "2026-09-22",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def test_the_register_s_fields_are_those_of_the_regulation() -> None:
    assert set(LABELS) == set(Facts.__dataclass_fields__)


def test_an_incident_is_entered_at_once_and_completed_later(
    database: Database, alertes: Alertes
) -> None:
    said = alertes(*FIRST)
    assert said.code == 0
    assert "Incident 1\u00a0: inscrit au registre." in said.out
    assert "Nombre de personnes, ou approximation (--personnes)" in said.out
    more = ("--personnes", "2", "--risque", "aucun renseignement sensible", "--serieux", "non")
    done = alertes("incidents", "modifier", "1", *more, "--mesures", "réglage corrigé")
    assert (done.code, "À compléter" in done.out) == (0, False)
    assert "rien n’a changé" in alertes("incidents", "modifier", "1", *more).out
    shown = json.loads(alertes("incidents", "voir", "1", "--json").out)
    assert (shown["persons"], shown["serious"], shown["known_on"]) == (2, False, "2026-09-22")
    with database.read() as session:
        audits = session.execute(select(Audit.action, Audit.before).order_by(Audit.id)).all()
    assert audits[1].action == "incidents modifier"
    assert audits[1].before["persons"] is None


def test_a_serious_risk_asks_for_both_notices(database: Database, alertes: Alertes) -> None:
    said = alertes(*FIRST, "--serieux", "oui")
    assert "aviser sans tarder la Commission d’accès à l’information" in said.out
    assert "(--avis-cai)" in said.out
    assert "(--avis-personnes)" in said.out


@pytest.mark.parametrize(
    "words",
    [
        ("--connu-le", "hier"),
        ("--connu-le", "2999-01-01"),
        ("--serieux", "peut-être"),
        ("--personnes", "-1"),
        ("--circonstances", "  "),
    ],
    ids=["no date", "to come", "no answer", "negative", "blank"],
)
def test_what_cannot_be_is_refused(
    database: Database, alertes: Alertes, words: tuple[str, ...]
) -> None:
    assert alertes(*FIRST, *words).code == 2
    assert json.loads(alertes("incidents", "lister", "--json").out) == {"incidents": []}


def test_no_line_of_the_register_can_be_deleted(database: Database, alertes: Alertes) -> None:
    assert alertes(*FIRST).code == 0
    kept = "the register of incidents is kept"
    with pytest.raises(DBAPIError, match=kept), database.write() as session:
        session.execute(delete(Incident))
    assert len(json.loads(alertes("incidents", "lister", "--json").out)["incidents"]) == 1


def test_the_export_has_all_fields_of_all_incidents(
    database: Database, alertes: Alertes, tmp_path: Path
) -> None:
    alertes(*FIRST)
    alertes(*FIRST, "--personnes", "3", "--avis-public", "=aucun")
    assert alertes("incidents", "exporter", "registre.csv").code == 0
    content = (tmp_path / "registre.csv").read_text("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(content))
    assert head[1:-2] == [label for label, _ in LABELS.values()]
    assert [row[0] for row in rows] == ["1", "2"]
    assert "'=aucun" in rows[1]
    assert alertes("incidents", "exporter", "registre.csv").code == 1


def test_whom_a_wrong_sending_reached_is_one_question(database: Database, alertes: Alertes) -> None:
    with database.write() as session:
        tender, revision = coop.tender(session)
        for name in ("anne", "max", "zoe"):
            letter = coop.letter(session, coop.entitled(session, name))
            coop.told(session, letter, revision, tender.id)
            letter.settled_at = coop.AT
            letter.state = LetterState.REFUSED if name == "zoe" else LetterState.ACCEPTED
        first = session.scalars(select(Letter.id).order_by(Letter.id)).first()
    said = alertes("incidents", "destinataires", "--avis", "20169865", "--json")
    reached = [one["adresse"] for one in json.loads(said.out)["destinataires"]]
    assert reached == ["anne@exemple.quebec", "max@exemple.quebec"]
    one = alertes("incidents", "destinataires", "--lettre", str(first))
    assert "1\u00a0lettre acceptée, 1\u00a0personne." in one.out
    days = alertes("incidents", "destinataires", "--du", "2026-09-20", "--au", "2026-09-22")
    assert "2\u00a0lettres acceptées, 2\u00a0personnes." in days.out
    assert alertes("incidents", "destinataires").code == 2
    assert alertes("incidents", "destinataires", "--avis", "inconnu").code == 1


def test_an_unknown_number_is_said(database: Database, alertes: Alertes) -> None:
    assert alertes("incidents", "voir", "7").code == 1
    said = alertes("incidents", "modifier", "7", "--quand", "x")
    assert "Aucun incident 7 au registre" in said.err
    assert alertes("incidents", "lister").out == "Aucun incident au registre.\n"
