"""Write the letters of one batch of contacts, or say why one gets none.

Everything is in the caller's one transaction: a letter, what it tells, and the omissions.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from alerts import crediting, ledger, near_misses, quarantine
from alerts.calls import Call, OpenCalls, open_calls
from alerts.classification import Lexicon
from alerts.digest import Digest, Gap, Notice, Period, ordered
from alerts.entitlement import contacts_refused
from alerts.freezing import WORTH_SENDING, freeze, leave_out, omit
from alerts.ledger import Heard
from alerts.letter import Composed, Press, ReaderLinks, compose, message_id
from alerts.matching import Match, NearMiss, Shelf, Wanted
from alerts.near_misses import Missed
from alerts.poison import Poison, compose_without
from alerts.tables import Edition, Stream, Why
from sources.tables import Revision, Tender
from subscriptions.links import Links
from subscriptions.sectors import Catalogue
from subscriptions.tables import Contact, Member, Subscription

logger = logging.getLogger(__name__)


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
        self,
        open_tenders: Iterable[tuple[Tender, Revision]],
        poison: Poison | None = None,
        *,
        at: datetime,
    ) -> OpenCalls:
        """The open calls of those tenders, each classified once; what fails goes to `poison`."""
        return open_calls(open_tenders, self.lexicon, poison or Poison(), at=at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What the contacts of one batch share."""

    session: Session
    desk: Desk
    edition: Edition
    calls: OpenCalls
    poison: Poison
    at: datetime
    missed: list[Missed]
    #: The sources that something is missing from.
    gaps: tuple[Gap, ...]


#: What one contact is told in one stream, in the order in which it reads it.
Choose = Callable[[Batch, Pending, Heard], tuple[Notice, ...]]


def write_batch(
    session: Session,
    desk: Desk,
    edition: Edition,
    pending: Sequence[Pending],
    calls: OpenCalls,
    *,
    at: datetime,
    poison: Poison | None = None,
    choose: Choose | None = None,
) -> Counter[str]:
    """Write for each of those contacts; counts of letters, of each Why, and of "quarantined".

    "elsewhere" counts those for whom another writer was faster; they are looked at again.
    `poison` is what was found in earlier batches of the same run; `choose` says what a contact
    is told, by default all that is new for it.
    """
    poison = Poison() if poison is None else poison
    batch = Batch(
        session=session,
        desk=desk,
        edition=edition,
        calls=calls,
        poison=poison,
        at=at,
        missed=[],
        gaps=crediting.gaps(session, at),
    )
    ids = [one.contact.id for one in pending]
    refused = contacts_refused(session, ids, at=at)
    heard = ledger.heard(session, ids)
    done: Counter[str] = Counter()
    omitted: dict[int, Why] = {}
    for one in pending:
        result: Why | Result | None = refused.get(one.contact.id)
        if result is None:
            result = _isolated(
                batch, one, heard.get(one.contact.id, Heard()), choose or everything_new
            )
        if isinstance(result, Why):
            omitted[one.contact.id] = result
        done[result] += 1
    omit(session, edition, omitted, at=at)
    near_misses.keep(session, batch.missed, at=at)
    poison.say(session, at=at)
    return done


def letter_key(edition: Edition, contact_id: int) -> str:
    """The key of that contact's letter in that edition (design.md, section 4)."""
    stream, label = edition.frequency, edition.label
    if stream in {Stream.DAILY, Stream.WEEKLY}:
        return f"digest:{stream}:{label}:{contact_id}"
    return f"{stream}:{contact_id}:{label}"


def _isolated(batch: Batch, to: Pending, heard: Heard, choose: Choose) -> Why | Result:
    """One contact's letter; whatever is wrong with it keeps no other from being written."""
    edition = batch.edition
    key = letter_key(edition, to.contact.id)
    try:
        return _write(batch, to, heard, key, choose)
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


def everything_new(batch: Batch, to: Pending, heard: Heard) -> tuple[Notice, ...]:
    """All that is for the contact's subscription and was not told; near misses on the way."""
    if to.subscription is None:
        return ()
    notices, missed = _notices(to.subscription, batch.calls, heard, batch.poison)
    batch.missed.extend(missed)
    return notices


def _write(batch: Batch, to: Pending, heard: Heard, key: str, choose: Choose) -> Why | Result:
    """One contact's letter with its ledger rows; or the reason why there is none."""
    notices = choose(batch, to, heard)
    if not notices or to.subscription is None:
        return Why.NOTHING
    digest = Digest(
        contact_name=to.contact.name,
        member_name=to.member.name,
        stream=batch.edition.frequency,
        period=Period(batch.edition.starts_at, batch.edition.ends_at),
        notices=notices,
        sectors=tuple(batch.desk.catalogue.label(slug) for slug in to.subscription.sectors),
        credits=crediting.credits_of(notices),
        gaps=batch.gaps,
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
    subscription: Subscription, calls: OpenCalls, heard: Heard, poison: Poison
) -> tuple[tuple[Notice, ...], list[Missed]]:
    """What that subscription has not been told yet, soonest to close first; and near misses.

    Over the reader's own maximum, the later ones stay untold: the next letter has them.
    """
    found, missed = [], []
    for cluster_id, made in _decided(Wanted.of(subscription), calls, poison):
        if cluster_id in heard.settled:
            continue
        call = calls.by_cluster[cluster_id]
        if isinstance(made, Match):
            again = cluster_id in heard.uncertain
            found.append(call.notice(made.reasons, perhaps_seen=again))
        else:
            missed.append(Missed(subscription.contact_id, call.revision.id, made))
    return ordered(found)[: subscription.most_notices], near_misses.best(missed)


def _decided(
    wanted: Wanted, calls: OpenCalls, poison: Poison
) -> list[tuple[int, Match | NearMiss]]:
    """What is for that subscription, and what nearly is.

    A call that fails while others do not is left out; where all fail, the subscription is to
    blame, and the last failure is raised.
    """
    try:
        return list(calls.shelf.decide(wanted))
    except Exception:
        logger.exception("matching failed, each call is tried alone")
    decided: list[tuple[int, Match | NearMiss]] = []
    failed: list[tuple[Call, Exception]] = []
    for cluster_id, call in calls.by_cluster.items():
        try:
            decided += Shelf({cluster_id: call.candidate(calls.at)}).decide(wanted)
        except Exception as error:  # noqa: BLE001, one tender must not keep all letters
            failed.append((call, error))
    if len(failed) == len(calls.by_cluster):
        raise failed[-1][1]
    for call, reason in failed:
        poison.add(call.tender, call.revision, reason)
    return decided
