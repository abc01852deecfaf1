"""The last import of a roster undone, as it was shown.

Nothing is deleted: a membership is withdrawn, a contact ended, a consent closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, case, insert, literal, update
from sqlalchemy.orm import Session

from base import audit, locks
from base.database import UtcDateTime
from subscriptions import members, wishes
from subscriptions.applying import in_audit
from subscriptions.difference import Fact, Field
from subscriptions.errors import Overtaken
from subscriptions.import_tables import ImportStep, RosterImport, Step
from subscriptions.retracing import Trace, trace
from subscriptions.tables import Consent, Membership, Origin, Subscription
from subscriptions.undo_plan import Undoing, undoing

ACTION = "membres annuler-import"
#: The reason of the stretches that are put back.
REASON = "import undone"
#: Rows that are changed together.
_LOT = 500


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
    known = trace(session, session.get_one(RosterImport, found.import_id))
    done = {one.step_id for one in found.done}
    _put_back(session, known, [step for step in known.steps if step.id in done], at=at, by=by)
    facts = {one.step_id: one.facts for one in found.done}
    notes = [_noted(s, facts[s.id], at=at, by=by) for s in known.steps if s.id in done]
    session.flush()
    session.execute(insert(audit.Audit), notes)
    return found


def _put_back(
    session: Session, known: Trace, steps: Sequence[ImportStep], *, at: datetime, by: str
) -> None:
    for step in steps:
        match step.what:
            case Step.NAME:
                known.members[step.member_id].name = step.before
            case Step.TELEPHONE:
                known.members[step.member_id].telephone = step.before
            case Step.CONTACT_NAME:
                known.contacts[step.contact_id or 0].name = step.before
            case Step.CONTACT:
                known.contacts[step.contact_id or 0].ended_at = at
            case Step.SUBSCRIPTION if step.before_id is not None:
                _resubscribe(session, known, step, at=at)
            case _:
                pass  # many at once, below
    _restretch(session, known, [s for s in steps if s.what == Step.MEMBERSHIP], at=at, by=by)
    opened = [s for s in steps if s.what == Step.SUBSCRIPTION and s.before_id is None]
    _all_of(session, Subscription, opened, Subscription.ended_at.is_(None), {
        "ended_at": at, "end_reason": wishes.REMOVED, "end_origin": Origin.STAFF.value,
    })  # fmt: skip
    given = [s for s in steps if s.what == Step.CONSENT]
    over = case((Consent.starts_at > at, Consent.starts_at), else_=literal(at, UtcDateTime()))
    _all_of(session, Consent, given, Consent.ends_at.is_(None), {"ends_at": over})


def _restretch(
    session: Session, known: Trace, steps: Sequence[ImportStep], *, at: datetime, by: str
) -> None:
    """Withdraw what the import recorded, and record anew what it superseded."""
    stands = Membership.superseded_at.is_(None)
    _all_of(session, Membership, steps, stands, {"superseded_at": at})
    before = [known.memberships[s.before_id] for s in steps if s.before_id is not None]
    session.add_all(
        members.new_membership(
            row.member_id,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            at=at,
            by=by,
            reason=REASON,
        )
        for row in before
    )


def _all_of(
    session: Session,
    table: type[Membership | Subscription | Consent],
    steps: Sequence[ImportStep],
    stands: ColumnElement[bool],
    values: dict[str, Any],
) -> None:
    """Change the rows that those steps added, which must all stand as the import left them."""
    ids = [step.row_id for step in steps]
    for place in range(0, len(ids), _LOT):
        some = ids[place : place + _LOT]
        changed = session.execute(
            update(table)
            .where(table.id.in_(some), stands)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(changed, CursorResult)  # noqa: S101, what an UPDATE gives
        if changed.rowcount != len(some):
            raise Overtaken(table.__tablename__)


def _resubscribe(session: Session, known: Trace, step: ImportStep, *, at: datetime) -> None:
    """What the contact asked before the import; who has just left asks nothing."""
    before = known.subscriptions[step.before_id or 0]
    asked = wishes.wishes_of(before)
    contact_id = step.contact_id or 0
    if wishes.change(session, contact_id, asked, origin=before.origin, at=at) is None:
        raise Overtaken(f"contact {contact_id}")


def _noted(step: ImportStep, facts: Sequence[Fact], *, at: datetime, by: str) -> dict[str, object]:
    # Never an address in the audit: the contact's number says whose it was.
    before, after = in_audit(f for f in facts if f.field is not Field.ADDRESS)
    subject = f"contact:{step.contact_id}" if step.contact_id else f"member:{step.member_id}"
    what = {"what": step.what} | before
    return {
        "at": at, "who": by, "action": ACTION, "subject": subject, "before": what, "after": after,
    }  # fmt: skip
