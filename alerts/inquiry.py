"""What is recorded of a contact and a call, loaded for `alerts.explanation`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, defer

from alerts import calls, holds, ledger
from alerts.classification import Lexicon
from alerts.digest import Reason
from alerts.entitlement import contacts_refused
from alerts.explanation import Explanation, explain
from alerts.known import Asked, Kept, Known, LetterFacts, ToldFacts, Turn, Version
from alerts.matching import Lacked, NearMiss, Wanted, place_of
from alerts.tables import (
    Edition,
    Kind,
    Letter,
    LetterState,
    NearMissed,
    Omission,
    Stream,
    Told,
    Why,
)
from sources import tenders
from sources.tables import Revision, Tender
from subscriptions import wishes
from subscriptions.tables import Contact, Frequency

Notices = Sequence[tuple[Tender, Revision]]


def explained(
    session: Session, lexicon: Lexicon, contact: Contact, tender_ids: Iterable[int], *, at: datetime
) -> Explanation:
    """Why that contact was, or was not, told of the call those tenders are."""
    return explain(inquire(session, lexicon, contact, tender_ids, at=at), at=at)


def inquire(
    session: Session, lexicon: Lexicon, contact: Contact, tender_ids: Iterable[int], *, at: datetime
) -> Known:
    """Load all that is recorded of a contact and the tenders of one cluster; none: never seen."""
    history = tenders.histories(session, tender_ids)
    return Known(
        contact_since=contact.created_at,
        refused_now=contacts_refused(session, [contact.id], at=at).get(contact.id),
        held=holds.is_held(session),
        backlog=bool(history) and all(tender.backlog for tender, _ in history),
        versions=tuple(_versions(history, lexicon)),
        told=tuple(_told(session, contact.id, history, lexicon)),
        turns=tuple(_turns(session, contact.id)),
        asked=tuple(
            Asked(
                one.started_at,
                one.ended_at,
                Wanted.of(one),
                Frequency(one.frequency),
                one.weekdays,
                one.most_notices,
            )
            for one in wishes.history(session, contact.id)
        ),
        kept=tuple(_kept(session, contact.id, history)),
    )


def _versions(history: Notices, lexicon: Lexicon) -> list[Version]:
    """The call after each reading that said something of it."""
    found = []
    latest: dict[int, tuple[Tender, Revision]] = {}
    for moment in sorted({revision.seen_at for _, revision in history}):
        for tender, revision in history:
            if revision.seen_at == moment:
                latest[tender.id] = (tender, revision)
        made = calls.call(0, list(latest.values()), lexicon)
        states = tuple((r.status, r.closes_at) for _, r in latest.values())
        found.append(
            Version(
                since=moment,
                states=states,
                closes_at=made.closes_at,
                facts=made.facts,
                classified=made.classified,
                place=place_of(made.revision),
            )
        )
    return found


def _told(session: Session, contact_id: int, history: Notices, lexicon: Lexicon) -> list[ToldFacts]:
    """What the ledger has of it as new: under its cluster, or under one that it has left."""
    clusters = {tender.cluster_id or tender.id for tender, _ in history}
    revisions = [revision.id for _, revision in history]
    rows = session.execute(
        select(Told, Letter, Edition.label)
        .options(defer(Letter.content))
        .join(Letter, Letter.id == Told.letter_id)
        .join(Edition, Edition.id == Letter.edition_id, isouter=True)
        .where(Told.contact_id == contact_id, Told.kind == Kind.NEW)
        .where(or_(Told.cluster_id.in_(clusters), Told.revision_id.in_(revisions)))
        # Not what a letter was to tell before it was composed anew, or had nothing left.
        .where(ledger.is_carried(), ~_had_nothing_left())
        .order_by(Told.id)
    )
    label = lexicon.catalogue.label
    return [
        ToldFacts(
            state=told.state,
            at=told.at,
            reasons=tuple(
                Reason(r["sector"], label(r["sector"]) if r["sector"] else "", r["evidence"])
                for r in told.reasons
            ),
            letter=_letter(letter, edition),
        )
        for told, letter, edition in rows
    ]


def _had_nothing_left() -> ColumnElement[bool]:
    """Of a Letter: it became false, and an omission stands in its place."""
    return and_(Letter.state == LetterState.WITHDRAWN, Letter.why == Why.NOTHING)


def _turns(session: Session, contact_id: int) -> list[Turn]:
    """What each edition decided for the contact, oldest first."""
    omitted = session.execute(
        select(Omission.at, Edition.label, Omission.why, Edition.frequency)
        .join(Edition, Edition.id == Omission.edition_id)
        .where(Omission.contact_id == contact_id, Omission.letter_id.is_(None))
    )
    found = [
        Turn(at=at, edition=label, why=Why(why), stream=Stream(stream))
        for at, label, why, stream in omitted
    ]
    letters = session.execute(
        select(Letter, Edition.label, Edition.frequency)
        .options(defer(Letter.content))
        .join(Edition, Edition.id == Letter.edition_id)
        .where(Letter.contact_id == contact_id, ~_had_nothing_left())
    )
    found += [
        Turn(
            at=letter.written_at,
            edition=label,
            why=None,
            letter=_letter(letter, label),
            stream=Stream(stream),
        )
        for letter, label, stream in letters
    ]
    return sorted(found, key=lambda turn: turn.at)


def _kept(session: Session, contact_id: int, history: Notices) -> list[Kept]:
    rows = session.scalars(
        select(NearMissed)
        .where(NearMissed.contact_id == contact_id)
        .where(NearMissed.revision_id.in_([revision.id for _, revision in history]))
    )
    return [Kept(r.at, NearMiss(Lacked(r.lacked), r.detail, r.score)) for r in rows]


def _letter(letter: Letter, edition: str | None) -> LetterFacts:
    return LetterFacts(
        id=letter.id,
        state=letter.state,
        written_at=letter.written_at,
        settled_at=letter.settled_at,
        reply=letter.reply,
        why=letter.why,
        edition=edition or "",
        notices=letter.notices,
    )
