"""Who may be mailed at this instant: the guards, and the one statement that lets a letter leave.

The same conditions serve three times: `contacts_refused` when an edition is written (so that
nobody writes a letter in vain), `letters_refused` when a letter is claimed, and `let_pass`
between the body and the final dot. Only the last decides: its commit is the moment from which
a letter counts as begun, and a lapse or an unsubscribe that was committed before it always wins.
`hold_still` is what makes "before" mean something on PostgreSQL.

Which guards a letter must pass is its `gate`, within the same statement: what confirms a
contact's own act may reach one that just left or paused, or the other mailbox of a change of
address; never anybody but a contact of an active member (docs/decisions/0010).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Select,
    Update,
    bindparam,
    case,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from alerts import guards
from alerts.guards import CONTACT, LETTER, Guard, instant
from alerts.tables import Gate, Letter, LetterState, Why
from base import locks
from base.database import UtcDateTime
from subscriptions import erased
from subscriptions.tables import Consent, Contact, Membership, Subscription

#: How long a letter in doubt is its dispatcher's without a sign of life; the relay's answer may
#: take ten minutes (RFC 5321, 4.5.3.2.6), and the dispatcher that waits for it gives signs.
REPLY_WITHIN = timedelta(seconds=30)
#: Milliseconds that the statement waits for a lock before it lets others go first; below
#: PostgreSQL's deadlock_timeout, so that in a deadlock it is never the other who is refused.
_LOCK_WITHIN = 500

_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_UNTIL = bindparam("until", type_=UtcDateTime())


def hold_still(session: Session, letter_ids: list[int]) -> None:
    """Make a change that is being committed come before or after us, not within.

    On PostgreSQL the rows that entitle are locked for sharing, so a lapse or an unsubscribe
    either was committed before `let_pass` reads, or waits for our commit; so do a hold and a
    suppression, which are new rows (base.locks). Raises OperationalError where a lock is not
    to be had: nothing was done, the transaction may be tried again. SQLite has one writer:
    there the write lock is taken.
    """
    if session.connection().dialect.name == "sqlite":
        return
    session.execute(text(f"SET LOCAL lock_timeout = {_LOCK_WITHIN}"))
    locks.relying(session, locks.Absence.PROHIBITION)
    # Twice: a change for which the first pass waited has put a new row in the old one's place.
    for _ in range(2):
        _lock_rows(session, letter_ids)


def _lock_rows(session: Session, letter_ids: list[int]) -> None:
    for locking in _lockings():
        session.execute(locking, {_IDS.key: letter_ids})


@cache
def _lockings() -> tuple[Executable, ...]:
    """One SELECT ... FOR SHARE a table, in an order that is everybody's."""
    contacts = select(Letter.contact_id).where(Letter.id.in_(_IDS))
    members = select(Contact.member_id).where(Contact.id.in_(contacts))
    return tuple(
        select(table.id).where(locked).order_by(table.id).with_for_update(read=True)
        for table, locked in (
            (Contact, Contact.id.in_(contacts)),
            (Subscription, Subscription.contact_id.in_(contacts)),
            (Consent, Consent.contact_id.in_(contacts)),
            (Membership, Membership.member_id.in_(members)),
        )
    )


def let_pass(
    session: Session,
    letter_ids: list[int],
    *,
    claim: str,
    allowed: frozenset[str],
    at: datetime,
    reply_within: timedelta = REPLY_WITHIN,
) -> set[int]:
    """THE statement: CLAIMED -> IN_DOUBT for those letters whose contact is entitled at `at`.

    Returns the ids that may get their final dot once the caller's transaction is committed.
    For the others the connection must be closed without the dot; `letters_refused` says why.
    `hold_still` comes first, in the same transaction, and `at` is the moment after it.
    """
    if erased.are_hidden(session):
        addresses = session.scalars(select(Letter.address).where(Letter.id.in_(letter_ids))).all()
        # Whichever way an address came back: only now is its suppression sure to be read.
        erased.recognise(session, addresses)
    known: dict[str, Any] = {_IDS.key: letter_ids, "by": claim, _UNTIL.key: at + reply_within}
    return set(session.scalars(_passing(allowed), known | instant(at)))


@lru_cache(maxsize=8)
def _passing(allowed: frozenset[str]) -> Update:
    return (
        update(LETTER)
        .where(LETTER.c.id.in_(_IDS))
        .where(LETTER.c.state == LetterState.CLAIMED, LETTER.c.claim == bindparam("by"))
        .where(*(condition for _, condition in guards.letter_guards(allowed)))
        .values(
            state=LetterState.IN_DOUBT,
            in_doubt_at=guards.INSTANT,
            lease_until=_UNTIL,
            membership_id=guards.entitling_membership(),
        )
        .returning(LETTER.c.id)
    )


def letters_refused(
    session: Session, letter_ids: Iterable[int], *, allowed: frozenset[str], at: datetime
) -> dict[int, Why]:
    """For each of those letters that may not leave at `at`: the first guard that says no."""
    known: dict[str, Any] = {_IDS.key: list(letter_ids)}
    found = session.execute(_letters_refused(allowed), known | instant(at))
    return {letter_id: Why(why) for letter_id, why in found if why}


@lru_cache(maxsize=8)
def _letters_refused(allowed: frozenset[str]) -> Select[int, str]:
    first = _first_refusal(guards.letter_guards(allowed))
    return select(LETTER.c.id, first).where(LETTER.c.id.in_(_IDS))


def contacts_refused(
    session: Session, contact_ids: Iterable[int], *, at: datetime, gate: Gate = Gate.FULL
) -> dict[int, Why]:
    """For each of those contacts that may not be written to at `at`: the first guard's no."""
    known: dict[str, Any] = {_IDS.key: list(contact_ids)}
    found = session.execute(_contacts_refused(gate), known | instant(at))
    return {contact_id: Why(why) for contact_id, why in found if why}


@lru_cache(maxsize=8)
def _contacts_refused(gate: Gate) -> Select[int, str]:
    spared = frozenset() if gate is Gate.FULL else guards.OF_NOTICES | {Why.SUPPRESSED}
    first = _first_refusal([one for one in guards.contact_guards() if one[0] not in spared])
    return select(CONTACT.c.id, first).where(CONTACT.c.id.in_(_IDS))


def _first_refusal(guards: list[Guard]) -> ColumnElement[str]:
    return case(*((~condition, literal(why.value)) for why, condition in guards), else_="")
