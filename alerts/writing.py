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

from alerts import ledger
from alerts.classification import Classified, Facts, Lexicon, classify
from alerts.digest import Digest, Notice, Period, Reason, ordered
from alerts.entitlement import contacts_refused
from alerts.errors import LetterUnwritable
from alerts.ledger import Heard
from alerts.letter import Composed, Press, ReaderLinks, compose
from alerts.matching import Match, Wanted, match, place_of
from alerts.tables import Edition, Letter, LetterState, Omission, Why
from sources.tables import Revision, Tender
from subscriptions.links import Links
from subscriptions.sectors import Catalogue
from subscriptions.tables import Contact, Member, Subscription

logger = logging.getLogger(__name__)

#: A letter that could not leave for so long is no longer worth sending.
WORTH_SENDING = timedelta(hours=72)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """An open tender as it stands, classified once for all readers."""

    cluster_id: int
    tender: Tender
    revision: Revision
    facts: Facts
    classified: tuple[Classified, ...]


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

    def calls(self, open_tenders: Iterable[tuple[Tender, Revision]]) -> list[Call]:
        """Classify each open tender, once."""
        return [self._call(tender, revision) for tender, revision in open_tenders]

    def _call(self, tender: Tender, revision: Revision) -> Call:
        facts = Facts(
            title=revision.title,
            category=revision.category,
            codes=tuple(item["code"] for item in revision.items),
            labels=tuple(item["label"] for item in revision.items),
            description=revision.description,
            buyer=revision.buyer,
        )
        return Call(
            cluster_id=tender.cluster_id or tender.id,
            tender=tender,
            revision=revision,
            facts=facts,
            classified=classify(facts, self.lexicon),
        )


def write_batch(
    session: Session,
    desk: Desk,
    edition: Edition,
    pending: Sequence[Pending],
    calls: Sequence[Call],
    *,
    at: datetime,
) -> Counter[str]:
    """Write for each of those contacts; counts of letters and of each Why."""
    ids = [one.contact.id for one in pending]
    refused = contacts_refused(session, ids, at=at)
    heard = ledger.heard(session, ids)
    done: Counter[str] = Counter()
    for one in pending:
        why = refused.get(one.contact.id)
        if why is None and one.subscription is not None:
            notices = _notices(one.subscription, calls, heard.get(one.contact.id, Heard()))
            why = _write(session, desk, edition, one, notices, at=at)
        if why is not None:
            _omit(session, edition, one.contact.id, why, at=at)
        done[why or "letter"] += 1
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


def _notices(subscription: Subscription, calls: Sequence[Call], heard: Heard) -> tuple[Notice, ...]:
    """What that subscription has not been told yet, soonest to close first.

    Over the reader's own maximum, the later ones stay untold: the next letter has them.
    """
    wanted = Wanted.of(subscription)
    found = []
    for call in calls:
        if call.cluster_id in heard.settled:
            continue
        matched = match(call.facts, call.classified, wanted, place=place_of(call.revision))
        if isinstance(matched, Match):
            again = call.cluster_id in heard.uncertain
            found.append(_notice(call, matched.reasons, perhaps_seen=again))
    return ordered(found)[: subscription.most_notices]


def _notice(call: Call, reasons: tuple[Reason, ...], *, perhaps_seen: bool) -> Notice:
    revision = call.revision
    return Notice(
        cluster_id=call.cluster_id,
        revision_id=revision.id,
        number=call.tender.number,
        title=revision.title,
        buyer=revision.buyer,
        place=", ".join(name for name in (revision.municipality, revision.mrc) if name)
        or revision.region,
        place_to_check=revision.place_basis == "to check",
        category=revision.category,
        method=revision.procurement_method_details,
        closes_at=revision.closes_at,
        uri=revision.uri,
        source=call.tender.source,
        reasons=reasons,
        perhaps_seen=perhaps_seen,
    )


def _omit(session: Session, edition: Edition, contact_id: int, why: Why, *, at: datetime) -> None:
    session.add(Omission(at=at, edition_id=edition.id, contact_id=contact_id, why=why))
