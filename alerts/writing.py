"""Write the letters of one batch of contacts, or say why one gets none.

Everything is in the caller's one transaction: a letter, what it tells, and the omissions.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from alerts import ledger, quarantine
from alerts.classification import Classified, Facts, Lexicon, classify
from alerts.digest import Digest, Notice, Period, Reason, ordered
from alerts.entitlement import contacts_refused
from alerts.freezing import WORTH_SENDING, freeze, leave_out, omit
from alerts.ledger import Heard
from alerts.letter import Composed, Press, ReaderLinks, compose, message_id
from alerts.matching import Match, Wanted, match, place_of
from alerts.poison import Poison, check, compose_without
from alerts.tables import Edition, Why
from sources.tables import Revision, Tender
from subscriptions.links import Links
from subscriptions.sectors import Catalogue
from subscriptions.tables import Contact, Member, Subscription

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """An open tender as it stands, classified once for all readers."""

    cluster_id: int
    tender: Tender
    revision: Revision
    facts: Facts
    classified: tuple[Classified, ...]


class Result(StrEnum):
    """What came of writing for one contact, where that is no Why."""

    LETTER = "letter"
    ELSEWHERE = "elsewhere"  #: another writer was faster: to be looked at again
    QUARANTINED = "quarantined"  #: cannot be composed (alerts.quarantine)


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

    def calls(
        self, open_tenders: Iterable[tuple[Tender, Revision]], poison: Poison | None = None
    ) -> list[Call]:
        """Classify each open tender, once; those for which that fails are added to `poison`."""
        calls = []
        for tender, revision in open_tenders:
            try:
                check(revision)
                calls.append(self._call(tender, revision))
            except Exception as error:
                logger.exception("tender left out", extra={"tender": tender.id})
                if poison is not None:
                    poison.add(tender, revision, error)
        return calls

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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Batch:
    """What the contacts of one batch share."""

    session: Session
    desk: Desk
    edition: Edition
    calls: Sequence[Call]
    poison: Poison
    at: datetime


def write_batch(
    session: Session,
    desk: Desk,
    edition: Edition,
    pending: Sequence[Pending],
    calls: Sequence[Call],
    *,
    at: datetime,
    poison: Poison | None = None,
) -> Counter[str]:
    """Write for each of those contacts; counts of letters, of each Why, and of "quarantined".

    "elsewhere" counts those for whom another writer was faster; they are looked at again.
    `poison` is what was found in earlier batches of the same run.
    """
    poison = Poison() if poison is None else poison
    batch = _Batch(session=session, desk=desk, edition=edition, calls=calls, poison=poison, at=at)
    ids = [one.contact.id for one in pending]
    refused = contacts_refused(session, ids, at=at)
    heard = ledger.heard(session, ids)
    done: Counter[str] = Counter()
    omitted: dict[int, Why] = {}
    for one in pending:
        result: Why | Result | None = refused.get(one.contact.id)
        if result is None:
            result = _isolated(batch, one, heard.get(one.contact.id, Heard()))
        if isinstance(result, Why):
            omitted[one.contact.id] = result
        done[result] += 1
    omit(session, edition, omitted, at=at)
    poison.say(session, at=at)
    return done


def _isolated(batch: _Batch, to: Pending, heard: Heard) -> Why | Result:
    """One contact's letter; whatever is wrong with it keeps no other from being written."""
    edition = batch.edition
    key = f"digest:{edition.frequency}:{edition.label}:{to.contact.id}"
    try:
        return _write(batch, to, heard, key)
    except SQLAlchemyError:
        raise
    except Exception as error:
        logger.exception("letter unwritable", extra={"contact": to.contact.id})
        quarantine.uncomposed(
            batch.session,
            edition,
            to.contact,
            key=key,
            message_id=message_id(key, batch.desk.press.sender.list_domain),
            error=error,
            expires_at=batch.at + WORTH_SENDING,
            at=batch.at,
        )
        return Result.QUARANTINED


def _write(batch: _Batch, to: Pending, heard: Heard, key: str) -> Why | Result:
    """One contact's letter with its ledger rows; or the reason why there is none."""
    if to.subscription is None:
        return Why.NOTHING
    notices = _notices(to.subscription, batch.calls, heard, batch.poison)
    if not notices:
        return Why.NOTHING
    digest = Digest(
        contact_name=to.contact.name,
        member_name=to.member.name,
        frequency=batch.edition.frequency,
        period=Period(batch.edition.starts_at, batch.edition.ends_at),
        notices=notices,
        sectors=tuple(batch.desk.catalogue.label(slug) for slug in to.subscription.sectors),
    )
    written = compose_without(
        digest, lambda shown: _compose(batch.desk, shown, to.contact, key, batch.at), batch.poison
    )
    if written is None:
        return Why.UNWRITABLE
    composed, shown = written
    session, edition = batch.session, batch.edition
    letter_id = freeze(session, edition, to.contact, shown, composed, key=key, at=batch.at)
    if letter_id is None:
        return Result.ELSEWHERE
    hidden = [notice for notice in notices if notice not in shown.notices]
    leave_out(session, edition, to.contact, letter_id, hidden, at=batch.at)
    return Result.LETTER


def _compose(desk: Desk, digest: Digest, contact: Contact, key: str, at: datetime) -> Composed:
    links = ReaderLinks(
        leave=desk.links.leave(contact.public_id, contact.link_version, at),
        change=desk.links.change(contact.public_id, contact.link_version, at),
    )
    return compose(desk.press, digest, links, recipient=contact.address, key=key, at=at)


def _notices(
    subscription: Subscription, calls: Sequence[Call], heard: Heard, poison: Poison
) -> tuple[Notice, ...]:
    """What that subscription has not been told yet, soonest to close first.

    A call that fails while others do not is left out; where all fail, the subscription is to
    blame, and the last failure is raised.
    """
    wanted = Wanted.of(subscription)
    found, failed = [], []
    for call in calls:
        if call.cluster_id in heard.settled:
            continue
        try:
            matched = match(call.facts, call.classified, wanted, place=place_of(call.revision))
        except Exception as error:  # noqa: BLE001, one tender must not keep all letters
            failed.append((call, error))
            continue
        if isinstance(matched, Match):
            again = call.cluster_id in heard.uncertain
            found.append(_notice(call, matched.reasons, perhaps_seen=again))
    if failed and len(failed) == len(calls):
        raise failed[-1][1]
    for call, reason in failed:
        poison.add(call.tender, call.revision, reason)
    return ordered(found)


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
