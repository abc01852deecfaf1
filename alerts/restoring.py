"""A database put back from a copy: held, whatever the journal says, until staff have looked."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from sqlalchemy import Dialect, delete, insert, inspect, make_url, select, update
from sqlalchemy.orm import Session

from alerts import ledger
from alerts.hold_tables import Hold
from alerts.journal import Journal
from alerts.outbox import WAITING
from alerts.tables import Letter, LetterState
from base import backup, heartbeat
from base.concerns import raise_concern
from base.database import connect, upgrade
from base.heartbeat import Heartbeat
from base.maintenance import Maintenance

#: The cause of the hold.
CAUSE = "restored"
#: A service that beat so lately is at work.
LATELY = heartbeat.GAP / 6


def restore(path: Path, url: str, *, at: datetime, by: str) -> None:
    """Put the copy back, held from its first instant, and bring it to this code's schema.

    Raises:
        CopyRefused: nothing was changed (base.backup.restore).
    """
    dialect = make_url(url).get_dialect()()
    backup.restore(path, url, _hold(at, by, path.name, dialect))
    upgrade(url)
    database = connect(url)
    try:
        with database.write() as session:
            # Its signs of life are of the day it was copied, and so is what was announced.
            session.execute(delete(Heartbeat))
            session.execute(delete(Maintenance).where(Maintenance.ends_at > at))
            raise_concern(session, key="hold:restored", cause="hold restored", detail={}, at=at)
    finally:
        database.dispose()


def settle_accepted(session: Session, journal: Journal, *, at: datetime) -> int:
    """Letters that wait here and were accepted before, by the journal: they do not leave again.

    How many there were. For a database that was put back, or had its editions written anew
    since; elsewhere none is found.
    """
    accepted = journal.accepted_keys()
    waiting = session.execute(select(Letter.id, Letter.key).where(Letter.state.in_(WAITING)))
    ids = [letter_id for letter_id, key in waiting if key in accepted]
    settled = session.scalars(
        update(Letter)
        .where(Letter.id.in_(ids), Letter.state.in_(WAITING))
        .values(state=LetterState.ACCEPTED, settled_at=at, reply="the journal has its acceptance")
        .returning(Letter.id)
        .execution_options(synchronize_session=False)
    ).all()
    ledger.confirm(session, settled)
    return len(settled)


def _hold(at: datetime, by: str, copy: str, dialect: Dialect) -> str:
    """One statement that holds everything; its columns are those of the first schema."""
    held = insert(Hold).values(
        set_at=at,
        cause=CAUSE,
        detail=re.sub(r"[^\w.-]", "_", copy),
        set_by=by,
        lifted_at=None,
        lifted_by="",
    )
    return str(held.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def at_work(url: str, at: datetime) -> bool:
    """Whether the service on the database at `url` beat just now: it must be stopped first."""
    database = connect(url)
    try:
        if not inspect(database.engine).has_table(Heartbeat.__tablename__):
            return False
        with database.read() as session:
            beat = heartbeat.all_beats(session).get("service")
            return beat is not None and at - beat.at < LATELY
    finally:
        database.dispose()
