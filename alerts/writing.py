"""Write the letters of one batch of contacts, or say why one gets none.

Everything is in the caller's one transaction: a letter, what it tells, and the omissions.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import repeat
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from alerts import changed, crediting, ledger, near_misses, quarantine
from alerts.calls import OpenCalls, open_calls
from alerts.changed import Changes
from alerts.classification import Lexicon
from alerts.crediting import Covered
from alerts.digest import Digest, Notice, Period
from alerts.entitlement import contacts_refused
from alerts.freezing import WORTH_SENDING, Draft, freeze, freeze_all, omit, worth_until
from alerts.ledger import Heard
from alerts.letter import Composed, Press, ReaderLinks, compose, message_id
from alerts.near_misses import Missed
from alerts.note import Noted, compose_note
from alerts.poison import Poison, compose_without
from alerts.tables import Edition, Stream, Why
from sources.tables import Revision, Tender
from subscriptions.links import Links
from subscriptions.sectors import Catalogue
from subscriptions.tables import Contact, Member, Subscription

logger = logging.getLogger(__name__)
Made = TypeVar("Made")


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


@dataclass(kw_only=True, slots=True)
class Remarks:
    """What a letter says beside its notices; see alerts.digest.Digest."""

    was_due_at: datetime | None = None
    closed_meanwhile: int = 0
    kept_back: int = 0


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
    #: What its contacts must hear about what they were told.
    changes: Changes
    #: What is said of a contact's letter beside its notices, by contact.
    remarks: dict[int, Remarks]
    #: What the sources gave, and what may be missing.
    covered: Covered


#: What one contact is told in one stream, in the order in which it reads it.
Choose = Callable[[Batch, Pending, Heard], tuple[Notice, ...]]
#: What is written to one who is told nothing; None where nothing is.
Note = Callable[[Batch, Pending], Noted | None]


def write_batch(
    session: Session,
    desk: Desk,
    edition: Edition,
    pending: Sequence[Pending],
    calls: OpenCalls,
    *,
    at: datetime,
    choose: Choose,
    poison: Poison | None = None,
    note: Note | None = None,
    covered: Covered | None = None,
) -> Counter[str]:
    """Write for each of those contacts; counts of letters, of each Why, and of "quarantined".

    "elsewhere" counts those for whom another writer was faster; they are looked at again.
    `choose` says what a contact is told, `note` what it is written where that is nothing; `poison`
    and `covered` are what was found in earlier batches of the same run.
    """
    poison = Poison() if poison is None else poison
    ids = [one.contact.id for one in pending]
    batch = Batch(
        session=session,
        desk=desk,
        edition=edition,
        calls=calls,
        poison=poison,
        at=at,
        missed=[],
        changes=changed.changes(session, desk.lexicon, ids, at=at),
        remarks=defaultdict(Remarks),
        covered=covered or crediting.covered(session, at),
    )
    refused = contacts_refused(session, ids, at=at)
    heard = ledger.heard(session, ids, calls.by_cluster)
    drafts: list[Draft] = []
    done: Counter[str] = Counter()
    omitted: dict[int, Why] = {}
    for one in pending:
        result: Draft | Why | Result | None = refused.get(one.contact.id)
        if result is None:
            told = heard.get(one.contact.id, Heard())
            drafting = partial(_drafted, batch, one, told, choose, note)
            result = _isolated(batch, one.contact, drafting)
        if isinstance(result, Draft):
            drafts.append(result)
            continue
        if isinstance(result, Why):
            omitted[one.contact.id] = result
        done[result] += 1
    done.update(_frozen(batch, drafts))
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


def _isolated(batch: Batch, to: Contact, step: Callable[[], Made]) -> Made | Result:
    """A step of one contact's letter; what is wrong with it keeps no other from being written."""
    try:
        return step()
    except SQLAlchemyError:
        raise
    except Exception as error:
        logger.exception("letter unwritable", extra={"contact": to.id})
        key = letter_key(batch.edition, to.id)
        quarantine.uncomposed(
            batch.session,
            batch.edition,
            to,
            key=key,
            message_id=message_id(key, batch.desk.press.sender.list_domain),
            error=error,
            expires_at=batch.at + WORTH_SENDING,
            at=batch.at,
        )
        return Result.QUARANTINED


def _frozen(batch: Batch, drafts: Sequence[Draft]) -> Iterator[Result]:
    """Those letters made rows at once; where that cannot be, one by one."""
    session, edition, at = batch.session, batch.edition, batch.at
    try:
        if not drafts or freeze_all(session, edition, drafts, at=at):
            yield from repeat(Result.LETTER, len(drafts))
            return
    except SQLAlchemyError:
        raise
    except Exception:
        logger.exception("letters not frozen at once", extra={"edition": edition.id})
    for draft in drafts:
        alone = partial(freeze, session, edition, draft, at=at)
        made = _isolated(batch, draft.contact, alone)
        yield made if isinstance(made, Result) else Result.LETTER if made else Result.ELSEWHERE


def _drafted(
    batch: Batch, to: Pending, heard: Heard, choose: Choose, note: Note | None
) -> Draft | Why:
    """One contact's letter, or the reason why there is none; no letter's row is written."""
    key = letter_key(batch.edition, to.contact.id)
    notices = choose(batch, to, heard)
    if not notices:
        return _noted(batch, to, note(batch, to) if note else None, key)
    made = draft(batch, to, notices, key)
    if isinstance(made, Why):
        return made
    composed, shown = made
    # Looked up one by one only where some could not be shown.
    told = notices if shown.notices is notices else frozenset(shown.notices)
    return Draft(
        contact=to.contact,
        key=key,
        composed=composed,
        until=worth_until(shown, batch.at),
        notices=shown.notices,
        hidden=() if told is notices else tuple(one for one in notices if one not in told),
    )


def _noted(batch: Batch, to: Pending, noted: Noted | None, key: str) -> Draft | Why:
    """One contact's letter without notices, where it gets one."""
    if noted is None or to.subscription is None:
        return Why.NOTHING
    desk, at = batch.desk, batch.at
    composed = compose_note(
        noted.name,
        desk.press.sender,
        _links(desk, to.contact, at),
        {"member_name": to.member.name, "contact_name": to.contact.name, **noted.context},
        recipient=to.contact.address,
        key=key,
        at=at,
    )
    return Draft(contact=to.contact, key=key, composed=composed, until=at + WORTH_SENDING)


def draft(
    batch: Batch, to: Pending, notices: tuple[Notice, ...], key: str
) -> tuple[Composed, Digest] | Why:
    """One contact's letter and what it shows, or why there is none; nothing is written."""
    if not notices or to.subscription is None:
        return Why.NOTHING
    remarks = batch.remarks[to.contact.id]
    digest = Digest(
        contact_name=to.contact.name,
        member_name=to.member.name,
        stream=batch.edition.frequency,
        period=Period(batch.edition.starts_at, batch.edition.ends_at),
        notices=notices,
        sectors=tuple(batch.desk.catalogue.label(slug) for slug in to.subscription.sectors),
        frequency=to.subscription.frequency,
        credits=crediting.credits_of(notices),
        was_due_at=remarks.was_due_at,
        without_week=batch.edition.without_week,
        closed_meanwhile=remarks.closed_meanwhile,
        kept_back=remarks.kept_back,
        gaps=batch.covered.gaps,
        coverage=batch.covered.coverage,
    )
    written = compose_without(
        digest, lambda shown: _compose(batch.desk, shown, to.contact, key, batch.at), batch.poison
    )
    return Why.UNWRITABLE if written is None else written


def _compose(desk: Desk, digest: Digest, contact: Contact, key: str, at: datetime) -> Composed:
    links = _links(desk, contact, at)
    return compose(desk.press, digest, links, recipient=contact.address, key=key, at=at)


def _links(desk: Desk, contact: Contact, at: datetime) -> ReaderLinks:
    return ReaderLinks(
        leave=desk.links.leave(contact.public_id, contact.link_version, at),
        change=desk.links.change(contact.public_id, contact.link_version, at),
    )
