"""Addresses that no longer receive, and when that is decided.

Which bounces suppress is argued in docs/decisions/0005-which-bounces-suppress.md. What counts is
computed from rows each time, so the order and number of what came back change nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from alerts.answer_tables import Bounce
from alerts.bounces_dsn import FAILURES, ReturnKind
from alerts.replies import Outcome, Phase
from alerts.tables import Attempt, Letter, LetterState, Why
from base.concerns import raise_concern
from subscriptions import suppressions
from subscriptions.tables import Contact, Suppression

#: Letters with a hard bounce, within this time, that suppress an address.
HARD_LETTERS, HARD_WITHIN = 2, timedelta(days=30)
#: Letters with a soft one: how many, from first to last at least so far apart, none older.
SOFT_LETTERS, SOFT_SPREAD, SOFT_WITHIN = 5, timedelta(days=10), timedelta(days=60)
#: After this time without news an accepted letter has arrived (Postfix gives up after 5 days).
ARRIVED_AFTER = timedelta(days=6)
#: Reasons of suppression that a telephone call can mend begin so.
LOST = "bounce"


def lose(session: Session, address: str, *, reason: str, at: datetime) -> bool:
    """Suppress a dead address, and say once that somebody should call; False if it was already."""
    if not suppressions.suppress(session, address, reason=f"{LOST} {reason}"[:50], at=at):
        return False
    contact = session.scalar(
        select(Contact.id).where(Contact.address == address, Contact.ended_at.is_(None))
    )
    if contact is not None:
        key, detail = f"contact:{contact}:lost", {"contact": contact}
        raise_concern(session, key=key, cause="address_lost", detail=detail, at=at)
    return True


def lose_worn_out(session: Session, *, at: datetime) -> int:
    """Lose every address that failed too often; how many. A second call finds none."""
    failed = sorted(session.scalars(_failed_addresses(at)))
    return sum(judge(session, address, at=at) for address in failed)


def judge(session: Session, address: str, *, at: datetime) -> bool:
    """Lose that address if its letters failed too often since it was last lifted."""
    lifted = session.scalar(
        select(func.max(Suppression.lifted_at)).where(Suppression.address == address)
    )
    since = max(at - SOFT_WITHIN, lifted or at - SOFT_WITHIN)
    hard = _hard(session, address, since=max(since, at - HARD_WITHIN))
    if len(hard) >= HARD_LETTERS:
        return lose(session, address, reason=hard[-1], at=at)
    times = _soft(session, address, since=since, at=at)
    if len(times) >= SOFT_LETTERS and max(times) - min(times) >= SOFT_SPREAD:
        return lose(session, address, reason="soft", at=at)
    return False


def _hard(session: Session, address: str, *, since: datetime) -> list[str]:
    """The status of each letter that came back hard, oldest first."""
    found = session.execute(
        select(Bounce.letter_id, Bounce.status)
        .join(Letter, Letter.id == Bounce.letter_id)
        .where(Letter.address == address, Bounce.proof != "", Bounce.at > since)
        .where(Bounce.kind == ReturnKind.HARD)
        .order_by(Bounce.at, Bounce.id)
    )
    return list({row.letter_id: row.status for row in found}.values())


def _soft(session: Session, address: str, *, since: datetime, at: datetime) -> list[datetime]:
    """When each letter failed softly, of those after the last one that surely arrived."""
    arrived = session.scalar(
        select(func.max(Letter.settled_at))
        .where(Letter.address == address, Letter.state == LetterState.ACCEPTED)
        .where(Letter.settled_at <= at - ARRIVED_AFTER, ~_came_back())
    )
    kinds = (ReturnKind.SOFT, ReturnKind.UNCLEAR, ReturnKind.HARD)
    returned = (
        select(Bounce.letter_id, func.min(Bounce.at))
        .join(Letter, Letter.id == Bounce.letter_id)
        .where(Bounce.proof != "", Bounce.kind.in_(kinds), Bounce.at > since)
    )
    refused = (
        select(Attempt.letter_id, func.min(Attempt.at))
        .join(Letter, Letter.id == Attempt.letter_id)
        .where(_refused_softly(), Attempt.at > since)
    )
    times: dict[int, datetime] = {}
    for statement, column in ((returned, Bounce.letter_id), (refused, Attempt.letter_id)):
        ours = statement.where(Letter.address == address).group_by(column)
        if arrived is not None:
            ours = ours.where(Letter.settled_at > arrived)
        times.update({int(row[0] or 0): row[1] for row in session.execute(ours)})
    return list(times.values())


def _came_back() -> ColumnElement[bool]:
    failed = [*FAILURES, ReturnKind.UNCLEAR]
    of_letter = exists().where(Bounce.letter_id == Letter.id, Bounce.proof != "")
    return of_letter.where(Bounce.kind.in_(failed)).correlate(Letter)


def _refused_softly() -> ColumnElement[bool]:
    """The relay refused the recipient without saying that it is dead, or kept deferring it."""
    expired = and_(
        Attempt.outcome == Outcome.DEFERRED,
        Letter.state == LetterState.WITHDRAWN,
        Letter.why == Why.EXPIRED,
    )
    refused = and_(Attempt.outcome == Outcome.REFUSED, Attempt.phase == Phase.RCPT)
    return or_(refused, and_(expired, Attempt.phase == Phase.RCPT))


def _failed_addresses(at: datetime) -> Select[str]:
    """Addresses that were refused at hand-over; those of bounces are judged as these come."""
    return (
        select(Letter.address)
        .join(Attempt, Attempt.letter_id == Letter.id)
        .where(_refused_softly(), Attempt.at > at - SOFT_WITHIN)
        .distinct()
    )
