"""Three weeks of the simulated year, around a change of clock; and that it can turn red."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from base.database import Database, connect
from campaigns.year.mutants import MUTANTS
from campaigns.year.verdict import Verdict
from campaigns.year.year import run

#: The clock goes back on 1 November 2026.
AUTUMN = date(2026, 10, 22)


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """One kind is enough for what is decided in Python; the long campaign takes either."""
    path = tmp_path / "alertes.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    opened = connect(f"sqlite:///{path}")
    yield opened
    opened.dispose()


def _lived(database: Database, days: int = 21) -> Verdict:
    # So that it is quick: the service looks a few times a day.
    return run(database, seed=4, readers=16, start=AUTUMN, days=days, grid=240, share=0.2)


def test_three_weeks_told_as_by_a_second_implementation(sqlite: Database) -> None:
    verdict = _lived(sqlite)
    assert verdict.faults == [], f"{verdict}\n{verdict.shown}"
    assert verdict.told > 100
    assert {"instant", "daily", "weekly", "change", "reminder"} <= verdict.streams.keys()
    assert verdict.anew
    assert verdict.deferred


def test_the_year_is_red_where_letters_leave_at_night(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in MUTANTS["no-quiet-hours"]:
        monkeypatch.setattr(*one)
    assert {"night", "differences"} <= set(_lived(sqlite, days=7).faults)
