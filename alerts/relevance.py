"""What the answers of contacts say of the sectors: where they found notices not relevant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.answer_tables import Answer, Reaction
from alerts.calls import facts_of
from alerts.classification import THRESHOLD, Lexicon, classify
from alerts.reactions import OPPOSITE
from sources.tables import Revision, Tender


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
