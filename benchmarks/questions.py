"""How long each question of staff takes on thousands of contacts and two years of editions.

    python -m benchmarks.two_years var/deux-ans.sqlite3
    python -m benchmarks.questions var/deux-ans.sqlite3

Each command is run as its entry point runs it, in this process, several times; the best is
printed: seconds of the processor, and of the clock. What starting the command costs, which is
the same whatever the database holds, is printed apart (a process of its own, of which the
processor's seconds count).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import resource
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time

from sqlalchemy import func, select

from alerts.tables import Edition, Letter, Told
from base.database import connect
from scripts.__main__ import application
from scripts.usage import command_of, run
from sources.tables import Tender
from subscriptions.tables import Contact

TRIES = 3


def main() -> None:
    """Print a line a question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where", help="a path, or a SQLAlchemy address")
    where = parser.parse_args().where
    url = where if "://" in where else f"sqlite:///{Path(where).resolve()}"
    os.environ["DATABASE_URL"] = url
    questions = _questions(url)
    print(f"{'starting a command':60}{_start():6.2f} s cpu")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for words in questions:
            cpu, wall = min(_once(words) for _ in range(TRIES))
            print(f"{' '.join(words):60}{cpu:6.2f} s cpu {wall:6.2f} s")


def _questions(url: str) -> list[tuple[str, ...]]:
    database = connect(url)
    with database.read() as session:
        contact = str(session.scalar(select(func.max(Contact.id))) or 0)
        told = session.scalars(
            select(Tender.number)
            .join(Told, Told.cluster_id == Tender.id)
            .where(Told.contact_id == int(contact))
            .order_by(Told.id.desc())
            .limit(1)
        ).one()
        letters = session.scalar(select(func.count(Letter.id)))
        tellings = session.scalar(select(func.count(Told.id)))
        label = session.scalars(select(Edition.label).order_by(Edition.id.desc()).limit(1)).one()
        other = session.scalars(select(Tender.number).order_by(Tender.id.desc()).limit(1)).one()
    database.dispose()
    monday = date.fromisoformat(f"{label}-1")
    before = str(monday - timedelta(days=6))
    print(f"{contact} contacts, {letters} letters, {tellings} notices told, until {monday}")
    return [
        ("pourquoi", contact, told),
        ("pourquoi", contact, other),
        ("avis", "qui", told),
        ("contact", "historique", contact),
        ("abonnements", "voir", contact),
        ("envois", "etat"),
        ("envois", "a-appeler"),
        ("envois", "incertains"),
        ("envois", "quarantaine"),
        ("avis", "anciens"),
        ("a-voir",),
        ("sources",),
        ("membres", "lister"),
        ("rapport", "preuve", told),
        ("rapport", "preuve", "--du", str(monday), "--au", str(monday)),
        ("rapport", "semaine", "--au", str(monday)),
        ("rapport", "delais", "--depuis", before),
        ("rapport", "secteurs", "--du", before, "--au", str(monday)),
        ("rapport", "sans-avis", "--au", str(monday + timedelta(days=1))),
        ("rapport", "sources", "--au", str(monday)),
        ("rapport", "municipalite", "Saint-Jérôme", "--au", str(monday)),
    ]


def _once(words: tuple[str, ...]) -> tuple[float, float]:
    command = command_of(application(words[0]))
    sys.argv = ["alertes", *words]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        begun, clock = process_time(), perf_counter()
        code = run(command)
        spent = process_time() - begun, perf_counter() - clock
    if code not in {0, 1}:
        raise SystemExit(f"{words}: {said.getvalue()[-500:]}")
    return spent


def _start() -> float:
    """The processor's seconds of a command that asks the database nothing; the best of TRIES."""
    return min(_spent_starting() for _ in range(TRIES))


def _spent_starting() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    asked = [sys.executable, "-m", "scripts", "pourquoi", "--help"]
    subprocess.run(asked, capture_output=True, check=True)  # noqa: S603, our own command
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
