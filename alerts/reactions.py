"""What contacts answer to notices, kept with what spoke for the notice that day.

One answer of a kind lives a contact and a call; « interested » and « not relevant » take each
other's place. The evidence is copied, so that it outlives the ledger and later rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, delete, exists, func, select
from sqlalchemy.orm import Session, aliased

from alerts.answer_tables import Answer, Reaction
from alerts.calls import facts_of
from alerts.classification import THRESHOLD, Lexicon, classify
from alerts.tables import Kind, Told
from base.database import insert
from sources.tables import Revision, Tender

OPPOSITE = {
    Answer.INTERESTED: Answer.NOT_RELEVANT,
    Answer.NOT_RELEVANT: Answer.INTERESTED,
}


def answer(
    session: Session, contact_id: int, cluster_id: int, answer: Answer, at: datetime
) -> bool:
    """Keep that answer; False where there is no such call. A second call changes nothing.

    The revision is the one that the contact was told, else the latest of the call.
    """
    told = session.execute(
        select(Told.revision_id, Told.reasons)
        .where(Told.contact_id == contact_id, Told.cluster_id == cluster_id)
        .order_by(Told.kind != Kind.NEW, Told.at.desc(), Told.id.desc())
        .limit(1)
    ).first()
    revision_id = told.revision_id if told else _latest(session, cluster_id)
    if revision_id is None:
        return False
    if answer in OPPOSITE:
        withdraw(session, contact_id, cluster_id, OPPOSITE[answer])
    session.execute(
        insert(session, Reaction)
        .values(
            contact_id=contact_id,
            cluster_id=cluster_id,
            answer=answer,
            at=at,
            revision_id=revision_id,
            reasons=told.reasons if told else [],
        )
        .on_conflict_do_nothing(
            index_elements=[Reaction.contact_id, Reaction.cluster_id, Reaction.answer]
        )
    )
    return True


def withdraw(session: Session, contact_id: int, cluster_id: int, answer: Answer) -> bool:
    """Take that answer back; False where it was not given."""
    gone = session.execute(
        delete(Reaction)
        .where(Reaction.contact_id == contact_id, Reaction.cluster_id == cluster_id)
        .where(Reaction.answer == answer)
        .returning(Reaction.id)
        .execution_options(synchronize_session=False)
    )
    return gone.first() is not None


def is_awaited(
    contact_id: SQLColumnExpression[int], cluster_id: SQLColumnExpression[int]
) -> ColumnElement[bool]:
    """Whether that contact found that call interesting, and did not hide it, as a condition.

    Under whatever cluster the call was when it was answered.
    """

    def answered(answer: Answer) -> ColumnElement[bool]:
        reaction, revision, tender = aliased(Reaction), aliased(Revision), aliased(Tender)
        return exists().where(
            reaction.contact_id == contact_id,
            reaction.answer == answer,
            revision.id == reaction.revision_id,
            tender.id == revision.tender_id,
            func.coalesce(tender.cluster_id, tender.id) == cluster_id,
        )

    return and_(answered(Answer.INTERESTED), ~answered(Answer.HIDDEN))


def _latest(session: Session, cluster_id: int) -> int | None:
    return session.scalar(
        select(Revision.id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Tender.cluster_id == cluster_id, Revision.number == Tender.latest)
        .order_by(Tender.id)
        .limit(1)
    )


@dataclass(frozen=True, slots=True)
class Returned:
    """One « not relevant », for the sector that the notice was told for."""

    number: str
    title: str
    #: What spoke for it that day: « « déneigement » dans le titre ».
    evidence: str
    at: datetime


@dataclass(slots=True)
class SectorReturns:
    """What contacts answered to the notices of one sector."""

    #: A slug; "" for the contacts' own words.
    sector: str
    not_relevant: int = 0
    interested: int = 0
    #: The « not relevant », latest first.
    returned: list[Returned] = field(default_factory=list)


def by_sector(session: Session) -> list[SectorReturns]:
    """The answers by the sectors that notices were told for, most « not relevant » first."""
    found: dict[str, SectorReturns] = {}
    for reaction, revision, tender in _answers(session):
        for reason in reaction.reasons:
            sector = reason["sector"]
            kept = found.setdefault(sector, SectorReturns(sector))
            if reaction.answer == Answer.INTERESTED:
                kept.interested += 1
                continue
            kept.not_relevant += 1
            kept.returned.append(
                Returned(tender.number, revision.title, reason["evidence"], reaction.at)
            )
    return sorted(found.values(), key=lambda one: (-one.not_relevant, one.sector))


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """A notice with the sectors that its readers' answers leave it, to be judged by a person."""

    number: str
    title: str
    buyer: str
    #: "S9 | 91111601;72102903": SEAO's categories, then the UNSPSC codes.
    codes: str
    #: Slugs; empty: none.
    sectors: tuple[str, ...]
    not_relevant: int
    interested: int
    #: Sectors that some found relevant and others not: kept, and doubtful.
    disputed: tuple[str, ...]


def labelled(session: Session, lexicon: Lexicon) -> list[Labelled]:
    """Each notice that was answered, oldest first: its sectors without those that were refused."""
    by_revision: dict[int, list[Reaction]] = defaultdict(list)
    known: dict[int, tuple[Revision, Tender]] = {}
    for reaction, revision, tender in _answers(session):
        by_revision[revision.id].append(reaction)
        known[revision.id] = (revision, tender)
    return [
        _labelled(*known[revision_id], by_revision[revision_id], lexicon)
        for revision_id in sorted(by_revision)
    ]


def _labelled(
    revision: Revision, tender: Tender, answers: list[Reaction], lexicon: Lexicon
) -> Labelled:
    refused = _told_for(one for one in answers if one.answer == Answer.NOT_RELEVANT)
    wanted = _told_for(one for one in answers if one.answer == Answer.INTERESTED)
    now = classify(facts_of([revision]), lexicon)
    sectors = {one.sector for one in now if one.score >= THRESHOLD} | wanted
    return Labelled(
        number=tender.number,
        title=revision.title,
        buyer=revision.buyer,
        codes=_codes(revision.items),
        sectors=tuple(sorted(sectors - (refused - wanted))),
        not_relevant=sum(one.answer == Answer.NOT_RELEVANT for one in answers),
        interested=sum(one.answer == Answer.INTERESTED for one in answers),
        disputed=tuple(sorted(refused & wanted)),
    )


def _told_for(answers: Iterable[Reaction]) -> set[str]:
    return {reason["sector"] for one in answers for reason in one.reasons} - {""}


def _codes(items: list[dict[str, Any]]) -> str:
    schemes: dict[str, list[str]] = defaultdict(list)
    for item in items:
        scheme, _, code = item["code"].partition(":")
        schemes[scheme].append(code)
    return " | ".join(";".join(schemes[one]) for one in ("SEAO", "UNSPSC") if schemes[one])


def _answers(session: Session) -> list[tuple[Reaction, Revision, Tender]]:
    """Those that say something of relevance, latest first."""
    rows = session.execute(
        select(Reaction, Revision, Tender)
        .join(Revision, Revision.id == Reaction.revision_id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Reaction.answer.in_(list(OPPOSITE)))
        .order_by(Reaction.at.desc(), Reaction.id.desc())
    )
    return [(reaction, revision, tender) for reaction, revision, tender in rows]
