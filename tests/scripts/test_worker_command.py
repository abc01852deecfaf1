"""`alertes ouvrier`: needs PostgreSQL, says so, and stops cleanly when told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pytest
from sqlalchemy import text

from base.database import ROOT, Database
from tests.conftest import Said

Run = Callable[..., Said]
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
    # Nothing answers there.
    "SEAO_PACKAGE_URL": "http://127.0.0.1:9/package_show",
    "FEDERAL_NOTICES": "false",
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_sqlite_it_says_what_it_needs(
    alertes: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    said = alertes("ouvrier")
    assert said.code == 1
    assert said.out == ""
    assert "Un ouvrier a besoin de PostgreSQL\u00a0: DATABASE_URL nomme une base SQLite" in said.err
    assert "python -m alerts" in said.err


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_works_until_it_is_told_to_stop(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "scripts", "ouvrier"]
    environment = os.environ | SETTINGS | {"DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}
    asked = text("SELECT count(*) FROM heartbeat WHERE name = 'service'")
    with subprocess.Popen(  # noqa: S603, our own command
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        overdue = threading.Timer(180, process.kill)
        overdue.start()
        while process.poll() is None:
            with database.read() as session:
                if session.scalar(asked):
                    break
            # The worker needs the processor more than who waits for it.
            sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate()
        overdue.cancel()
    assert process.returncode == 0, log
    assert "trace" not in log
