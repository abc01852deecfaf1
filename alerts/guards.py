"""The conditions under which a contact may be mailed, and a letter leave, at an instant.

Built once: what changes from one question to the next is bound as a parameter (`instant`), so
that asking costs what the database needs for it, not what it takes to write the question anew.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Table,
    and_,
    bindparam,
    exists,
    false,
    or_,
    select,
    true,
)

from alerts.hold_tables import Hold
from alerts.tables import Gate, Letter, Why
from base.database import Base, UtcDateTime
from subscriptions import events
from subscriptions.tables import (
    Consent,
    Contact,
    Event,
    Membership,
    Subscription,
    Suppression,
    What,
)

#: Tables, not classes: a statement of these goes past the ORM, which would look at it each time.
LETTER, HOLD, CONTACT, MEMBERSHIP, CONSENT, SUBSCRIPTION, SUPPRESSION, EVENT = (
    Base.metadata.tables[one.__tablename__]
    for one in (Letter, Hold, Contact, Membership, Consent, Subscription, Suppression, Event)
)

Guard = tuple[Why, ColumnElement[bool]]

#: Guards that hold back only what tells notices (Gate.FULL).
OF_NOTICES = frozenset({Why.SUBSCRIPTION, Why.PAUSED})


def _moment(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=UtcDateTime())


#: The instant that is asked about, and since when a change of address must have been begun.
INSTANT = _moment("instant")
_PROPOSED_SINCE, _MOVED_SINCE = _moment("proposed_since"), _moment("moved_since")


def instant(at: datetime) -> dict[str, datetime]:
    """The parameters of whatever is made of these conditions, for that instant."""
    return {
        INSTANT.key: at,
        _PROPOSED_SINCE.key: at - events.MOVE_WITHIN,
        _MOVED_SINCE.key: at - events.UNDO_WITHIN,
    }


def contact_guards() -> list[Guard]:
    """Conditions on a row of `contact`, each true where nothing forbids."""
    of_contact = SUBSCRIPTION.c.contact_id == CONTACT.c.id
    return [
        (
            Why.MEMBERSHIP,
            and_(
                CONTACT.c.ended_at.is_(None),
                exists()
                .where(MEMBERSHIP.c.member_id == CONTACT.c.member_id, *_entitles())
                .correlate(CONTACT),
            ),
        ),
        (
            Why.SUBSCRIPTION,
            exists().where(of_contact, SUBSCRIPTION.c.ended_at.is_(None)).correlate(CONTACT),
        ),
        (
            Why.PAUSED,
            ~exists()
            .where(
                of_contact, SUBSCRIPTION.c.ended_at.is_(None), SUBSCRIPTION.c.paused_until > INSTANT
            )
            .correlate(CONTACT),
        ),
        (
            Why.CONSENT,
            exists()
            .where(CONSENT.c.contact_id == CONTACT.c.id, *_holds(CONSENT))
            .correlate(CONTACT),
        ),
        (
            Why.SUPPRESSED,
            ~exists()
            .where(SUPPRESSION.c.address == CONTACT.c.address, SUPPRESSION.c.lifted_at.is_(None))
            .correlate(CONTACT),
        ),
    ]


def letter_guards(allowed: frozenset[str]) -> list[Guard]:
    """Conditions on a row of `letter`: those on its contact, and those on itself."""
    of_letter = CONTACT.c.id == LETTER.c.contact_id
    guards = [
        (why, exists().where(of_letter, condition).correlate(LETTER))
        for why, condition in contact_guards()
    ]
    suppressed = exists().where(
        SUPPRESSION.c.address == LETTER.c.address, SUPPRESSION.c.lifted_at.is_(None)
    )
    return [
        *((why, _at_gate(why, condition)) for why, condition in guards if why != Why.SUPPRESSED),
        (Why.SUPPRESSED, ~suppressed.correlate(LETTER)),
        (Why.ADDRESS, _addressed()),
        (Why.NOT_ALLOWED, _allows(allowed)),
        (Why.EXPIRED, LETTER.c.expires_at > INSTANT),
        (Why.HELD, ~exists().where(HOLD.c.lifted_at.is_(None)).correlate(LETTER)),
    ]


def _at_gate(why: Why, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(LETTER.c.gate != Gate.FULL, condition) if why in OF_NOTICES else condition


def _addressed() -> ColumnElement[bool]:
    """The letter goes to the contact's address; or to one that its change of address names."""
    own = exists().where(CONTACT.c.id == LETTER.c.contact_id, CONTACT.c.address == LETTER.c.address)
    proposed = exists().where(
        EVENT.c.contact_id == LETTER.c.contact_id,
        EVENT.c.what == What.MOVE_PROPOSED,
        EVENT.c.new_address == LETTER.c.address,
        EVENT.c.undone_at.is_(None),
        EVENT.c.at > _PROPOSED_SINCE,
    )
    former = exists().where(
        EVENT.c.contact_id == LETTER.c.contact_id,
        EVENT.c.what == What.MOVED,
        EVENT.c.old_address == LETTER.c.address,
        EVENT.c.undone_at.is_(None),
        EVENT.c.at > _MOVED_SINCE,
    )
    return or_(
        and_(LETTER.c.gate.in_((Gate.FULL, Gate.ANSWER)), own.correlate(LETTER)),
        and_(LETTER.c.gate == Gate.NEW_MAILBOX, proposed.correlate(LETTER)),
        and_(LETTER.c.gate == Gate.OLD_MAILBOX, former.correlate(LETTER)),
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
        LETTER.c.address.in_(addresses),
        *(LETTER.c.address.endswith(f"@{domain}", autoescape=True) for domain in domains),
    )


def entitling_membership() -> ScalarSelect[int]:
    """The interval that makes the letter's contact a member's at the instant: the proof."""
    return (
        select(MEMBERSHIP.c.id)
        .join(CONTACT, CONTACT.c.member_id == MEMBERSHIP.c.member_id)
        .where(CONTACT.c.id == LETTER.c.contact_id, *_entitles())
        .order_by(MEMBERSHIP.c.id)
        .limit(1)
        .correlate(LETTER)
        .scalar_subquery()
    )


def _entitles() -> tuple[ColumnElement[bool], ...]:
    """A stretch of membership holds at the instant, as is known now: a superseded one never."""
    return *_holds(MEMBERSHIP), MEMBERSHIP.c.superseded_at.is_(None)


def _holds(
    table: Table,
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """[starts_at, ends_at) holds at the instant."""
    return table.c.starts_at <= INSTANT, or_(table.c.ends_at.is_(None), table.c.ends_at > INSTANT)
