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
    and_,
    bindparam,
    exists,
    false,
    or_,
    select,
    true,
)

from alerts.tables import Gate, Hold, Letter, Why
from base.database import UtcDateTime
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
    of_contact = Subscription.contact_id == Contact.id
    return [
        (
            Why.MEMBERSHIP,
            and_(
                Contact.ended_at.is_(None),
                exists()
                .where(Membership.member_id == Contact.member_id, *_entitles())
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
            .where(of_contact, Subscription.ended_at.is_(None), Subscription.paused_until > INSTANT)
            .correlate(Contact),
        ),
        (
            Why.CONSENT,
            exists().where(Consent.contact_id == Contact.id, *_holds(Consent)).correlate(Contact),
        ),
        (
            Why.SUPPRESSED,
            ~exists()
            .where(Suppression.address == Contact.address, Suppression.lifted_at.is_(None))
            .correlate(Contact),
        ),
    ]


def letter_guards(allowed: frozenset[str]) -> list[Guard]:
    """Conditions on a row of `letter`: those on its contact, and those on itself."""
    of_letter = Contact.id == Letter.contact_id
    guards = [
        (why, exists().where(of_letter, condition).correlate(Letter))
        for why, condition in contact_guards()
    ]
    suppressed = exists().where(
        Suppression.address == Letter.address, Suppression.lifted_at.is_(None)
    )
    return [
        *((why, _at_gate(why, condition)) for why, condition in guards if why != Why.SUPPRESSED),
        (Why.SUPPRESSED, ~suppressed.correlate(Letter)),
        (Why.ADDRESS, _addressed()),
        (Why.NOT_ALLOWED, _allows(allowed)),
        (Why.EXPIRED, Letter.expires_at > INSTANT),
        (Why.HELD, ~exists().where(Hold.lifted_at.is_(None)).correlate(Letter)),
    ]


def _at_gate(why: Why, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(Letter.gate != Gate.FULL, condition) if why in OF_NOTICES else condition


def _addressed() -> ColumnElement[bool]:
    """The letter goes to the contact's address; or to one that its change of address names."""
    own = exists().where(Contact.id == Letter.contact_id, Contact.address == Letter.address)
    proposed = exists().where(
        Event.contact_id == Letter.contact_id,
        Event.what == What.MOVE_PROPOSED,
        Event.new_address == Letter.address,
        Event.undone_at.is_(None),
        Event.at > _PROPOSED_SINCE,
    )
    former = exists().where(
        Event.contact_id == Letter.contact_id,
        Event.what == What.MOVED,
        Event.old_address == Letter.address,
        Event.undone_at.is_(None),
        Event.at > _MOVED_SINCE,
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


def entitling_membership() -> ScalarSelect[int]:
    """The interval that makes the letter's contact a member's at the instant: the proof."""
    return (
        select(Membership.id)
        .join(Contact, Contact.member_id == Membership.member_id)
        .where(Contact.id == Letter.contact_id, *_entitles())
        .order_by(Membership.id)
        .limit(1)
        .correlate(Letter)
        .scalar_subquery()
    )


def _entitles() -> tuple[ColumnElement[bool], ...]:
    """A stretch of membership holds at the instant, as is known now: a superseded one never."""
    return *_holds(Membership), Membership.superseded_at.is_(None)


def _holds(
    table: type[Membership | Consent],
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """[starts_at, ends_at) holds at the instant."""
    return table.starts_at <= INSTANT, or_(table.ends_at.is_(None), table.ends_at > INSTANT)
