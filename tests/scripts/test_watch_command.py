"""`alertes veiller`: silent and 0 where all is well, else said, mailed once, and exit code 3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from alerts import watching
from alerts.tables import Edition
from base import heartbeat
from base.clock import utc_now
from base.database import ROOT, Database
from base.heartbeat import Heartbeat
from tests.conftest import Said
from tests.mailthread import mail_thread
from tests.webserver import Page, web_server

Run = Callable[..., Said]
MINUTE = timedelta(minutes=1)
SETTINGS = {
    "TENANT_NAME": "Coop fictive",
    "POSTAL_ADDRESS": "1, rue Fictive",
    "CONTACT_EMAIL": "bonjour@exemple.quebec",
    "PRIVACY_OFFICER": "Responsable fictive",
    "PUBLIC_URL": "https://alertes.exemple.quebec",
    "LINK_KEYS": "une-cle-d-essai-assez-longue-pour-signer",
    "SMTP_HOST": "127.0.0.1",
    "SMTP_TLS": "none",
    "AUTHOR_EMAIL": "alertes@exemple.quebec",
    "BOUNCE_EMAIL": "retours@exemple.quebec",
    "LIST_DOMAIN": "exemple.quebec",
}


@pytest.fixture
def run(alertes: Run, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in (SETTINGS | {"DATABASE_URL": database_url, "COLUMNS": "200"}).items():
        monkeypatch.setenv(name, value)
    return alertes


def _beats(database: Database, minutes_ago: int) -> None:
    """The watch has looked for two days; the service's last sign of life was then."""
    at, since = utc_now(), utc_now() - timedelta(days=2)
    last = at - minutes_ago * MINUTE
    with database.write() as session:
        session.add(Heartbeat(name="watch", at=at - 5 * MINUTE, since=since))
        # Back since a moment: what is due today may still be coming.
        began = last if minutes_ago < 20 else since
        session.add(Heartbeat(name="service", at=last, since=began))


def test_nothing_is_said_where_all_is_well(run: Run, database: Database) -> None:
    _beats(database, 1)
    with web_server() as site:
        site.pages["/sante"] = Page(body=b'{"base":"ok"}')
        said = run("veiller", "--pages", f"{site.url}/sante")
    assert (said.code, said.out.strip()) == (0, "Rien à signaler.")


def test_a_dead_service_is_said_mailed_once_and_exit_code_3(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _beats(database, 60)
    with mail_thread() as mailbox:
        monkeypatch.setenv("SMTP_PORT", str(mailbox.port))
        monkeypatch.setenv("STAFF_EMAIL", "equipe@coop.exemple.quebec")
        first = run("veiller", "--sans-pages")
        again = run("veiller", "--sans-pages", "--json")
    assert (first.code, again.code) == (3, 3)
    assert "systemctl restart alertes" in first.out
    assert json.loads(again.out) == {"constats": [{"quoi": "service silent", "sujet": ""}]}
    assert mailbox.recipients == ["equipe@coop.exemple.quebec"]


def test_without_a_staff_address_no_relay_is_needed(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _beats(database, 60)
    for name in ("SMTP_HOST", "TENANT_NAME"):
        monkeypatch.delenv(name)
    said = run("veiller", "--sans-pages")
    assert (said.code, "ne donne plus signe de vie" in said.out) == (3, True)


def test_a_relay_that_is_away_is_said_and_the_message_waits(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _beats(database, 60)
    monkeypatch.setenv("SMTP_PORT", "1")
    monkeypatch.setenv("STAFF_EMAIL", "equipe@coop.exemple.quebec")
    away = run("veiller", "--sans-pages")
    assert (away.code, "nouvel essai bientôt" in away.err) == (3, True)
    with mail_thread() as mailbox:
        monkeypatch.setenv("SMTP_PORT", str(mailbox.port))
        assert run("veiller", "--sans-pages").code == 3
    assert mailbox.recipients == ["equipe@coop.exemple.quebec"]


def test_pages_that_do_not_answer_are_given_time_before_they_are_said(
    run: Run, database: Database
) -> None:
    _beats(database, 1)
    with database.write() as session:
        heartbeat.beat(session, "pages", at=utc_now() - 10 * MINUTE)
    assert run("veiller", "--pages", "http://127.0.0.1:1/sante").code == 0
    with database.write() as session:
        session.get_one(Heartbeat, "pages").at -= 15 * MINUTE
    said = run("veiller", "--pages", "http://127.0.0.1:1/sante")
    assert (said.code, "Les pages des membres" in said.out) == (3, True)


def test_an_announced_maintenance_silences_it_and_its_end_does_not_wake_it_at_once(
    run: Run, database: Database
) -> None:
    _beats(database, 60)
    assert "la veille se tait jusqu’au" in run("veiller", "--entretien", "2").out
    assert run("veiller", "--sans-pages").code == 0
    assert "est fini" in run("veiller", "--fin-entretien").out
    assert "n’était annoncé" in run("veiller", "--fin-entretien").out
    assert run("veiller", "--sans-pages").code == 0
    assert run("veiller", "--entretien", "0").code == 2


def test_a_service_that_is_killed_leaves_its_last_beat_and_is_found_dead(
    run: Run, database_url: str, database: Database, tmp_path: Path
) -> None:
    """The real process, killed like a power cut; the looks come every five minutes from then."""
    environ = {**os.environ, **SETTINGS, "DATABASE_URL": database_url, "FEDERAL_NOTICES": "false"}
    environ |= {"SEAO_PACKAGE_URL": "http://127.0.0.1:1/", "SMTP_PORT": "1"}
    started = utc_now()
    with (tmp_path / "journal").open("w") as log_file:
        service = subprocess.Popen(
            [sys.executable, "-m", "alerts"],
            cwd=tmp_path,
            env=environ | {"PYTHONPATH": str(ROOT)},
            stderr=log_file,
        )
    try:
        last = _first_beat(database)
    finally:
        service.send_signal(signal.SIGKILL)
        service.wait()
    assert last >= started
    log = (tmp_path / "journal").read_text("utf-8")
    assert {json.loads(line)["level"] for line in log.splitlines()} <= {"info", "warning", "error"}
    assert not any(value in log for value in ("@exemple", SETTINGS["LINK_KEYS"]))
    noticed = None
    for number in range(1, 7):
        at = last + number * 5 * MINUTE
        with database.write() as session:
            session.execute(update(Edition).values(state="written"))
            found = watching.look(session, (), at=at, pages=None)
        if found and noticed is None:
            noticed = at
    assert noticed is not None
    assert noticed - last <= 30 * MINUTE


def _first_beat(database: Database):  # noqa: ANN202
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with database.read() as session:
            beat = heartbeat.all_beats(session).get("service")
        if beat is not None:
            return beat.at
        time.sleep(0.2)
    pytest.fail("the service gave no sign of life")
