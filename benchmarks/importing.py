"""How long a roster of 5,000 lines takes: read, compared, applied, undone, and once more.

Each on one core, in seconds of processor time and of the clock, on an empty SQLite file. Run:
python benchmarks/importing.py [LINES]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from base.database import ready_or_new
from subscriptions import importing, roster, sectors, undo_plan, undoing

LINES = 5000
AT = datetime(2026, 9, 21, 14, tzinfo=UTC)


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Print how long the block took."""
    cpu, clock = time.process_time(), time.perf_counter()
    yield
    took = time.process_time() - cpu, time.perf_counter() - clock
    print(f"{what:28} {took[0]:6.2f} s of processor {took[1]:6.2f} s")


def document(lines: int) -> bytes:
    """A fictional roster: two contacts an enterprise, every column filled in."""
    labels = [sector.label for sector in sectors.load()]
    headings = (
        "Entreprise;Téléphone;Statut;Début;Fin;Contact;Courriel;Secteurs;Fréquence;Territoire;"
        "Base de consentement;Preuve;Date de consentement"
    )
    text = [headings]
    text += [
        f"Coop fictive {n // 2};450 555-0101;Actif;2024-01-01;;Personne fictive {n};"
        f"p{n}@coop{n // 2}.exemple.quebec;{labels[n % len(labels)]}|{labels[n * 7 % len(labels)]};"
        f"hebdomadaire;Mirabel;exprès;Formulaire fictif {n};2024-02-03"
        for n in range(lines)
    ]
    return "\n".join(text).encode()


def main() -> None:
    """Print each step."""
    lines = int(sys.argv[1]) if sys.argv[1:] else LINES
    content, catalogue = document(lines), sectors.load()
    with tempfile.TemporaryDirectory() as folder:
        database = ready_or_new(f"sqlite:///{folder}/a.sqlite3")
        with measured(f"read {lines} lines"):
            found = roster.read(content, catalogue)
        with measured("compared"), database.read() as session:
            shown = importing.difference(session, found, AT)
        with measured("applied"), database.write() as session:
            importing.take_in(session, found, at=AT, by="essai", shown=shown)
        with measured("the same once more"), database.write() as session:
            importing.take_in(session, found, at=AT, by="essai")
        with measured("undoing shown"), database.read() as session:
            plan = undo_plan.undoing(session)
        assert plan is not None  # noqa: S101, the import above
        with measured("undone"), database.write() as session:
            undoing.undo(session, plan, at=AT + timedelta(days=1), by="essai")
        database.dispose()


if __name__ == "__main__":
    main()
