"""How long each question of staff takes on thousands of contacts and two years of editions.

    python -m benchmarks.two_years var/deux-ans.sqlite3
    python -m benchmarks.questions var/deux-ans.sqlite3

Each command is run as staff run it, in a process of its own, several times; the best is printed.
`cpu` is what the process used, on a machine that is busy the better figure; `start` is what a
command costs that asks the database nothing.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from time import perf_counter

from sqlalchemy import func, select

from alerts.tables import Edition, Letter, Told
from base.database import connect
from sources.tables import Tender
from subscriptions.tables import Contact

TRIES = 3


def main() -> None:
    """Print a line a question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where", help="a path, or a SQLAlchemy address")
    where = parser.parse_args().where
    url = where if "://" in where else f"sqlite:///{os.path.abspath(where)}"  # noqa: PTH100
    start, _ = _best(url, ("--help",))
    print(f"{'start':58}{start:6.2f} s")
    for words in _questions(url):
        cpu, wall = _best(url, words)
        print(
            f"{' '.join(words):58}{cpu:6.2f} s cpu, {wall:6.2f} s, over start {cpu - start:5.2f} s"
        )


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
        ("rapport", "secteurs", "--du", before, "--au", str(monday)),
        ("rapport", "sans-avis", "--au", str(monday + timedelta(days=1))),
        ("rapport", "sources", "--au", str(monday)),
        ("rapport", "municipalite", "Saint-Jérôme", "--au", str(monday)),
    ]


def _best(url: str, words: tuple[str, ...]) -> tuple[float, float]:
    """The least seconds of the processor, and of the clock, that the command took."""
    return min(_once(url, words) for _ in range(TRIES))


def _once(url: str, words: tuple[str, ...]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        before, begun = _spent(), perf_counter()
        done = subprocess.run(  # noqa: S603, our own command
            [sys.executable, "-m", "scripts", *words],
            cwd=folder,
            env=os.environ | {"DATABASE_URL": url, "PYTHONPATH": os.getcwd()},  # noqa: PTH109
            capture_output=True,
            check=False,
        )
        wall = perf_counter() - begun
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{words}: {done.stderr.decode()[-500:]}")
    return _spent() - before, wall


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
