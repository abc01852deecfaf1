"""`python -m pages` as it is started: it answers, and its log is JSON and nobody's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from sqlalchemy import text

from base.database import ROOT, Database
from tests.coop import AT, DESK

KEY = "une-cle-d-essai-assez-longue-pour-signer"
TOKEN = DESK.links.leave("0123456789abcdef", 1, AT).rpartition("/")[2]
SETTINGS = {
    "TENANT_NAME": "Coop fictive",
    "POSTAL_ADDRESS": "1, rue Fictive",
    "CONTACT_EMAIL": "bonjour@exemple.quebec",
    "PRIVACY_OFFICER": "Responsable fictive",
    "PUBLIC_URL": "https://alertes.exemple.quebec",
    "LINK_KEYS": KEY,
}


@contextmanager
def _served(url: str, folder: Path) -> Iterator[str]:
    """The address of the real process; its standard error goes to `folder`/journal."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, **SETTINGS, "DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    with (folder / "journal").open("w") as log:
        process = subprocess.Popen(  # noqa: S603, our own program
            [sys.executable, "-m", "pages", "--port", str(port)],
            cwd=folder,
            env=environ,
            stderr=log,
        )
        root = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{root}/style.css")
            yield root
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(address: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            httpx2.get(address, trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the pages did not start")


def test_the_process_answers_and_logs_lines_of_json_without_a_token(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with _served(database_url, tmp_path) as root:
        assert httpx2.get(f"{root}/mesures", trust_env=False).status_code == 200
        with database.engine.begin() as connection:
            # What breaks is logged.
            for table in ("heartbeat", "suppression"):
                connection.execute(text(f"DROP TABLE {table}"))
        assert httpx2.get(f"{root}/sante", trust_env=False).status_code == 503
        httpx2.get(f"{root}/d/{TOKEN}", trust_env=False)
        httpx2.post(f"{root}/d/{TOKEN}", trust_env=False)

    log = (tmp_path / "journal").read_text("utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    assert [one["logger"] for one in lines if one["event"].startswith("health:")] == [
        "pages.health"
    ]
    assert not any(secret in log for secret in (TOKEN, KEY, "@exemple", "127.0.0.1"))
