"""Print what a minute of letters at once costs, with 5,000 readers at once and 500 open calls.

    python -m benchmarks.at_once [contacts] [calls]

On a fresh SQLite database. The calls have the real titles of tests/sources/data/notices.csv, the
readers three sectors each (seeded). Everything was told already but one call that comes last.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import insert

from alerts import at_once
from alerts.looked import Looked
from alerts.streams import Tick
from alerts.tables import Letter, LetterState, Told, ToldState
from base.database import Database, connect, upgrade
from subscriptions import sectors
from tests.coop import DESK, entitled, tender
from tests.variants import notices

#: Tuesday, 10:00 in Québec.
AT = datetime(2026, 9, 22, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def main() -> None:
    contacts, calls = (int(word) for word in (*sys.argv[1:], "5000", "500")[:2])
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'alertes.sqlite3'}"
        upgrade(url)
        database = connect(url)
        _fill(database, contacts, calls)
        looked = Looked()
        _timed("a process that starts, nothing told", lambda: _due(database, looked, 5))
        told = _tell(database, looked)
        print(f"{contacts} readers, {calls} calls, {told} notices told")
        looked = Looked()
        _timed("a process that starts, all told", lambda: _due(database, looked, 20))
        _timed("a minute in which nothing came", lambda: _due(database, looked, 21))
        _come(database, AT + 21 * MINUTE)
        _timed("a minute in which a call came", lambda: _due(database, looked, 22))
        _timed("a minute of a night in which they wait", lambda: _due(database, looked, 60 * 12))
        _timed("the minute in which they are due", lambda: _due(database, looked, 60 * 24))
        database.dispose()


def _timed(what: str, work: Callable[[], int]) -> None:
    clock, begun = perf_counter(), process_time()
    due = work()
    cpu, wall = process_time() - begun, perf_counter() - clock
    print(f"{what}: {cpu:.2f} s of processor, {wall:.2f} s, {due} letters due")


def _due(database: Database, looked: Looked, minutes: int) -> int:
    tick = Tick(database=database, desk=DESK, at=AT + minutes * MINUTE, looked=looked)
    if not at_once.is_called(tick):
        return 0
    return len(at_once._due(tick))  # noqa: SLF001, only counted


def _fill(database: Database, contacts: int, calls: int) -> None:
    chosen = random.Random(7)  # noqa: S311, no secret
    slugs = [sector.slug for sector in sectors.load()]
    with database.write() as session:
        for number in range(contacts):
            wanted = chosen.sample(slugs, 3)
            entitled(session, f"c{number}", frequency="instant", sectors=wanted)
        for number, one in enumerate(islice(cycle(notices()), calls)):
            closes_at = AT + timedelta(days=20 + number % 20)
            tender(session, str(number), title=one.title, buyer=one.buyer, closes_at=closes_at)


def _come(database: Database, at: datetime) -> None:
    """One more call, for many."""
    with database.write() as session:
        _, revision = tender(session, "last", closes_at=at + timedelta(days=30))
        revision.seen_at = at


def _tell(database: Database, looked: Looked) -> int:
    """A letter a reader with all that is for it, as the ledger would have them."""
    letters, told = [], []
    for reader in looked.readers.values():
        letters.append(_letter(reader.contact_id))
        for cluster_id, call in looked.untold(reader, AT).items():
            told.append(_told(reader.contact_id, cluster_id, call.revision.id))
    with database.write() as session:
        session.execute(insert(Letter), letters)
        session.execute(insert(Told), told)
    return len(told)


def _letter(contact_id: int) -> dict[str, Any]:
    return {
        "id": contact_id,
        "key": f"essai:{contact_id}",
        "contact_id": contact_id,
        "address": "",
        "message_id": f"<{contact_id}@exemple.quebec>",
        "sha256": "",
        "size": 0,
        "notices": 1,
        "state": LetterState.ACCEPTED,
        "written_at": AT,
        "expires_at": AT,
        "next_attempt_at": AT,
    }


def _told(contact_id: int, cluster_id: int, revision_id: int) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        "cluster_id": cluster_id,
        "kind": "new",
        "occasion": "-",
        "revision_id": revision_id,
        "letter_id": contact_id,
        "state": ToldState.CONFIRMED,
        "at": AT,
        "reasons": [],
    }


if __name__ == "__main__":
    main()
