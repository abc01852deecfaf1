"""The image and compose files, read and not run: no engine is at hand where tests run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from base.settings import GROUPS
from scripts.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
#: What the program reads at run time, beside its packages.
FOLDERS = {"migrations", "templates"}


def _steps() -> list[tuple[str, str]]:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text))
    return [tuple(line.split(" ", 1)) for line in joined.splitlines() if line]  # type: ignore[misc]


def _composed() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return read


def _packages() -> set[str]:
    listed = re.search(r"packages = (\[\"alerts\".*?\])\n", (ROOT / "pyproject.toml").read_text())
    assert listed
    return set(yaml.safe_load(listed[1]))


def test_the_image_has_each_package_and_no_secret() -> None:
    copied = {words.split()[0] for step, words in _steps() if step == "COPY"}
    assert copied == _packages() | FOLDERS | {"requirements.txt"}
    assert all((ROOT / one).exists() for one in copied)


def test_the_image_installs_by_hash_and_runs_as_nobody_in_particular() -> None:
    steps = _steps()
    assert any("--require-hashes" in words for step, words in steps if step == "RUN")
    last = [step for step, _ in steps]
    assert dict(steps)["USER"] == "10001"
    assert last.index("USER") > max(n for n, step in enumerate(last) if step in {"RUN", "COPY"})
    assert yaml.safe_load(dict(steps)["CMD"]) == ["python", "-m", "alerts"]


def test_the_tools_of_the_copies_are_of_the_server_s_version() -> None:
    client = re.search(r"postgresql-client-(\d+)", (DEPLOY / "Containerfile").read_text("utf-8"))
    server = re.search(r"postgres:(\d+)", _composed()["services"]["base"]["image"])
    assert client
    assert server
    assert client[1] == server[1]


OURS = ("schema", "service", "pages", "veille", "copies")


@pytest.mark.parametrize("name", OURS)
def test_a_container_starts_what_there_is(name: str) -> None:
    words = _composed()["services"][name]["command"]
    if words[0] == "sh":
        words = next(
            shlex.split(part) for part in words[2].split(";") if " alertes " in f" {part} "
        )
        words = words[words.index("alertes") :]
    if words[0] == "python":
        assert find_spec(f"{words[2]}.__main__")
    else:
        assert words[:1] == ["alertes"]
        assert words[1] in COMMANDS


@pytest.mark.parametrize("name", OURS)
def test_a_container_may_do_little(name: str) -> None:
    service = _composed()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["var:/opt/alertes/var"]


def test_only_the_pages_are_published_and_only_to_this_machine() -> None:
    services = _composed()["services"]
    published = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert published == {"pages": ["127.0.0.1:8080:8080"]}


def test_every_variable_of_the_files_is_one_that_is_read() -> None:
    known = {name.upper() for group in GROUPS for name in group.model_fields}
    for name in OURS:
        assert set(_composed()["services"][name]["environment"]) <= known
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text("utf-8")))
    assert asked == {"POSTGRES_PASSWORD"}


def test_the_proxy_keeps_the_figures_in() -> None:
    text = (DEPLOY / "Caddyfile").read_text("utf-8")
    assert "path /mesures /mesures/*" in text
    assert text.index("respond @mesures 404") < text.index("reverse_proxy")
    assert not re.search(r"(?m)^\s*log\b", text)


def test_what_is_copied_into_the_image_is_enough_to_create_a_database(tmp_path: Path) -> None:
    for step, words in _steps():
        if step == "COPY" and (ROOT / words.split()[0]).is_dir():
            shutil.copytree(ROOT / words.split()[0], tmp_path / words.split()[1])
    done = subprocess.run(
        [sys.executable, "-m", "scripts", "base", "creer"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "var" / "alertes.sqlite3").exists()
