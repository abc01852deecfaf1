"""The open calls as they stand, each classified once for all readers, whatever its sources."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerts.classification import NEARLY, Classified, Facts, Lexicon, classify
from alerts.digest import Link, Notice, Reason, sooner
from alerts.matching import Shelf, place_of
from alerts.poison import Poison, check
from alerts.territory import OPEN
from alerts.window import Candidate
from base.french import days_left
from sources import catalogue, seao_names
from sources.places import delivered, load
from sources.tables import Revision, Tender

logger = logging.getLogger(__name__)

#: The source whose notice is shown first, and the others beside it.
FIRST = seao_names.WEEKLY
#: The same publisher's other source, which the first overrules.
_SEARCH = seao_names.SEARCH
#: A tender at one of its revisions.
OfTender = tuple[Tender, Revision]
#: Values of one call's notice that are kept.
_KEPT = 30
#: Characters of delivery regions that a letter has room for.
_SHORT = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """An open call: one notice, or the notices of several sources that are one."""

    cluster_id: int
    #: The notice that is shown.
    tender: Tender
    revision: Revision
    #: The other sources' notices.
    others: tuple[tuple[Tender, Revision], ...] = ()
    facts: Facts
    #: From classification.NEARLY on.
    classified: tuple[Classified, ...]
    #: The earliest of its sources', None where none gives one. SEAO's search does not count
    #: beside SEAO's weekly file.
    closes_at: datetime | None
    #: What `notice` made.
    _kept: dict[tuple[tuple[Reason, ...], bool], Notice] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def seen_at(self) -> datetime:
        """When the last of what is known of it was seen."""
        return max([self.revision.seen_at, *(revision.seen_at for _, revision in self.others)])

    def candidate(self, at: datetime) -> Candidate:
        """The call as it is matched at that moment."""
        left = days_left(self.closes_at, at) if self.closes_at else None
        return Candidate(self.facts, self.classified, place_of(self.revision), left)

    def notice(self, reasons: tuple[Reason, ...], *, perhaps_seen: bool = False) -> Notice:
        """The call as a member reads it: one value for all who are told it for the same reasons."""
        kept = self._kept.get((reasons, perhaps_seen))
        if kept is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            kept = self._kept[reasons, perhaps_seen] = self._notice(reasons, perhaps_seen)
        return kept

    def _notice(self, reasons: tuple[Reason, ...], perhaps_seen: bool) -> Notice:  # noqa: FBT001, private
        revision = self.revision
        return Notice(
            cluster_id=self.cluster_id,
            revision_id=revision.id,
            number=self.tender.number,
            title=revision.title,
            buyer=revision.buyer,
            place=_where(revision),
            place_to_check=revision.place_basis == "to check"
            and not delivered(load(), revision.delivery_regions),
            category=revision.category,
            method=revision.procurement_method_details,
            closes_at=self.closes_at,
            uri=revision.uri,
            source=catalogue.short_name(self.tender.source),
            reasons=reasons,
            perhaps_seen=perhaps_seen,
            reserved=self.tender.visibility == "reserved",
            conflicting=revision.conflicting,
            level=revision.level,
            further=tuple(_link(*one) for one in self.others if one[1].uri),
        )


@dataclass(frozen=True, slots=True)
class OpenCalls:
    """The calls that are open at one moment, soonest to close first, and what they are found by."""

    by_cluster: dict[int, Call]
    shelf: Shelf[int]
    at: datetime


def open_calls(
    tenders: Iterable[tuple[Tender, Revision]], lexicon: Lexicon, poison: Poison, *, at: datetime
) -> OpenCalls:
    """Put the notices of one call together and classify each call, once.

    One that cannot be read is left out and added to `poison`.
    """
    found: dict[int, Call] = {}
    for cluster_id, notices in by_cluster(tenders).items():
        try:
            found[cluster_id] = checked(cluster_id, notices, lexicon)
        except Exception as error:
            logger.exception("call left out", extra={"cluster": cluster_id})
            for tender, revision in notices:
                poison.add(tender, revision, error)
    return shelved(found, at)


def by_cluster(tenders: Iterable[OfTender]) -> dict[int, list[OfTender]]:
    """The notices of each call."""
    found: dict[int, list[OfTender]] = {}
    for tender, revision in tenders:
        found.setdefault(tender.cluster_id or tender.id, []).append((tender, revision))
    return found


def checked(cluster_id: int, notices: Sequence[OfTender], lexicon: Lexicon) -> Call:
    """As `call`. Raises LetterUnwritable where one of the notices would stop the whole run."""
    for _, revision in notices:
        check(revision)
    return call(cluster_id, notices, lexicon)


def shelved(found: dict[int, Call], at: datetime) -> OpenCalls:
    """Those calls as they are matched at that moment."""
    calls = {one.cluster_id: one for one in sorted(found.values(), key=_sooner)}
    return OpenCalls(calls, Shelf({key: one.candidate(at) for key, one in calls.items()}), at)


def _sooner(one: Call) -> tuple[datetime, str, int]:
    return sooner(one.closes_at, one.revision.title, one.cluster_id)


def call(cluster_id: int, notices: Sequence[OfTender], lexicon: Lexicon) -> Call:
    """One call from the notices of its cluster: SEAO's is shown, else the first seen."""
    first, *others = shown_first(notices)
    facts = facts_of([revision for _, revision in (first, *others)])
    return Call(
        cluster_id=cluster_id,
        tender=first[0],
        revision=first[1],
        others=tuple(others),
        facts=facts,
        classified=classify(facts, lexicon, least=NEARLY),
        closes_at=closing(notices),
    )


def shown_first(notices: Iterable[tuple[Tender, Revision]]) -> list[tuple[Tender, Revision]]:
    """The notices of one call in the order in which a reader is led to them."""
    return sorted(notices, key=lambda one: (one[0].source != FIRST, one[0].id))


def _where(revision: Revision) -> str:
    """The place to show: of delivery where the buyer's is not known to be it and few are said."""
    said = ", ".join(revision.delivery_regions)
    if revision.place_basis in OPEN and 0 < len(said) <= _SHORT:
        return said
    names = (revision.municipality, revision.mrc)
    return ", ".join(name for name in names if name) or revision.region


def closing(notices: Sequence[tuple[Tender, Revision]]) -> datetime | None:
    """The earliest; SEAO's search is silent where its weekly file, the authority, speaks."""
    closings = {
        (tender.source, revision.closes_at) for tender, revision in notices if revision.closes_at
    }
    official = any(source == FIRST for source, _ in closings)
    return min(
        (moment for source, moment in closings if not (official and source == _SEARCH)),
        default=None,
    )


def facts_of(revisions: Sequence[Revision]) -> Facts:
    """What is known of a call: the first notice's words, and what the others add."""
    items = [item for revision in revisions for item in revision.items]
    return Facts(
        title=revisions[0].title,
        category=next((r.category for r in revisions if r.category), ""),
        codes=tuple(dict.fromkeys(item["code"] for item in items)),
        labels=tuple(dict.fromkeys(item["label"] for item in items)),
        description=next((r.description for r in revisions if r.description), ""),
        buyer=revisions[0].buyer,
    )


def _link(tender: Tender, revision: Revision) -> Link:
    return Link(catalogue.short_name(tender.source), revision.uri)
