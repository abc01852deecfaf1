"""What undoing the last import of a roster does: shown first, as a difference.

What was changed since by anybody stays as it is, and is named. Who unsubscribed since stays
unsubscribed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from base.clock import quebec_day
from subscriptions import wishes
from subscriptions.difference import Fact, Field
from subscriptions.import_tables import ImportStep, RosterImport, Step
from subscriptions.retracing import Trace, trace
from subscriptions.stretches import last_day
from subscriptions.tables import Contact, Membership, Subscription

_RENAMED = {
    Step.NAME: Field.NAME,
    Step.TELEPHONE: Field.TELEPHONE,
    Step.CONTACT_NAME: Field.CONTACT,
}


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
        same = last is None or _stood_before(known, last)
        untouched = f"contact:{contact.id}" not in known.changed
        stands = contact.ended_at is None and untouched and same
    else:
        stands = last is not None and last.id == step.row_id and last.ended_at is None
    if stands:
        return None
    return Since.LEFT if left else Since.CHANGED


def _stood_before(known: Trace, last: Subscription) -> bool:
    """Whether that is still what the import left: its own, or one that ended before it.

    One that left long ago and was taken back has no subscription of the import's.
    """
    if last.ended_at is None:
        return last.id in known.opened
    return last.ended_at <= known.at


def _facts(known: Trace, step: ImportStep) -> tuple[Fact, ...]:
    """What is there now, and what will be."""
    if step.what in _RENAMED:
        return (Fact(_RENAMED[Step(step.what)], step.after, step.before),)
    match step.what:
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
