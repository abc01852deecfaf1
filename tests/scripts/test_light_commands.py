"""A question loads only what answers it: what reads sources, writes letters or sends takes long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from base.database import ROOT, connect
from tests.support_story import live

#: A tenth of a second and more each, of which no question needs one.
HEAVY = (
    "aiosmtplib", "alembic", "alerts.delivery", "alerts.letter", "apscheduler", "checkdmarc",
    "cryptography", "feedparser", "httpx2", "lxml", "matplotlib", "numpy", "openpyxl", "premailer",
    "procrastinate", "psycopg", "rich.markdown", "sources.fetch", "sources.readers", "starlette",
)  # fmt: skip
#: Only what makes a page needs these.
PICTURES = ("jinja2", "matplotlib", "numpy")
QUESTIONS = (
    "a-voir",
    "avis anciens",
    "avis liste",
    "avis qui 20170291",
    "sources",
    "membres lister",
    "membres voir 1",
    "abonnements voir anne@deneigement.exemple.quebec",
    "contact historique anne@deneigement.exemple.quebec",
    "envois etat",
    "envois incertains",
    "envois quarantaine",
    "envois a-appeler",
    "pourquoi denis@ressourcerie.exemple.quebec 20170291",
    "pourquoi anne@deneigement.exemple.quebec 20169865",
)
REPORTS = (
    "rapport delais",
    "rapport preuve 20170291",
    "rapport semaine --au 2026-09-28",
    "rapport sans-avis --au 2026-09-28",
    "rapport secteurs --du 2026-09-01 --au 2026-09-30",
    "rapport municipalite Mascouche --du 2026-09-01 --au 2026-09-30",
)
#: Runs each question as its entry point does, and says of each its code and what it newly loaded.
RUN = """
import json, sys
before, answers = set(), []
from scripts.__main__ import main
for question in json.loads(sys.argv[1]):
    sys.argv = ["alertes", *question.split()]
    try:
        main()
    except SystemExit as ended:
        answers.append([question, ended.code or 0, sorted(set(sys.modules) - before)])
    before = set(sys.modules)
json.dump(answers, sys.stderr)
"""


@pytest.fixture(scope="module")
def story(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the support page's database."""
    folder = tmp_path_factory.mktemp("light")
    path = folder / "alertes.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    database = connect(f"sqlite:///{path}")
    live(database, folder / "retours")
    database.dispose()
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    ("questions", "heavy"),
    [
        pytest.param(QUESTIONS, {*HEAVY, "jinja2"}, id="answers"),
        pytest.param(REPORTS, {*HEAVY} - {*PICTURES}, id="reports"),
    ],
)
def test_no_question_loads_what_only_the_service_needs(
    story: str, tmp_path: Path, questions: tuple[str, ...], heavy: set[str]
) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(  # noqa: S603, our own command
        [sys.executable, "-c", RUN, json.dumps(questions)],
        cwd=tmp_path,
        env={**kept, "DATABASE_URL": story, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stderr.splitlines()[-1])
    assert [(question, code) for question, code, _ in answers] == [(one, 0) for one in questions]
    assert [
        (question, sorted(heavy & {*new})) for question, _, new in answers if heavy & {*new}
    ] == []
