"""Letters that became false while they waited: kept back, and composed anew under their key.

A letter tells of revisions. Where a later one says something else, where a call closed since,
or where a reminder's reader takes its interest back, what it tells is not true any more. Such a
letter is not claimed; at the next tick what it would have told is given back, and it is composed
again as one in quarantine is (alerts.quarantine). A letter that is CLAIMED goes on: what is read
between its claim and its dot is told as a change of what it said.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, text, update
from sqlalchemy.orm import Session, aliased

from alerts import ledger, reactions
from alerts.tables import ON_ITS_WAY, Kind, Letter, LetterState, Told, ToldState
from sources import authority
from sources.tables import Revision, Tender

#: What waits for its turn, and may have become false.
_WAITING = (LetterState.WRITTEN, LetterState.DEFERRED)

#: Made once: an alias works its columns out anew, and this is asked each minute.
_LATER = aliased(Revision)

#: An instant, or the parameter that stands for it.
At = datetime | ColumnElement[datetime]


def is_false(at: At) -> ColumnElement[bool]:
    """Of a Letter: what it tells is not so any more at `at`. Never one without an edition."""
    amended, closed, overruled = _amended(), _closed(at), _overruled()
    told = (
        exists()
        .where(Told.letter_id == Letter.id, Told.state == ToldState.RESERVED)
        .where(Revision.id == Told.revision_id, Tender.id == Revision.tender_id)
        .where(or_(amended, closed, overruled, _not_wanted()))
        .correlate(Letter)
    )
    return and_(Letter.edition_id.is_not(None), told)


def set_aside(session: Session, *, at: datetime) -> int:
    """Make what waits and is false STALE, and give back what it would have told; how many.

    Of two that do so at once, one does; a letter that was claimed meanwhile goes on.
    """
    stale = session.scalars(
        update(Letter)
        .where(text(f"letter.{ON_ITS_WAY}"), Letter.state.in_(_WAITING), is_false(at))
        .values(state=LetterState.STALE, attempts=0, next_attempt_at=at, reply="")
        .returning(Letter.id)
        .execution_options(synchronize_session=False)
    ).all()
    ledger.release(session, stale)
    return len(stale)


def _amended() -> ColumnElement[bool]:
    """A later revision of the same tender says something else."""
    return (
        exists()
        .where(
            _LATER.tender_id == Tender.id,
            _LATER.number == Tender.latest,
            _LATER.number > Revision.number,
            _LATER.material_hash != Revision.material_hash,
        )
        .correlate(Tender, Revision)
    )


def _closed(at: At) -> ColumnElement[bool]:
    """It closed since the letter was written; a cancellation is told of until then only too."""
    return and_(Tender.closes_at <= at, Tender.closes_at > Letter.written_at)


def _overruled() -> ColumnElement[bool]:
    """SEAO's weekly file says that a call of its search is off."""
    return and_(Told.kind != Kind.CANCELLATION, authority.is_overruled())


def _not_wanted() -> ColumnElement[bool]:
    """A reminder of what the contact is not interested in any more."""
    wanted = reactions.is_awaited(Told.contact_id, func.coalesce(Tender.cluster_id, Tender.id))
    return and_(Told.kind == Kind.REMINDER, ~wanted)
