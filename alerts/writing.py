"""Write the letters of one batch of contacts, or say why one gets none.

Everything is in the caller's one transaction: a letter, what it tells, and the omissions.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from alerts import ledger, near_misses
from alerts.calls import OpenCalls, open_calls
from alerts.classification import Lexicon
from alerts.digest import Digest, Notice, Period, ordered
from alerts.entitlement import contacts_refused
from alerts.errors import LetterUnwritable
from alerts.ledger import Heard
from alerts.letter import Composed, Press, ReaderLinks, compose
from alerts.matching import Match, Wanted
from alerts.near_misses import Missed
from alerts.tables import Edition, Letter, LetterState, Omission, Why
from sources.tables import Revision, Tender
from subscriptions.links import Links
from subscriptions.sectors import Catalogue
from subscriptions.tables import Contact, Member, Subscription

logger = logging.getLogger(__name__)

#: A letter that could not leave for so long is no longer worth sending.
WORTH_SENDING = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Pending:
    """A contact that an edition owes a letter or a reason."""

    contact: Contact
    member: Member
    #: None for one who left or never subscribed.
    subscription: Subscription | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What letters are written with; made once a process."""

    press: Press
    links: Links
    catalogue: Catalogue
    lexicon: Lexicon

    def calls(self, open_tenders: Iterable[tuple[Tender, Revision]], *, at: datetime) -> OpenCalls:
        """The open calls of those tenders, each classified once."""
        return open_calls(open_tenders, self.lexicon, at=at)


def write_batch(
    session: Session,
    desk: Desk,
    edition: Edition,
    pending: Sequence[Pending],
    calls: OpenCalls,
    *,
    at: datetime,
) -> Counter[str]:
    """Write for each of those contacts; counts of letters and of each Why."""
    ids = [one.contact.id for one in pending]
    refused = contacts_refused(session, ids, at=at)
    heard = ledger.heard(session, ids)
    done: Counter[str] = Counter()
    missed: list[Missed] = []
    for one in pending:
        why = refused.get(one.contact.id)
        if why is None and one.subscription is not None:
            notices, near = _notices(one.subscription, calls, heard.get(one.contact.id, Heard()))
            missed += near
            why = _write(session, desk, edition, one, notices, at=at)
        if why is not None:
            _omit(session, edition, one.contact.id, why, at=at)
        done[why or "letter"] += 1
    near_misses.keep(session, missed, at=at)
    return done


def _write(
    session: Session,
    desk: Desk,
    edition: Edition,
    to: Pending,
    notices: tuple[Notice, ...],
    *,
    at: datetime,
) -> Why | None:
    """One contact's letter with its ledger rows; or the reason why there is none."""
    if not notices or to.subscription is None:
        return Why.NOTHING
    key = f"digest:{edition.frequency}:{edition.label}:{to.contact.id}"
    digest = Digest(
        contact_name=to.contact.name,
        member_name=to.member.name,
        frequency=edition.frequency,
        period=Period(edition.starts_at, edition.ends_at),
        notices=notices,
        sectors=tuple(desk.catalogue.label(slug) for slug in to.subscription.sectors),
    )
    try:
        composed = _compose(desk, digest, to.contact, key, at)
    except LetterUnwritable:
        logger.exception("letter unwritable", extra={"contact": to.contact.id})
        return Why.UNWRITABLE
    letter_id = _freeze(session, edition, to.contact, digest, composed, key=key, at=at)
    if letter_id is not None:
        ledger.reserve(
            session, letter_id=letter_id, contact_id=to.contact.id, notices=notices, at=at
        )
    return None


def _compose(desk: Desk, digest: Digest, contact: Contact, key: str, at: datetime) -> Composed:
    links = ReaderLinks(
        leave=desk.links.leave(contact.public_id, contact.link_version, at),
        change=desk.links.change(contact.public_id, contact.link_version, at),
    )
    return compose(desk.press, digest, links, recipient=contact.address, key=key, at=at)


def _freeze(
    session: Session,
    edition: Edition,
    contact: Contact,
    digest: Digest,
    composed: Composed,
    *,
    key: str,
    at: datetime,
) -> int | None:
    """The letter's row; None when another writer made it first."""
    closings = [notice.closes_at for notice in digest.notices]
    last = at + WORTH_SENDING
    if None not in closings:
        last = min(last, max(moment for moment in closings if moment is not None))
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made: int | None = session.scalar(
        dialect.insert(Letter)
        .values(
            key=key,
            edition_id=edition.id,
            contact_id=contact.id,
            address=contact.address,
            message_id=composed.message_id,
            content=composed.content,
            sha256=hashlib.sha256(composed.content).hexdigest(),
            size=len(composed.content),
            notices=len(digest.notices),
            state=LetterState.WRITTEN,
            written_at=at,
            expires_at=last,
            next_attempt_at=at,
        )
        .on_conflict_do_nothing(index_elements=[Letter.key])
        .returning(Letter.id)
    )
    return made


def _notices(
    subscription: Subscription, calls: OpenCalls, heard: Heard
) -> tuple[tuple[Notice, ...], list[Missed]]:
    """What that subscription has not been told yet, soonest to close first; and near misses."""
    found, missed = [], []
    for cluster_id, made in calls.shelf.decide(Wanted.of(subscription)):
        if cluster_id in heard.settled:
            continue
        call = calls.by_cluster[cluster_id]
        if isinstance(made, Match):
            again = cluster_id in heard.uncertain
            found.append(call.notice(made.reasons, perhaps_seen=again))
        else:
            missed.append(Missed(subscription.contact_id, call.revision.id, made))
    return ordered(found), near_misses.best(missed)


def _omit(session: Session, edition: Edition, contact_id: int, why: Why, *, at: datetime) -> None:
    session.add(Omission(at=at, edition_id=edition.id, contact_id=contact_id, why=why))
