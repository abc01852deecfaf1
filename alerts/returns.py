"""What came back, read once and given its effect: one transaction a message.

A message acts only on the letter that it proves: by the tag in its return path, or by a letter's
Message-ID with a link of that letter's contact. All else is kept for a person and changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from alerts import bounces, doubts, holds, ledger, lost
from alerts.answer_tables import Bounce
from alerts.bounces import Traces
from alerts.bounces_dsn import FAILURES, Report, ReturnKind, without_addresses
from alerts.errors import MailboxUnreadable
from alerts.hold_tables import Hold
from alerts.leaving import leave_by_mail
from alerts.mailbox import Mailbox
from alerts.tables import Letter, LetterState
from alerts.verp import Verp
from base.concerns import raise_concern, settle
from base.database import Database, insert
from subscriptions import suppressions
from subscriptions.errors import LinkRefused
from subscriptions.links import Links, Purpose
from subscriptions.tables import Contact

logger = logging.getLogger(__name__)

#: Addresses that turn us away (5.7.x) within a day and hold everything, as at hand-over.
MOST_POLICY_RETURNS, POLICY_WITHIN = 3, timedelta(days=1)
_UNREADABLE = "returns:mailbox"
#: How long a stranger's words are kept.
WORDS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Found:
    """A letter of ours that a message names."""

    id: int
    message_id: str
    address: str
    state: str
    #: The contact's, as in links.
    public_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reception:
    """How what comes back is read."""

    mailbox: Mailbox
    verp: Verp
    links: Links


def visit(database: Database, reception: Reception | None, *, at: datetime) -> None:
    """The job: take in what is unread, suppress what is worn out, forget what is old.

    A mailbox that cannot be read is said once to a person; None where there is none.
    """
    unreadable = ""
    try:
        if reception is not None:
            take_in(database, reception, at=at)
    except MailboxUnreadable as error:
        unreadable = without_addresses(str(error))
        logger.warning("bounce mailbox unreadable")
    with database.write() as session:
        if unreadable:
            cause, detail = "returns_unreadable", {"reason": unreadable}
            raise_concern(session, key=_UNREADABLE, cause=cause, detail=detail, at=at)
        else:
            settle(session, _UNREADABLE, at=at)
        lost.lose_worn_out(session, at=at)
        forget(session, at=at)


def take_in(database: Database, reception: Reception, *, at: datetime) -> Counter[str]:
    """Read what is unread; how many messages of each kind, "duplicate" for those known.

    Safe to run twice and beside itself: a message is marked read once its effect is durable.

    Raises:
        MailboxUnreadable: the mailbox cannot be opened, or no longer answers.
    """
    counted: Counter[str] = Counter()
    with reception.mailbox.open() as opened:
        for message in opened.unread():
            with database.write() as session:
                kind = receive(session, message.content, reception, at=at)
            opened.mark_read(message.key)
            counted[kind or "duplicate"] += 1
    return counted


def receive(
    session: Session, content: bytes, reception: Reception, *, at: datetime
) -> ReturnKind | None:
    """One message; None where the same octets were received before."""
    returned = bounces.read(content)
    letter, proof = _letter(session, returned.traces, reception, at)
    report = returned.about(letter.address if letter else "")
    new = _note(
        session,
        sha256=hashlib.sha256(content).hexdigest(),
        at=at,
        letter_id=letter.id if letter else None,
        proof=proof,
        kind=report.kind,
        status=report.status,
        words=report.diagnostic or returned.subject,
    )
    if new and letter is not None and proof:
        _act(session, report, letter, at)
    if new:
        leave_by_mail(session, content, reception.links, at=at)
    return report.kind if new else None


def forget(session: Session, *, at: datetime) -> None:
    """Empty the words after 30 days, and drop what was of no letter of ours."""
    old = Bounce.at < at - WORDS_KEPT
    session.execute(delete(Bounce).where(old, Bounce.letter_id.is_(None)))
    session.execute(update(Bounce).where(old, Bounce.words != "").values(words=""))


def _letter(
    session: Session, traces: Traces, reception: Reception, at: datetime
) -> tuple[Found | None, str]:
    """The letter that it names, and how that is proven; "" where it is not."""
    for tag in traces.tags:
        found = _find(session, Letter.id == tag.letter_id)
        if found is not None and reception.verp.vouches(tag, found.message_id):
            return found, "tag"
    named = [_find(session, Letter.message_id == one) for one in traces.message_ids]
    known = [one for one in named if one is not None]
    owners = {_owner(reception.links, token, at) for token in traces.leave_tokens}
    proven = next((one for one in known if one.public_id in owners), None)
    if proven is not None:
        return proven, "link"
    return (known[0] if known else None), ""


def _find(session: Session, which: ColumnElement[bool]) -> Found | None:
    row = session.execute(
        select(Letter.id, Letter.message_id, Letter.address, Letter.state, Contact.public_id)
        .join(Contact, Contact.id == Letter.contact_id)
        .where(which)
    ).first()
    return Found(*row) if row else None


def _owner(links: Links, token: str, at: datetime) -> str:
    try:
        return links.read(Purpose.LEAVE, token, at).public_id
    except LinkRefused:
        return ""


def _note(session: Session, **values: object) -> bool:
    """Keep what was read of a message; False where the same octets are kept already."""
    new = session.scalar(
        insert(session, Bounce)
        .values(**values)
        .on_conflict_do_nothing(index_elements=[Bounce.sha256])
        .returning(Bounce.id)
    )
    logger.info("message returned", extra={"new": new is not None, "kind": str(values["kind"])})
    return new is not None


def _act(session: Session, report: Report, letter: Found, at: datetime) -> None:
    """The effect of what is proven. Unsubscribing by message would be one more kind here."""
    if letter.state == LetterState.UNKNOWN and report.kind is not ReturnKind.OTHER:
        # What came back had been accepted.
        doubts.resolve(session, letter.id, LetterState.ACCEPTED, reply="it came back", at=at)
    if report.kind in FAILURES:
        ledger.came_back(session, [letter.id])
    effect = _EFFECTS.get(report.kind)
    if effect is not None:
        effect(session, letter, at)


def _wear(session: Session, letter: Found, at: datetime) -> None:
    lost.judge(session, letter.address, at=at)


def _complain(session: Session, letter: Found, at: datetime) -> None:
    if suppressions.suppress(session, letter.address, reason="complaint", at=at):
        key, detail = f"letter:{letter.id}:complaint", {"letter": letter.id}
        raise_concern(session, key=key, cause="complaint", detail=detail, at=at)


def _turned_away(session: Session, _letter: Found, at: datetime) -> None:
    """Hold everything once several hosts turn us away, counted since staff last resumed."""
    lifted = session.scalar(select(func.max(Hold.lifted_at)).where(Hold.cause == "policy"))
    since = max(at - POLICY_WITHIN, lifted or at - POLICY_WITHIN)
    addresses = session.scalar(
        select(func.count(Letter.address.distinct()))
        .join(Bounce, Bounce.letter_id == Letter.id)
        .where(Bounce.kind == ReturnKind.POLICY, Bounce.proof != "", Bounce.at > since)
    )
    if (addresses or 0) >= MOST_POLICY_RETURNS:
        holds.hold(session, cause="policy", by="service", detail="", at=at)
        detail = {"addresses": addresses}
        raise_concern(session, key="hold:policy", cause="turned_away", detail=detail, at=at)


_EFFECTS: dict[ReturnKind, Callable[[Session, Found, datetime], None]] = {
    ReturnKind.HARD: _wear,
    ReturnKind.SOFT: _wear,
    ReturnKind.UNCLEAR: _wear,
    ReturnKind.COMPLAINT: _complain,
    ReturnKind.POLICY: _turned_away,
}
