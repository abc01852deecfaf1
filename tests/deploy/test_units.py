"""The systemd units: exposed as little as the goal says, and naming what there is to start."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from alerts import watch
from scripts.__main__ import COMMANDS

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
TIMERS = sorted(UNITS.glob("*.timer"))
#: The highest exposure that is allowed, of 10.
MOST = 2.0


def _unit(path: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(path.read_text("utf-8"))
    return read


def _needs_systemd() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        if os.environ.get("FORBID_SKIPS") == "1":
            pytest.fail("no systemd-analyze, and skips are forbidden")
        pytest.skip("NO SYSTEMD-ANALYZE: the exposure of the units was not measured")
    return found


def _analyze(*words: str) -> str:
    program = _needs_systemd()
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)  # noqa: S603, our own files
    return done.stdout + done.stderr


@pytest.mark.parametrize("path", SERVICES, ids=lambda one: one.name)
def test_a_unit_is_exposed_to_2_at_most(
    path: Path, record_property: Callable[[str, object], None]
) -> None:
    told = _analyze("security", "--offline=true", "--no-pager", str(path))
    found = re.search(r"exposure level for \S+: ([\d.]+)", told)
    assert found, told
    record_property("measured", f"units: {path.name} is exposed to {found[1]} of 10")
    assert float(found[1]) <= MOST


def test_systemd_understands_each_unit() -> None:
    told = _analyze("verify", *map(str, SERVICES + TIMERS))
    # The programs are not installed where tests run.
    faults = [one for one in told.splitlines() if "is not executable" not in one]
    assert [one for one in faults if str(UNITS) in one or one.startswith("alertes")] == []


@pytest.mark.parametrize("path", SERVICES, ids=lambda one: one.name)
def test_a_unit_starts_what_there_is(path: Path) -> None:
    words = _unit(path)["Service"]["ExecStart"].split()
    match words:
        case [program, "-m", module] if program.endswith("/python"):
            assert find_spec(f"{module}.__main__")
        case [program, command, *_] if program.endswith("/alertes"):
            assert command in COMMANDS
        case _:
            assert words[0] == "/usr/bin/logger"


@pytest.mark.parametrize("path", SERVICES, ids=lambda one: one.name)
def test_a_unit_runs_as_its_own_user_within_limits(path: Path) -> None:
    unit = _unit(path)["Service"]
    assert unit["User"] == "alertes"
    assert unit["ProtectSystem"] == "strict"
    assert unit.get("ReadWritePaths", "/opt/alertes/var") == "/opt/alertes/var"
    assert {"MemoryMax", "TasksMax"} <= set(unit)


def test_the_watch_looks_as_often_as_it_reckons_with() -> None:
    when = _unit(UNITS / "alertes-veille.timer")["Timer"]["OnCalendar"]
    assert when == f"*:0/{watch.EVERY.seconds // 60}"
    # Two looks and its patience: what the goal of 30 minutes leaves.
    assert (watch.PATIENCE + 2 * watch.EVERY).seconds <= 30 * 60


@pytest.mark.parametrize("path", TIMERS, ids=lambda one: one.name)
def test_a_timer_starts_a_unit_that_there_is(path: Path) -> None:
    timer = _unit(path)["Timer"]
    assert (UNITS / timer["Unit"]).exists()
    assert "Next elapse" in _analyze("calendar", timer["OnCalendar"])


def test_what_fails_calls_a_unit_that_there_is() -> None:
    called = {_unit(path)["Unit"].get("OnFailure") for path in SERVICES} - {None}
    assert called == {"alertes-alarme.service"}
    assert (UNITS / "alertes-alarme.service").exists()
