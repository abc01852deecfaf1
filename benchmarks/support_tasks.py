"""How long each example of docs/support-tasks.md takes, as a whole process, as staff meet it.

    python -m benchmarks.two_years var/deux-ans.sqlite3
    python -m benchmarks.support_tasks var/deux-ans.sqlite3

Some of the database's contacts, enterprises and notices stand in for the page's. ROUNDS times, a
copy is made and every example run upon it in the page's order, each as a process of its own. The
median of the clock is printed, with the processor's seconds and the exit code of that run. Run it
on a quiet machine. There is no import to undo in that database: that example ends with code 1.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from sqlalchemy import func, select

from alerts.tables import Letter, Told
from base.database import ROOT, Database, connect
from sources.tables import Revision, Tender
from tests.scripts.test_support_tasks import SETTINGS
from tests.support_page import PAGE, examples

ROUNDS = 3
#: What a staff question may take (seconds).
MOST = 1.0


@dataclass(frozen=True, slots=True)
class Took:
    """One run of one command."""

    clock: float
    cpu: float
    code: int


def main() -> None:
    """Print a line an example, the slowest last; exit with 1 where one is over MOST."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where", help="the path of an SQLite database of benchmarks.two_years")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    where = Path(given.where).resolve()
    database = connect(f"sqlite:///{where}")
    instead = _instead(database)
    database.dispose()
    asked = [
        [_put(word, instead) for word in shlex.split(typed)[1:]] for typed, _ in examples(PAGE)
    ]
    rounds = [_round(asked, where) for _ in range(given.rounds)]
    took = [_middle(words, runs) for words, *runs in zip(asked, *rounds, strict=True)]
    for run, said in sorted(took, key=lambda one: one[0].clock):
        print(f"{run.clock:6.2f} s {run.cpu:6.2f} s cpu code {run.code} {said[:70]}")
    over = [said for run, said in took if run.clock > MOST]
    print(f"{len(took)} examples, {len(over)} over {MOST:.0f} s")
    sys.exit(1 if over else 0)


def _instead(database: Database) -> Mapping[str, str]:
    """The page's addresses, names and numbers -> the database's, each kind in its order."""
    text = " ".join(word for typed, _ in examples(PAGE) for word in shlex.split(typed))
    with database.read() as session:
        last = session.scalar(select(func.max(Told.contact_id))) or 1
        told = session.scalars(
            select(Tender.number)
            .join(Told, Told.cluster_id == Tender.cluster_id)
            .where(Told.contact_id == last)
            .order_by(Told.id.desc())
            .limit(3)
        ).all()
        town = session.scalar(
            select(Revision.municipality)
            .where(Revision.municipality != "")
            .group_by(Revision.municipality)
            .order_by(func.count().desc())
        )
        count = session.scalar(select(func.count(Letter.id)))
    print(f"{last} contacts, {count} letters")
    return dict(_pairs(text.split(), list(told), town or "", last))


def _pairs(words: list[str], told: list[str], town: str, last: int) -> Iterator[tuple[str, str]]:
    known = dict.fromkeys(word for word in words if word.endswith(".exemple.quebec"))
    new = {"colette@transport.exemple.quebec", "bruno.fictif@transport.exemple.quebec"}
    renamed = [
        (address, f"contact{last - number}@exemple.quebec")
        for number, address in enumerate(one for one in known if one not in new)
    ]
    yield from renamed
    shown = dict.fromkeys(word for word in words if word.isdigit() and len(word) == len("20170291"))
    yield from zip(shown, told, strict=False)
    # Who comes back is who left in an example before.
    yield "ines@loisir.exemple.quebec", dict(renamed)["hugo@paysages.exemple.quebec"]
    yield "Mascouche", town
    bruno = dict(renamed)["bruno@transport.exemple.quebec"].partition("@")[0]
    yield "Transport adapté", f"Coop fictive {bruno.removeprefix('contact')}"
    yield "Chantier-école fictif", f"Coop fictive {last}"


def _put(word: str, instead: Mapping[str, str]) -> str:
    return instead.get(word, word)


def _round(asked: list[list[str]], where: Path) -> list[Took]:
    """Every example, on a copy of its own."""
    with tempfile.TemporaryDirectory(dir=where.parent) as folder:
        copy = Path(folder) / "copie.sqlite3"
        shutil.copy(where, copy)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"DATABASE_URL": f"sqlite:///{copy}", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        return [_timed(words, folder, {**kept, **SETTINGS, **own}) for words in asked]


def _middle(words: list[str], runs: list[Took]) -> tuple[Took, str]:
    return sorted(runs, key=lambda one: one.clock)[len(runs) // 2], " ".join(words)


def _timed(words: list[str], folder: str, environment: dict[str, str]) -> Took:
    begun = perf_counter()
    process = subprocess.Popen(  # noqa: S603, our own command
        [sys.executable, "-m", "scripts", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    clock = perf_counter() - begun
    process.returncode = code = os.waitstatus_to_exitcode(status)
    return Took(clock, usage.ru_utime + usage.ru_stime, code)


if __name__ == "__main__":
    main()
