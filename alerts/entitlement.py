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

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    and_,
    case,
    exists,
    false,
    literal,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.orm import Session

from alerts.hold_tables import Hold
from alerts.tables import Gate, Letter, LetterState, Why
from base import locks
from subscriptions import erased, events
from subscriptions.tables import (
    Consent,
    Contact,
    Event,
    Membership,
    Subscription,
    Suppression,
    What,
)

#: How long a letter in doubt is its dispatcher's without a sign of life; the relay's answer may
#: take ten minutes (RFC 5321, 4.5.3.2.6), and the dispatcher that waits for it gives signs.
REPLY_WITHIN = timedelta(seconds=30)

Guard = tuple[Why, ColumnElement[bool]]

#: Guards that hold back only what tells notices (Gate.FULL).
_OF_NOTICES = frozenset({Why.SUBSCRIPTION, Why.PAUSED})


#: Milliseconds that the statement waits for a lock before it lets others go first; below
#: PostgreSQL's deadlock_timeout, so that in a deadlock it is never the other who is refused.
_LOCK_WITHIN = 500


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
    contacts = select(Letter.contact_id).where(Letter.id.in_(letter_ids))
    members = select(Contact.member_id).where(Contact.id.in_(contacts))
    for table, locked in (
        (Contact, Contact.id.in_(contacts)),
        (Subscription, Subscription.contact_id.in_(contacts)),
        (Consent, Consent.contact_id.in_(contacts)),
        (Membership, Membership.member_id.in_(members)),
    ):
        session.execute(
            select(table.id).where(locked).order_by(table.id).with_for_update(read=True)
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
    addresses = session.scalars(select(Letter.address).where(Letter.id.in_(letter_ids))).all()
    # Whichever way an address came back: only now is its suppression sure to be read.
    erased.recognise(session, addresses)
    passed = session.execute(
        update(Letter)
        .where(Letter.id.in_(letter_ids))
        .where(Letter.state == LetterState.CLAIMED, Letter.claim == claim)
        .where(and_(*(condition for _, condition in _letter_guards(allowed, at))))
        .values(
            state=LetterState.IN_DOUBT,
            in_doubt_at=at,
            lease_until=at + reply_within,
            membership_id=_entitling_membership(at),
        )
        .returning(Letter.id)
        .execution_options(synchronize_session=False)
    )
    return set(passed.scalars())


def letters_refused(
    session: Session, letter_ids: Iterable[int], *, allowed: frozenset[str], at: datetime
) -> dict[int, Why]:
    """For each of those letters that may not leave at `at`: the first guard that says no."""
    first = _first_refusal(_letter_guards(allowed, at))
    found = session.execute(select(Letter.id, first).where(Letter.id.in_(list(letter_ids))))
    return {letter_id: Why(why) for letter_id, why in found if why}


def contacts_refused(
    session: Session, contact_ids: Iterable[int], *, at: datetime, gate: Gate = Gate.FULL
) -> dict[int, Why]:
    """For each of those contacts that may not be written to at `at`: the first guard's no."""
    spared = frozenset() if gate is Gate.FULL else _OF_NOTICES | {Why.SUPPRESSED}
    first = _first_refusal([guard for guard in _contact_guards(at) if guard[0] not in spared])
    found = session.execute(select(Contact.id, first).where(Contact.id.in_(list(contact_ids))))
    return {contact_id: Why(why) for contact_id, why in found if why}


def _contact_guards(at: datetime) -> list[Guard]:
    """Conditions on a row of `contact`, each true where nothing forbids."""
    of_contact = Subscription.contact_id == Contact.id
    return [
        (
            Why.MEMBERSHIP,
            and_(
                Contact.ended_at.is_(None),
                exists()
                .where(Membership.member_id == Contact.member_id, *_entitles(at))
                .correlate(Contact),
            ),
        ),
        (
            Why.SUBSCRIPTION,
            exists().where(of_contact, Subscription.ended_at.is_(None)).correlate(Contact),
        ),
        (
            Why.PAUSED,
            ~exists()
            .where(of_contact, Subscription.ended_at.is_(None), Subscription.paused_until > at)
            .correlate(Contact),
        ),
        (
            Why.CONSENT,
            exists()
            .where(Consent.contact_id == Contact.id, *_holds(Consent, at))
            .correlate(Contact),
        ),
        (
            Why.SUPPRESSED,
            ~exists()
            .where(Suppression.address == Contact.address, Suppression.lifted_at.is_(None))
            .correlate(Contact),
        ),
    ]


def _letter_guards(allowed: frozenset[str], at: datetime) -> list[Guard]:
    """Conditions on a row of `letter`: those on its contact, and those on itself."""
    of_letter = Contact.id == Letter.contact_id
    guards = [
        (why, exists().where(of_letter, condition).correlate(Letter))
        for why, condition in _contact_guards(at)
    ]
    suppressed = exists().where(
        Suppression.address == Letter.address, Suppression.lifted_at.is_(None)
    )
    return [
        *((why, _at_gate(why, condition)) for why, condition in guards if why != Why.SUPPRESSED),
        (Why.SUPPRESSED, ~suppressed.correlate(Letter)),
        (Why.ADDRESS, _addressed(at)),
        (Why.NOT_ALLOWED, _allows(allowed)),
        (Why.EXPIRED, Letter.expires_at > at),
        (Why.HELD, ~exists().where(Hold.lifted_at.is_(None)).correlate(Letter)),
    ]


def _at_gate(why: Why, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(Letter.gate != Gate.FULL, condition) if why in _OF_NOTICES else condition


def _addressed(at: datetime) -> ColumnElement[bool]:
    """The letter goes to the contact's address; or to one that its change of address names."""
    own = exists().where(Contact.id == Letter.contact_id, Contact.address == Letter.address)
    proposed = exists().where(
        Event.contact_id == Letter.contact_id,
        Event.what == What.MOVE_PROPOSED,
        Event.new_address == Letter.address,
        Event.undone_at.is_(None),
        Event.at > at - events.MOVE_WITHIN,
    )
    former = exists().where(
        Event.contact_id == Letter.contact_id,
        Event.what == What.MOVED,
        Event.old_address == Letter.address,
        Event.undone_at.is_(None),
        Event.at > at - events.UNDO_WITHIN,
    )
    return or_(
        and_(Letter.gate.in_((Gate.FULL, Gate.ANSWER)), own.correlate(Letter)),
        and_(Letter.gate == Gate.NEW_MAILBOX, proposed.correlate(Letter)),
        and_(Letter.gate == Gate.OLD_MAILBOX, former.correlate(Letter)),
    )


def _allows(allowed: frozenset[str]) -> ColumnElement[bool]:
    """MAIL_ALLOWED as a condition: "*" is everybody, a word without @ is a domain."""
    if "*" in allowed:
        return true()
    if not allowed:
        return false()
    addresses = [word for word in allowed if not word.startswith("@") and "@" in word]
    domains = [word.removeprefix("@") for word in allowed if word not in addresses]
    return or_(
        Letter.address.in_(addresses),
        *(Letter.address.endswith(f"@{domain}", autoescape=True) for domain in domains),
    )


def _entitling_membership(at: datetime) -> ScalarSelect[int]:
    """The interval that makes the letter's contact a member's at `at`: the proof."""
    return (
        select(Membership.id)
        .join(Contact, Contact.member_id == Membership.member_id)
        .where(Contact.id == Letter.contact_id, *_entitles(at))
        .order_by(Membership.id)
        .limit(1)
        .correlate(Letter)
        .scalar_subquery()
    )


def _entitles(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """A stretch of membership holds at `at`, as far as is known now: a superseded one never."""
    return *_holds(Membership, at), Membership.superseded_at.is_(None)


def _holds(
    table: type[Membership | Consent], at: datetime
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """[starts_at, ends_at) holds at `at`."""
    return table.starts_at <= at, or_(table.ends_at.is_(None), table.ends_at > at)


def _first_refusal(guards: list[Guard]) -> ColumnElement[str]:
    return case(*((~condition, literal(why.value)) for why, condition in guards), else_="")
