"""docs/support-tasks.md: each example is run in its order, and answers what the page shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from base.database import connect
from scripts.__main__ import COMMANDS
from tests.conftest import Said
from tests.support_page import PAGE, examples
from tests.support_story import live

#: What only the commands that send need.
SETTINGS = {
    "SMTP_HOST": "127.0.0.1",
    "SMTP_TLS": "none",
    "AUTHOR_EMAIL": "alertes@exemple.quebec",
    "BOUNCE_EMAIL": "retours@exemple.quebec",
    "LIST_DOMAIN": "exemple.quebec",
}
#: The rules of tables are no part of what is said.
RULES = re.compile(r"[\u2500-\u257f\s]+")


def unsaid(lines: list[str], said: str) -> list[str]:
    """The lines that the answer does not have, each after the one before; «…» is anything."""
    left, missing = RULES.sub(" ", said), []
    for line in lines:
        parts = [re.escape(RULES.sub(" ", part).strip()) for part in line.split("…")]
        found = re.search(r".*?".join(parts), left)
        if found:
            left = left[found.end() :]
        else:
            missing.append(line)
    return missing


def test_each_example_answers_what_the_page_shows(
    sqlite_template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    alertes: Callable[..., Said],
) -> None:
    path = tmp_path / "alertes.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    for name, value in {**SETTINGS, "DATABASE_URL": f"sqlite:///{path}", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    database = connect(f"sqlite:///{path}")
    live(database, tmp_path / "retours")
    database.dispose()
    wrong = []
    for command, lines in examples(PAGE):
        program, *words = shlex.split(command)
        assert program == "alertes"
        said = alertes(*words)
        if said.code or unsaid(lines, said.out):
            wrong += [f"$ {command} -> {said.code}", *unsaid(lines, said.out), said.out + said.err]
    assert not wrong, "\n".join(wrong)


def test_each_question_has_a_command() -> None:
    questions = re.split(r"(?m)^### ", PAGE)[1:]
    assert len(questions) >= 20
    assert [one.splitlines()[0] for one in questions if not list(examples(one))] == []


def test_every_command_named_in_a_sentence_exists() -> None:
    assert set(re.findall(r"`alertes ([a-z-]+)", PAGE)) <= set(COMMANDS)


@pytest.mark.parametrize(
    ("line", "said", "missing"),
    [
        ("2 avis", "┃ 2 ┃ avis\u00a0┃", []),
        ("le … avis", "le lundi, un avis", []),
        ("3 avis", "2 avis", ["3 avis"]),
        ("avis.", "avis!", ["avis."]),
    ],
)
def test_a_line_that_is_not_said_is_seen(line: str, said: str, missing: list[str]) -> None:
    assert unsaid([line], said) == missing


def test_lines_are_looked_for_in_their_order() -> None:
    assert unsaid(["un", "deux"], "deux un") == ["deux"]
