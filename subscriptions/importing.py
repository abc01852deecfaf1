"""A roster applied: what is known is read, compared, and changed, in the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from base import locks
from base.progress import Progress, untold
from subscriptions.applying import Application
from subscriptions.comparing import compare
from subscriptions.difference import Difference
from subscriptions.errors import Overtaken
from subscriptions.import_tables import RosterImport
from subscriptions.knowledge import known
from subscriptions.roster import Roster


def difference(session: Session, roster: Roster, at: datetime) -> Difference:
    """What the roster would change; nothing is."""
    return compare(roster, known(session, at), at)


def take_in(
    session: Session,
    roster: Roster,
    *,
    at: datetime,
    by: str,
    shown: Difference | None = None,
    progress: Progress = untold,
) -> Difference:
    """Apply a roster and say what it changed. The same one a second time changes nothing.

    All or nothing is the caller's transaction (`database.write()`). `shown` is the difference
    that was agreed to.

    Raises:
        Overtaken: what is known has changed since `shown`, or changes at this moment.
    """
    locks.adding(session, locks.Absence.ROSTER)
    found = difference(session, roster, at)
    if shown is not None and shown != found:
        raise Overtaken("roster")
    if not found.is_empty:
        applied = RosterImport(at=at, recorded_by=by)
        session.add(applied)
        session.flush()
        Application.of(session, applied.id, found, at=at, by=by).run(found, progress)
    return found
