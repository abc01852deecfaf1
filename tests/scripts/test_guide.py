"""The guide for staff: its commands exist as it writes them, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer._click.core import Command
from typer.core import TyperArgument, TyperGroup, TyperOption

from base.database import ROOT
from scripts import reference
from scripts.__main__ import COMMANDS, application
from scripts.usage import command_of

GUIDE = sorted((ROOT / "docs" / "guide").glob("*.md"))
WRITTEN = [path for path in GUIDE if path != reference.PAGE]
#: Every page with commands for staff.
OTHERS = ("docs/support-tasks.md", "docs/privacy.md", "README.md")
PAGES = [*WRITTEN, *(ROOT / name for name in OTHERS)]


@pytest.fixture(scope="module")
def whole() -> Command:
    return command_of(application(""))


def commands(page: str) -> list[str]:
    """What the page has to be typed, in blocks and in sentences."""
    typed = re.findall(r"(?m)^\$ alertes (.*)$", page)
    return typed + [one.replace("\n", " ") for one in re.findall(r"`alertes ([^`]+)`", page)]


def wrong_with(whole: Command, typed: str) -> str:
    """What of it is no command, no option, or one argument too many; "" where it is right."""
    words, command = shlex.split(typed), whole
    while words and isinstance(command, TyperGroup) and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    places = [one for one in command.params if isinstance(one, TyperArgument)]
    options = {name: one for one in command.params if isinstance(one, TyperOption)
               for name in (*one.opts, *one.secondary_opts)} | {"--help": None}  # fmt: skip
    given = 0
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            given += 1
        elif word not in options:
            return f"{word}: no option of {typed}"
        elif (option := options[word]) is not None and not option.is_flag and words:
            words.pop(0)
    if isinstance(command, TyperGroup) and not command.invoke_without_command and given:
        return f"no such command: {typed}"
    return f"too many arguments: {typed}" if given > len(places) else ""


def test_the_page_of_all_commands_is_what_the_program_would_write() -> None:
    written = reference.PAGE.read_text("utf-8")
    assert written == reference.page(), "make reference"
    assert all(f"\n## alertes {name}\n" in written for name in COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_of_a_page_can_be_typed_as_it_stands(whole: Command, page: Path) -> None:
    found = commands(page.read_text("utf-8"))
    assert found
    assert [wrong for typed in found if (wrong := wrong_with(whole, typed))] == []


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("membres importer FICHIER --appliquer", True),
        ("membres", True),
        ("contacts ajouter A B --secteurs C", True),
        ("membres importe FICHIER", False),
        ("membres importer FICHIER --oui", False),
        ("envois etat 3", False),
        ("veille", False),
    ],
)
def test_a_command_that_is_none_is_seen(whole: Command, typed: str, right: bool) -> None:
    assert (wrong_with(whole, typed) == "") is right


@pytest.mark.parametrize("page", [*GUIDE, ROOT / "docs" / "support-tasks.md"], ids=lambda p: p.name)
def test_every_link_of_the_guide_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        path, _, part = target.partition("#")
        other = page.parent / path if path else page
        assert other.is_file(), target
        headings = re.findall(r"(?m)^#+ (.*)$", other.read_text("utf-8"))
        assert not part or part in {_anchor(one) for one in headings}, target


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_page_of_the_guide_is_named_by_its_first_page() -> None:
    first = (ROOT / "docs" / "guide" / "README.md").read_text("utf-8")
    assert [p.name for p in WRITTEN if p.name != "README.md" and f"({p.name})" not in first] == []
