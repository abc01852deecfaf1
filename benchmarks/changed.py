"""Print what changes cost a minute, and what the guard against false letters costs a claim.

    python -m benchmarks.changed [contacts] [calls]

On a fresh SQLite database, with the calls and readers of benchmarks.at_once, weekly, all told. Of
the calls 37 % are amended, as in SEAO's archive, and every tenth of those is cancelled.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from sqlalchemy import func, select, true, update

from alerts import change_runs, outbox, reminders, stale
from alerts.looked import Looked
from alerts.poison import Poison
from alerts.tables import Edition, EditionState, Letter, LetterState, Told, ToldState
from base.database import Database, connect, upgrade
from benchmarks import at_once
from benchmarks.at_once import AT, MINUTE
from sources.tables import Revision, Tender
from subscriptions.tables import Contact, Subscription
from tests.coop import DESK


def main() -> None:
    contacts, calls = (int(word) for word in (*sys.argv[1:], "5000", "500")[:2])
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'alertes.sqlite3'}"
        upgrade(url)
        database = connect(url)
        at_once._fill(database, contacts, calls)  # noqa: SLF001, the same world
        looked = Looked()
        at_once._due(database, looked, 5)  # noqa: SLF001, the same world
        told = at_once._tell(database, looked)  # noqa: SLF001, the same world
        print(f"{contacts} readers, {calls} calls, {told} notices told")
        with database.write() as session:
            session.execute(update(Subscription).values(frequency="weekly"))
        _timed("a minute, nothing amended", lambda: _due(database))
        _timed("a minute's reminders, nobody interested", lambda: _reminded(database))
        _timed("looking for what became false, nothing waits", lambda: _false(database))
        _wait(database)
        _timed("looking for what became false, all waits", lambda: _false(database))
        _timed("claiming all", lambda: _claim(database))
        plain, stale.is_false = stale.is_false, lambda _: ~true()
        _timed("claiming all, were it not asked", lambda: _claim(database))
        stale.is_false = plain
        _accept(database)
        amended = _amend(database, calls)
        _timed(f"a minute, {amended} calls amended", lambda: _due(database))
        database.dispose()


def _timed(what: str, work: Callable[[], int]) -> None:
    begun = perf_counter()
    found = work()
    print(f"{what}: {perf_counter() - begun:.2f} s, {found} letters")


def _due(database: Database) -> int:
    with database.read() as session:
        return len(change_runs.due(session, DESK.lexicon, Poison(), at=AT + 60 * MINUTE))


def _reminded(database: Database) -> int:
    with database.read() as session:
        return len(reminders.due(session, at=AT))


def _false(database: Database) -> int:
    with database.write() as session:
        return stale.set_aside(session, at=AT)


def _wait(database: Database) -> None:
    """All letters are an edition's, and wait."""
    with database.write() as session:
        edition = Edition(
            frequency="weekly",
            label="2026-W39",
            starts_at=AT - MINUTE,
            ends_at=AT,
            opened_at=AT,
            state=EditionState.WRITTEN,
        )
        session.add(edition)
        session.flush()
        waiting = {"edition_id": edition.id, "state": LetterState.WRITTEN, "content": b"x" * 40_000}
        address = select(Contact.address).where(Contact.id == Letter.contact_id).scalar_subquery()
        until = AT + 4000 * MINUTE
        session.execute(update(Letter).values(address=address, expires_at=until, **waiting))
        session.execute(update(Told).values(state=ToldState.RESERVED))


def _claim(database: Database) -> int:
    """As a dispatcher: lot after lot; then all wait again."""
    claimed = 0
    while True:
        with database.write() as session:
            lot = outbox.claim(session, claim="c", most=100, allowed=frozenset({"*"}), at=AT)
        claimed += len(lot.claimed)
        if not lot.looked_at:
            break
    with database.write() as session:
        session.execute(update(Letter).values(state=LetterState.WRITTEN))
    return claimed


def _accept(database: Database) -> None:
    with database.write() as session:
        session.execute(update(Letter).values(state=LetterState.ACCEPTED))
        session.execute(update(Told).values(state=ToldState.CONFIRMED))


def _amend(database: Database, calls: int) -> int:
    """An addendum to 37 % of the calls, and the end of every tenth of those."""
    with database.write() as session:
        ids = session.scalars(select(Tender.id).order_by(Tender.id).limit(calls * 37 // 100)).all()
        for n, tender_id in enumerate(ids):
            of = session.scalars(select(Revision).where(Revision.tender_id == tender_id)).one()
            of.documents = ["devis.pdf"]
            names = [c.key for c in Revision.__mapper__.column_attrs if c.key != "id"]
            values = {name: getattr(of, name) for name in names}
            status = "cancelled" if n % 10 == 0 else "active"
            changes = {"number": 2, "status": status, "documents": ["devis.pdf", "addenda.pdf"]}
            session.add(Revision(**values | changes | {"material_hash": f"{n:064}"}))
            session.execute(
                update(Tender).where(Tender.id == tender_id).values(latest=2, status=status)
            )
        return session.scalar(select(func.count()).where(Tender.latest > 1)) or 0


if __name__ == "__main__":
    main()
