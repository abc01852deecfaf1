"""The last import of a roster undone: shown first, as a difference, then done.

What was changed since by anybody stays as it is, and is named. Nothing is deleted: a membership
is withdrawn, a contact ended, a consent closed. Who unsubscribed since stays unsubscribed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from base import audit, locks
from base.clock import quebec_day
from subscriptions import consent, members, wishes
from subscriptions.applying import in_audit
from subscriptions.difference import Fact, Field
from subscriptions.errors import Overtaken
from subscriptions.import_tables import ImportStep, RosterImport, Step
from subscriptions.retracing import Trace, trace
from subscriptions.stretches import last_day
from subscriptions.tables import Contact, Membership, Origin

ACTION = "membres annuler-import"
REASON = "import annulé"


class Since(StrEnum):
    """Why something of an import is not undone."""

    #: Staff, another import or the member changed the same thing.
    CHANGED = "changed"
    #: The contact unsubscribed: it stays so.
    LEFT = "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class Undone:
    """One thing that an import did, as it is and as it is to be; or why it stays."""

    step_id: int
    #: A Step.
    what: Step
    member_id: int
    #: The enterprise's name, or the contact's address.
    about: str
    facts: tuple[Fact, ...]
    #: None where it is undone.
    since: Since | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Undoing:
    """What undoing the last import does."""

    import_id: int
    imported_at: datetime
    imported_by: str
    #: When it was undone already, and by whom; then nothing is left to do.
    undone_at: datetime | None
    undone_by: str
    steps: tuple[Undone, ...]

    @property
    def done(self) -> tuple[Undone, ...]:
        """What is undone."""
        return tuple(s for s in self.steps if s.since is None)

    @property
    def kept(self) -> tuple[Undone, ...]:
        """What stays, because it was changed since."""
        return tuple(s for s in self.steps if s.since is not None)


def undoing(session: Session) -> Undoing | None:
    """What undoing the last import would do; None where there was no import."""
    last = session.scalar(select(RosterImport).order_by(RosterImport.id.desc()).limit(1))
    if last is None:
        return None
    steps = () if last.undone_at else tuple(_undone(session, last))
    return Undoing(
        import_id=last.id,
        imported_at=last.at,
        imported_by=last.recorded_by,
        undone_at=last.undone_at,
        undone_by=last.undone_by,
        steps=steps,
    )


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


def _undone(session: Session, last: RosterImport) -> Iterator[Undone]:
    known = trace(session, last)
    for step in known.steps:
        if step.what == Step.MEMBER:
            continue  # an enterprise stays; it is a member no more without its stretches
        contact = known.contacts.get(step.contact_id) if step.contact_id else None
        yield Undone(
            step_id=step.id,
            what=Step(step.what),
            member_id=step.member_id,
            about=contact.address if contact else known.members[step.member_id].name,
            facts=_facts(known, step),
            since=_since(known, step),
        )


def _since(known: Trace, step: ImportStep) -> Since | None:
    """Why it stays, or None."""
    match step.what:
        case Step.NAME:
            stands = known.members[step.member_id].name == step.after
        case Step.TELEPHONE:
            stands = known.members[step.member_id].telephone == step.after
        case Step.MEMBERSHIP:
            row = known.memberships[step.row_id or 0]
            stands = row.superseded_at is None and known.latest[step.member_id] < row.id
        case Step.CONSENT:
            stands = known.consents[step.row_id or 0].ends_at is None
        case _:
            return _contact_since(known, step, known.contacts[step.contact_id or 0])
    return None if stands else Since.CHANGED


def _contact_since(known: Trace, step: ImportStep, contact: Contact) -> Since | None:
    last = known.last.get(contact.id)
    left = last is not None and last.end_reason == wishes.UNSUBSCRIBED
    if step.what == Step.CONTACT_NAME:
        return None if contact.name == step.after else Since.CHANGED
    if step.what == Step.CONTACT:
        # One that left long ago and was taken back has no subscription of the import's.
        before = last is None or (last.ended_at is not None and last.ended_at <= known.at)
        same = before or (last.id in known.opened and last.ended_at is None)
        untouched = f"contact:{contact.id}" not in known.changed
        stands = contact.ended_at is None and untouched and same
    else:
        stands = last is not None and last.id == step.row_id and last.ended_at is None
    if stands:
        return None
    return Since.LEFT if left else Since.CHANGED


def _facts(known: Trace, step: ImportStep) -> tuple[Fact, ...]:
    """What is there now, and what will be."""
    match step.what:
        case Step.NAME:
            return (Fact(Field.NAME, step.after, step.before),)
        case Step.TELEPHONE:
            return (Fact(Field.TELEPHONE, step.after, step.before),)
        case Step.CONTACT_NAME:
            return (Fact(Field.CONTACT, step.after, step.before),)
        case Step.CONSENT:
            return (Fact(Field.CONSENT, known.consents[step.row_id or 0].basis, None),)
        case Step.MEMBERSHIP:
            return _stretch_facts(known, step)
        case Step.SUBSCRIPTION:
            return _wish_facts(known, step)
        case _:
            return (Fact(Field.ADDRESS, known.contacts[step.contact_id or 0].address, None),)


def _stretch_facts(known: Trace, step: ImportStep) -> tuple[Fact, ...]:
    now, before = known.memberships[step.row_id or 0], known.memberships.get(step.before_id or 0)
    facts = (
        Fact(
            Field.STARTS,
            quebec_day(now.starts_at),
            quebec_day(before.starts_at) if before else None,
        ),
        Fact(Field.ENDS, _last(now), _last(before) if before else None),
    )
    return tuple(f for f in facts if f.before != f.after)


def _last(stretch: Membership) -> date | None:
    return last_day(stretch.ends_at) if stretch.ends_at else None


def _wish_facts(known: Trace, step: ImportStep) -> tuple[Fact, ...]:
    now, before = (
        known.subscriptions.get(step.row_id or 0),
        known.subscriptions.get(step.before_id or 0),
    )
    facts = (
        Fact(Field.FREQUENCY, now.frequency if now else None, before.frequency if before else None),
        Fact(
            Field.SECTORS,
            tuple(now.sectors) if now else (),
            tuple(before.sectors) if before else (),
        ),
        Fact(
            Field.TERRITORY,
            tuple(now.territory) if now else (),
            tuple(before.territory) if before else (),
        ),
    )
    return tuple(f for f in facts if f.before != f.after)


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
