"""What staff change one by one: an enterprise, its name and the stretches of its membership.

Days may be past or to come. A stretch that is corrected is superseded: what was known of it,
and from when to when, stays. All within the caller's transaction; one change at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from base import audit, locks
from base.clock import quebec_day
from subscriptions import members
from subscriptions.errors import ChangeRefused
from subscriptions.members import name_key
from subscriptions.stretches import Stretch, last_day, midnight
from subscriptions.tables import Member, Membership

_DAY = timedelta(days=1)


class Refusal(StrEnum):
    """Why what staff ask cannot be."""

    #: Another enterprise has that name; the detail is its name.
    NAME_TAKEN = "name taken"
    #: The end would come before the beginning; the detail is both.
    DATES_REVERSED = "dates reversed"
    #: Nothing holds then; the detail is the last day of the latest stretch, or "".
    NOT_ACTIVE = "not active"
    #: A known stretch holds on some of those days; the detail is its first and last.
    OVERLAPS = "overlaps"
    #: Another enterprise's contact has the address; the detail is its name.
    ADDRESS_ELSEWHERE = "address elsewhere"
    #: A contact of the same enterprise has it.
    ADDRESS_HERE = "address here"
    #: Who reads there unsubscribed.
    ADDRESS_LEFT = "address left"
    #: Two contacts to be merged are one, or of two enterprises; the detail is their names.
    SAME_CONTACT = "same contact"
    TWO_ENTERPRISES = "two enterprises"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hand:
    """Who changes something, when, and with which command."""

    at: datetime
    by: str
    action: str

    def note(
        self,
        session: Session,
        subject: str,
        before: dict[str, object] | None,
        after: dict[str, object],
    ) -> None:
        """Write down what it did to that row, for the audit."""
        audit.record(
            session,
            at=self.at,
            who=self.by,
            action=self.action,
            subject=subject,
            before=before,
            after=after,
        )


@dataclass(frozen=True, slots=True)
class Days:
    """A membership's first and last day, the last one included; None: no end."""

    first: date
    last: date | None


def add(
    session: Session, name: str, *, telephone: str, days: Days, reason: str, hand: Hand
) -> Member:
    """A new enterprise and its first stretch of membership.

    Raises:
        ChangeRefused: NAME_TAKEN, DATES_REVERSED.
    """
    locks.adding(session, locks.Absence.ROSTER)
    _name_is_free(session, name)
    stretch = _stretch(days)
    member = members.add_member(session, name, at=hand.at, telephone=telephone)
    _begin(session, member.id, stretch, reason, hand)
    hand.note(
        session,
        f"member:{member.id}",
        None,
        {"name": name, "telephone": telephone} | _told(stretch),
    )
    return member


def rename(
    session: Session, member: Member, *, name: str | None, telephone: str | None, hand: Hand
) -> None:
    """Another name or telephone; None leaves it. The next roster must have the new name.

    Raises:
        ChangeRefused: NAME_TAKEN.
    """
    locks.adding(session, locks.Absence.ROSTER)
    if name is not None and name_key(name) != member.name_key:
        _name_is_free(session, name)
    before = _named(member)
    if name is not None:
        member.name, member.name_key = name, name_key(name)
    if telephone is not None:
        member.telephone = telephone
    if before != _named(member):
        hand.note(session, f"member:{member.id}", before, _named(member))
    session.flush()


def redate(
    session: Session,
    member: Member,
    *,
    first: date | None,
    last: date | None,
    endless: bool = False,
    reason: str,
    hand: Hand,
) -> None:
    """Correct the latest stretch: None leaves a day as it is, `endless` takes the end away.

    Raises:
        ChangeRefused: NOT_ACTIVE where there is none, DATES_REVERSED, OVERLAPS.
    """
    locks.adding(session, locks.Absence.ROSTER)
    known = known_stretches(session, member.id)
    if not known:
        raise ChangeRefused(Refusal.NOT_ACTIVE)
    *earlier, latest = known
    starts_at = midnight(first) if first else latest.starts_at
    ends_at = midnight(last + _DAY) if last else None if endless else latest.ends_at
    wanted = replace(latest, starts_at=starts_at, ends_at=ends_at)
    if ends_at is not None and ends_at <= starts_at:
        raise ChangeRefused(Refusal.DATES_REVERSED, _days(wanted))
    _is_free(wanted, earlier)
    if wanted != latest:
        _correct(session, member.id, (latest, wanted), reason, hand)


def end(session: Session, member: Member, *, last: date | None, reason: str, hand: Hand) -> Stretch:
    """Lapse: the membership that holds ends after `last`, past or to come; None: at once.

    Raises:
        ChangeRefused: NOT_ACTIVE where none holds on that day.
    """
    locks.adding(session, locks.Absence.ROSTER)
    moment = midnight(last + _DAY) if last else hand.at
    known = known_stretches(session, member.id)
    held = [s for s in known if s.starts_at < moment and (s.ends_at is None or s.ends_at > moment)]
    if not held:
        over = [s.ends_at for s in known if s.ends_at is not None and s.ends_at <= moment]
        raise ChangeRefused(Refusal.NOT_ACTIVE, str(last_day(max(over))) if over else "")
    wanted = replace(held[-1], ends_at=moment)
    _correct(session, member.id, (held[-1], wanted), reason, hand)
    return wanted


def reinstate(
    session: Session,
    member: Member,
    *,
    first: date | None,
    last: date | None,
    reason: str,
    hand: Hand,
) -> Stretch:
    """A member again from `first` on, past or to come; None: today. Not on days already held.

    Raises:
        ChangeRefused: DATES_REVERSED, OVERLAPS.
    """
    locks.adding(session, locks.Absence.ROSTER)
    day = first or quebec_day(hand.at)
    stretch = _stretch(Days(day, last))
    known = known_stretches(session, member.id)
    # One that ended in the course of that day is followed, not overlapped.
    over = [s.ends_at for s in known if s.ends_at and quebec_day(s.ends_at) == day]
    stretch = replace(stretch, starts_at=max([stretch.starts_at, *over]))
    _is_free(stretch, known)
    _begin(session, member.id, stretch, reason, hand)
    hand.note(session, f"member:{member.id}", None, _told(stretch))
    return stretch


def known_stretches(session: Session, member_id: int) -> list[Stretch]:
    """The stretches of a member that are known now, in order."""
    rows = session.scalars(
        select(Membership)
        .where(Membership.member_id == member_id, Membership.superseded_at.is_(None))
        .order_by(Membership.starts_at, Membership.id)
    )
    return [Stretch(row.id, row.starts_at, row.ends_at) for row in rows]


def _named(member: Member) -> dict[str, object]:
    return {"name": member.name, "telephone": member.telephone}


def _name_is_free(session: Session, name: str) -> None:
    other = session.scalar(select(Member.name).where(Member.name_key == name_key(name)))
    if other is not None:
        raise ChangeRefused(Refusal.NAME_TAKEN, other)


def _stretch(days: Days) -> Stretch:
    if days.last is not None and days.last < days.first:
        raise ChangeRefused(Refusal.DATES_REVERSED, f"{days.first} > {days.last}")
    ends_at = midnight(days.last + _DAY) if days.last else None
    return Stretch(None, midnight(days.first), ends_at)


def _is_free(wanted: Stretch, known: Sequence[Stretch]) -> None:
    for other in known:
        before = other.ends_at is not None and other.ends_at <= wanted.starts_at
        after = wanted.ends_at is not None and wanted.ends_at <= other.starts_at
        if not (before or after or other.ends_at == other.starts_at):
            raise ChangeRefused(Refusal.OVERLAPS, _days(other))


def _begin(session: Session, member_id: int, stretch: Stretch, reason: str, hand: Hand) -> None:
    members.begin_membership(
        session,
        member_id,
        starts_at=stretch.starts_at,
        ends_at=stretch.ends_at,
        at=hand.at,
        by=hand.by,
        reason=reason,
    )


def _correct(
    session: Session, member_id: int, change: tuple[Stretch, Stretch], reason: str, hand: Hand
) -> None:
    old, new = change
    assert old.id is not None  # noqa: S101, what is known is a row
    members.withdraw_membership(session, old.id, at=hand.at)
    _begin(session, member_id, new, reason, hand)
    hand.note(session, f"member:{member_id}", _told(old), _told(new))


def _days(stretch: Stretch) -> str:
    last = last_day(stretch.ends_at) if stretch.ends_at else None
    return f"{quebec_day(stretch.starts_at)} > {last or '…'}"


def _told(stretch: Stretch) -> dict[str, object]:
    ends_at = stretch.ends_at
    return {
        "starts_at": stretch.starts_at.isoformat(),
        "ends_at": ends_at.isoformat() if ends_at else None,
    }
