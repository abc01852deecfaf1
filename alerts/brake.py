"""The automatic brake: a run far beyond the usual ones waits until a person has looked.

A run is an edition, measured in the transaction that ends its writing, before any of its
letters can be claimed. What is compared: its letters, and its notices a letter.
"""

from __future__ import annotations

from datetime import datetime
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import holds
from alerts.tables import Edition, EditionState, Letter, LetterState
from base.concerns import raise_concern

#: How many past runs the median is taken over, and how few of them say nothing yet.
PAST_RUNS, FEWEST_RUNS = 8, 3
#: A run beyond so many times the median is held.
TIMES = 3


def measure(session: Session, edition: Edition, *, at: datetime) -> str:
    """Count what that edition wrote, and hold everything where it is far beyond the past.

    Returns the cause of the hold: "brake", "first run" where nothing was ever sent from this
    database, or "". An edition without letters holds nothing and counts for nothing.
    """
    letters, notices = _written(session, edition)
    edition.letters, edition.notices = letters, notices
    session.flush()
    past = _past(session, edition) if letters else []
    if letters and not past:
        return "first run" if _hold_first_run(session, letters, notices, at) else ""
    if len(past) < FEWEST_RUNS:
        return ""
    usual = (median(n for n, _ in past), median(told / n for n, told in past))
    if letters <= TIMES * usual[0] and notices / letters <= TIMES * usual[1]:
        return ""
    detail = {"letters": letters, "usual_letters": round(usual[0])}
    detail |= {"notices": notices, "usual_notices": round(usual[1] * letters)}
    _hold(session, "brake", f"edition:{edition.id}", detail, at)
    return "brake"


def _hold_first_run(session: Session, letters: int, notices: int, at: datetime) -> bool:
    if holds.ever(session, holds.FIRST_RUN):
        return False
    detail = {"letters": letters, "notices": notices}
    _hold(session, holds.FIRST_RUN, holds.FIRST_RUN, detail, at)
    return True


def _hold(session: Session, cause: str, key: str, detail: dict[str, int], at: datetime) -> None:
    words = ", ".join(f"{name}={number}" for name, number in detail.items())
    holds.hold(session, cause=cause, detail=words, by="service", at=at)
    raise_concern(session, key=f"hold:{key}", cause=f"hold {cause}", detail=detail, at=at)


def _written(session: Session, edition: Edition) -> tuple[int, int]:
    """Letters of an edition and the notices in them; those that cannot be composed apart."""
    counted = session.execute(
        select(func.count(), func.coalesce(func.sum(Letter.notices), 0)).where(
            Letter.edition_id == edition.id, Letter.state != LetterState.QUARANTINED
        )
    ).one()
    return int(counted[0]), int(counted[1])


def _past(session: Session, edition: Edition) -> list[tuple[int, int]]:
    """The letters and notices of the last runs of that frequency."""
    rows = session.execute(
        select(Edition.letters, Edition.notices)
        .where(
            Edition.frequency == edition.frequency,
            Edition.state == EditionState.WRITTEN,
            Edition.letters > 0,
            Edition.id != edition.id,
        )
        .order_by(Edition.ends_at.desc())
        .limit(PAST_RUNS)
    )
    return [(letters, notices) for letters, notices in rows]
