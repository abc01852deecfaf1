"""The last import of a roster undone, as it was shown.

Nothing is deleted: a membership is withdrawn, a contact ended, a consent closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from base import audit, locks
from subscriptions import consent, members, wishes
from subscriptions.applying import in_audit
from subscriptions.difference import Fact, Field
from subscriptions.errors import Overtaken
from subscriptions.import_tables import ImportStep, RosterImport, Step
from subscriptions.retracing import Trace, trace
from subscriptions.tables import Origin
from subscriptions.undo_plan import Undoing, undoing

ACTION = "membres annuler-import"
#: The reason of the stretches that are put back.
REASON = "import undone"


def undo(session: Session, shown: Undoing, *, at: datetime, by: str) -> Undoing:
    """Undo the import that was shown, in the caller's transaction.

    Raises:
        Overtaken: another import, another undo or a change came in between.
    """
    locks.adding(session, locks.Absence.ROSTER)
    found = undoing(session)
    if found is None or found != shown or not found.done:
        raise Overtaken("roster")
    marked = session.execute(
        update(RosterImport)
        .where(RosterImport.id == found.import_id, RosterImport.undone_at.is_(None))
        .values(undone_at=at, undone_by=by)
    )
    assert isinstance(marked, CursorResult)  # noqa: S101, what an UPDATE gives
    if marked.rowcount != 1:
        raise Overtaken("roster")
    last = session.get_one(RosterImport, found.import_id)
    known = trace(session, last)
    steps = {step.id: step for step in known.steps}
    for one in found.done:
        _put_back(session, known, steps[one.step_id], at=at, by=by)
        _note(session, steps[one.step_id], one.facts, at=at, by=by)
    session.flush()
    return found


def _put_back(session: Session, known: Trace, step: ImportStep, *, at: datetime, by: str) -> None:
    match step.what:
        case Step.NAME:
            known.members[step.member_id].name = step.before
        case Step.TELEPHONE:
            known.members[step.member_id].telephone = step.before
        case Step.CONTACT_NAME:
            known.contacts[step.contact_id or 0].name = step.before
        case Step.CONTACT:
            known.contacts[step.contact_id or 0].ended_at = at
        case Step.CONSENT:
            consent.end(session, step.row_id or 0, at=at)
        case Step.MEMBERSHIP:
            _restretch(session, known, step, at=at, by=by)
        case _:
            _resubscribe(session, known, step, at=at)


def _restretch(session: Session, known: Trace, step: ImportStep, *, at: datetime, by: str) -> None:
    before = known.memberships.get(step.before_id or 0)
    members.withdraw_membership(session, step.row_id or 0, at=at)
    if before is not None:
        members.begin_membership(
            session,
            step.member_id,
            starts_at=before.starts_at,
            ends_at=before.ends_at,
            at=at,
            by=by,
            reason=REASON,
        )


def _resubscribe(session: Session, known: Trace, step: ImportStep, *, at: datetime) -> None:
    """What the contact asked before; nothing where it asked nothing, or has just left."""
    before = known.subscriptions.get(step.before_id or 0)
    contact_id = step.contact_id or 0
    if before is None:
        wishes.remove(session, contact_id, origin=Origin.STAFF.value, at=at)
        return
    asked = wishes.wishes_of(before)
    if wishes.change(session, contact_id, asked, origin=before.origin, at=at) is None:
        raise Overtaken(f"contact {contact_id}")


def _note(
    session: Session, step: ImportStep, facts: Sequence[Fact], *, at: datetime, by: str
) -> None:
    # Never an address in the audit: the contact's number says whose it was.
    before, after = in_audit(f for f in facts if f.field is not Field.ADDRESS)
    subject = f"contact:{step.contact_id}" if step.contact_id else f"member:{step.member_id}"
    audit.record(
        session,
        at=at,
        who=by,
        action=ACTION,
        subject=subject,
        before={"what": step.what} | before,
        after=after,
    )
