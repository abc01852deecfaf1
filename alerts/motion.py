"""The calls that are not any more as they were at some revision: what changed since each, graded.

Computed from the sources' rows alone, for all readers at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from alerts.calls import FIRST
from alerts.poison import LONGEST_TITLE
from alerts.tables import Kind
from sources.amendments import Amendment, Field, Grade, amendments, gravest
from sources.release import Status
from sources.tables import Revision, Tender

#: Made once: an alias works its columns out anew, and what moved is asked each minute.
_OTHER = aliased(Tender)
#: What closes within this, or did before the change, does not wait for the next letter.
PRESSING = timedelta(days=5)
#: How far back a closing moment may have been moved, or a call have been cancelled: a source
#: gives a cancelled call the moment of its cancellation as its closing.
_BACK = timedelta(days=92)
_NOT_OFF = (Status.ACTIVE, Status.COMPLETE)
#: What a source says of a call that another source's notice does not merely word otherwise.
_SAID_ALIKE = (Field.STATUS, Field.CLOSES_AT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Amended:
    """A call as it stands, and what changed of it since a revision."""

    cluster_id: int
    tender: Tender
    #: What holds now.
    revision: Revision
    #: The latest of each tender of the call, the one that holds first.
    notices: Sequence[tuple[Tender, Revision]]
    amendments: tuple[Amendment, ...]
    grade: Grade
    #: The closing moment before, and the one that holds now; None where not known.
    closings: tuple[datetime | None, datetime | None]

    @property
    def ended(self) -> bool:
        """Whether it was cancelled, withdrawn, or is over though its closing is to come."""
        return self.revision.status != Status.ACTIVE

    def presses(self, at: datetime) -> bool:
        """Whether it cannot wait for a slower reader's next letter."""
        return self.grade is Grade.CRITICAL or self.closes_within(PRESSING, at)

    @property
    def kind(self) -> Kind:
        """As Told.kind: a call that was awarded before its closing was not called off."""
        return Kind.CHANGE if self.revision.status in _NOT_OFF else Kind.CANCELLATION

    @property
    def occasion(self) -> str:
        """As Told.occasion: a revision is told once."""
        return str(self.revision.id)

    @property
    def closes_at(self) -> datetime | None:
        """What a letter says; of a call that ended, when it would have closed."""
        before, now = self.closings
        return before if self.ended else now

    def closes_within(self, span: timedelta, at: datetime) -> bool:
        """Whether it closes so soon, or was about to before the change."""
        return any(moment and at < moment <= at + span for moment in self.closings)


@dataclass(frozen=True, slots=True)
class Moved:
    """The calls that were amended."""

    #: What changed since a revision, by its id.
    since: dict[int, Amended] = field(default_factory=dict)
    #: The cluster of every revision of those calls.
    clusters: dict[int, int] = field(default_factory=dict)

    def only(self, counts: Callable[[Amended], bool]) -> Moved:
        """The calls of which some change counts."""
        kept = {one.cluster_id for one in self.since.values() if counts(one)}
        return Moved(
            {key: one for key, one in self.since.items() if one.cluster_id in kept},
            {key: cluster_id for key, cluster_id in self.clusters.items() if cluster_id in kept},
        )


@dataclass(frozen=True, slots=True)
class _Chain:
    """A tender with its revisions, oldest first."""

    tender: Tender
    revisions: list[Revision]

    @property
    def latest(self) -> Revision:
        return self.revisions[-1]

    def is_past(self, at: datetime) -> bool:
        """Closed by its hour, which a cancelled call is not."""
        closes_at = self.tender.closes_at
        active = self.tender.status == Status.ACTIVE
        return active and closes_at is not None and closes_at <= at


def amended(session: Session, at: datetime) -> Moved:
    """The calls of which a useful or critical change since some revision is worth telling at `at`.

    A call that had closed before, and has now, is not worth it.
    """
    moved = Moved()
    for cluster_id, chains in _clusters(session, at).items():
        found = {base.id: one for base, one in _since(cluster_id, chains, at)}
        if found:
            moved.since.update(found)
            moved.clusters.update(
                (revision.id, cluster_id) for chain in chains for revision in chain.revisions
            )
    return moved


def _since(
    cluster_id: int, chains: list[_Chain], at: datetime
) -> Iterator[tuple[Revision, Amended]]:
    for own in chains:
        now = _holds(own, chains, at)
        for base in own.revisions:
            made = _amended(cluster_id, base, own, now, chains)
            if made is not None and not _is_over(made, at):
                yield base, made


def _holds(own: _Chain, chains: list[_Chain], at: datetime) -> _Chain:
    """Which of a call's notices says how it stands to who was told of `own`.

    SEAO's weekly file, the authority; else the one that was told. One that has closed by its
    hour gives way to one that is open, as in letters (alerts.calls).
    """
    official = [chain for chain in chains if chain.tender.source == FIRST]
    others = [chain for chain in chains if chain.tender.status == Status.ACTIVE]
    return next((one for one in (*official, own, *others) if not one.is_past(at)), own)


def _amended(
    cluster_id: int, base: Revision, own: _Chain, now: _Chain, chains: list[_Chain]
) -> Amended | None:
    latest = now.latest
    if base.id == latest.id or len(latest.title) > LONGEST_TITLE:
        return None
    found = amendments(base, latest)
    if now is not own:
        found = tuple(one for one in found if one.field in _SAID_ALIKE)
    if latest.status != Status.ACTIVE:
        # The hour at which a call was called off is no closing moment.
        found = tuple(one for one in found if one.field is not Field.CLOSES_AT)
    grade = gravest(found)
    if grade is None or grade is Grade.MINOR:
        return None
    notices = [
        (chain.tender, chain.latest) for chain in (now, *(c for c in chains if c is not now))
    ]
    return Amended(
        cluster_id=cluster_id,
        tender=now.tender,
        revision=latest,
        notices=notices,
        amendments=found,
        grade=grade,
        closings=(base.closes_at, latest.closes_at or now.tender.closes_at),
    )


def _is_over(one: Amended, at: datetime) -> bool:
    """Closed by what was read, and by what holds now: nobody waits for it any more."""
    before, now = one.closings
    known = [moment for moment in (before, now if not one.ended else None) if moment]
    return bool(known) and max(known) <= at


def _clusters(session: Session, at: datetime) -> dict[int, list[_Chain]]:
    """The calls that may have changed since somebody was told, with all of their revisions."""
    cluster = func.coalesce(Tender.cluster_id, Tender.id)
    beside = exists().where(
        _OTHER.cluster_id == Tender.cluster_id, _OTHER.id != Tender.id, _OTHER.source == FIRST
    )
    moving = (
        select(cluster)
        .where(or_(Tender.closes_at.is_(None), Tender.closes_at > at - _BACK))
        .where(or_(Tender.latest > 1, beside))
    )
    rows = session.execute(
        select(cluster, Tender, Revision)
        .join(Revision, Revision.tender_id == Tender.id)
        .where(cluster.in_(moving))
        .order_by(Tender.id, Revision.number)
    )
    chains: dict[int, dict[int, _Chain]] = defaultdict(dict)
    for cluster_id, tender, revision in rows:
        chain = chains[cluster_id].setdefault(tender.id, _Chain(tender, []))
        chain.revisions.append(revision)
    return {cluster_id: list(of.values()) for cluster_id, of in chains.items()}
