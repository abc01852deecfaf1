"""What contacts must hear about what they were told: each change against what they last read.

A change is owed to whom the ledger says was told of the call, and to nobody else. It is computed
from rows, the revision that the contact last received and the one that holds now, so whatever
happened between them is told as one, and nothing is owed once the latter was received.

    critical   cancelled, withdrawn, closing earlier: at once, whatever the reader's wishes
    useful     closing later, an addendum, another place: with the reader's next letter, or at
               once where the call closes within PRESSING; only while it is one for the reader
    minor      never by itself

See docs/decisions/0012-what-changed-since-it-was-read.md.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.answer_tables import Answer, Reaction
from alerts.calls import Call, call, facts_of
from alerts.classification import Lexicon
from alerts.digest import Notice, Reason
from alerts.matching import Match, Wanted, match, place_of
from alerts.motion import Amended, Moved, amended
from alerts.poison import Poison
from alerts.tables import Kind, Told, ToldState
from sources.amendments import Grade
from subscriptions.sectors import Catalogue
from subscriptions.tables import Subscription

logger = logging.getLogger(__name__)

#: Revisions asked for at once: SQLite takes at most 32,766 variables a statement.
_LOT = 1000
#: Kinds of which a change is told.
_CHANGES = (Kind.CHANGE, Kind.CANCELLATION)
#: Answers of who need not hear what is merely useful.
_DISMISSED = (Answer.HIDDEN, Answer.NOT_RELEVANT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What one contact must hear of one call."""

    contact_id: int
    amended: Amended
    #: As Told.reasons, of when it was told.
    told_for: Sequence[Mapping[str, str]]
    #: True where the letter that told of the call, or of this, may not have arrived.
    perhaps_seen: bool
    #: True where the contact hid the call, or found it not relevant.
    dismissed: bool

    @property
    def is_critical(self) -> bool:
        """Whether everybody who was told hears of it at once."""
        return self.amended.grade is Grade.CRITICAL

    def notice(self, catalogue: Catalogue) -> Notice:
        """The call as it stands, with what changed since the contact read of it."""
        one = self.amended
        made = Call(
            cluster_id=one.cluster_id,
            tender=one.tender,
            revision=one.revision,
            facts=facts_of([one.revision]),
            classified=(),
            closes_at=one.closes_at,
        ).notice(reasons_of(self.told_for, catalogue), perhaps_seen=self.perhaps_seen)
        return replace(made, kind=one.kind, occasion=one.occasion, amendments=one.amendments)


@dataclass(frozen=True, slots=True)
class Changes:
    """What contacts must hear of, and whose it still is."""

    by_contact: Mapping[int, Sequence[Change]]
    _lexicon: Lexicon
    #: The calls as they are matched, each classified once.
    _calls: dict[int, Call] = field(default_factory=dict)

    def of(self, subscription: Subscription, poison: Poison) -> list[Change]:
        """What its contact is told: what is critical, and what is useful and still for it.

        How soon the call closes does not count: the contact knows of it. A call that cannot be
        matched is left out, and added to `poison`.
        """
        owed = self.by_contact.get(subscription.contact_id, ())
        if not owed:
            return []
        wanted = Wanted.of(subscription)
        return [one for one in owed if one.is_critical or self._is_for(wanted, one, poison)]

    def _is_for(self, wanted: Wanted, one: Change, poison: Poison) -> bool:
        if one.dismissed or one.amended.revision.id in poison.found:
            return False
        try:
            made = self._call(one.amended)
            judged = match(made.facts, made.classified, wanted, place=place_of(made.revision))
        except Exception as error:
            logger.exception("change left out", extra={"cluster": one.amended.cluster_id})
            poison.add(one.amended.tender, one.amended.revision, error)
            return False
        return isinstance(judged, Match)

    def _call(self, one: Amended) -> Call:
        if one.cluster_id not in self._calls:
            self._calls[one.cluster_id] = call(one.cluster_id, one.notices, self._lexicon)
        return self._calls[one.cluster_id]


def reasons_of(told_for: Iterable[Mapping[str, str]], catalogue: Catalogue) -> tuple[Reason, ...]:
    """Why a notice was told, as a letter says it."""
    return tuple(
        Reason(
            one["sector"], catalogue.label(one["sector"]) if one["sector"] else "", one["evidence"]
        )
        for one in told_for
    )


def changes(
    session: Session,
    lexicon: Lexicon,
    contact_ids: Iterable[int] | None = None,
    *,
    at: datetime,
    moved: Moved | None = None,
) -> Changes:
    """What each of those contacts, by default all, must hear of.

    `moved`: of these calls, by default of all that were amended.
    """
    moved = amended(session, at) if moved is None else moved
    rows: dict[tuple[int, int], list[Told]] = defaultdict(list)
    for told in _told(session, list(moved.clusters), contact_ids):
        rows[told.contact_id, moved.clusters[told.revision_id]].append(told)
    dismissed = _dismissed(session, moved.clusters) if rows else set()
    found: dict[int, list[Change]] = defaultdict(list)
    for key in sorted(rows):
        one = _owed(rows[key], moved.since, dismissed=key in dismissed)
        if one is not None:
            found[one.contact_id].append(one)
    return Changes(found, lexicon)


def _owed(told: list[Told], since: Mapping[int, Amended], *, dismissed: bool) -> Change | None:
    """What is owed of one call to one contact, of which `told` is all that it was told.

    Nothing while a letter that tells of it waits: if that became false it is rebuilt
    (alerts.stale). A change whose letter is in doubt is owed once more, as everything is.
    """
    if any(one.state == ToldState.RESERVED for one in told):
        return None
    doubted = [one for one in told if _is_doubted(one)]
    received = [one for one in told if one not in doubted]
    last = max(received, key=lambda one: (one.at, one.id), default=None)
    found = since.get(last.revision_id) if last else None
    if last is None or found is None:
        return None
    if any((one.kind, one.occasion) == (found.kind, found.occasion) for one in received):
        return None
    return Change(
        contact_id=last.contact_id,
        amended=found,
        told_for=last.reasons,
        perhaps_seen=last.state == ToldState.UNCERTAIN
        or any((one.kind, one.occasion) == (found.kind, found.occasion) for one in doubted),
        dismissed=dismissed,
    )


def _is_doubted(told: Told) -> bool:
    """A change of which nobody knows whether it arrived, and that was not told again yet."""
    uncertain = told.state == ToldState.UNCERTAIN and not told.relisted
    return uncertain and told.kind in _CHANGES


def _told(
    session: Session, revision_ids: list[int], contact_ids: Iterable[int] | None
) -> Iterable[Told]:
    """What was told, or is about to be, of those revisions."""
    chosen = (
        select(Told)
        .where(Told.state != ToldState.RELEASED)
        .execution_options(populate_existing=True)
    )
    if contact_ids is not None:
        chosen = chosen.where(Told.contact_id.in_(list(contact_ids)))
    for start in range(0, len(revision_ids), _LOT):
        lot = revision_ids[start : start + _LOT]
        yield from session.scalars(chosen.where(Told.revision_id.in_(lot)))


def _dismissed(session: Session, clusters: Mapping[int, int]) -> set[tuple[int, int]]:
    """Contacts and those of the calls that they hid or found not relevant."""
    found: set[tuple[int, int]] = set()
    ids = list(clusters)
    for start in range(0, len(ids), _LOT):
        rows = session.execute(
            select(Reaction.contact_id, Reaction.revision_id)
            .where(Reaction.revision_id.in_(ids[start : start + _LOT]))
            .where(Reaction.answer.in_(_DISMISSED))
        )
        found.update((contact_id, clusters[revision_id]) for contact_id, revision_id in rows)
    return found
