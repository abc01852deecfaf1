"""A round: each source that is due is asked, and what the visit came to is written down."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from base.database import Database, insert
from sources.catalogue import Access, Address, Source
from sources.reading import Network, Outcome, read_address
from sources.tables import Reading, Visit

logger = logging.getLogger(__name__)

#: A visit that is due within so much is due: ticks are never exact.
_ROUGHLY = timedelta(minutes=10)
#: How long raw documents are kept for replay.
KEPT = timedelta(days=400)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visited:
    """One address of a source, and what became of what it has; empty where a visit broke off."""

    source: Source
    address: Address
    outcomes: tuple[Outcome, ...]


def visit_due(
    database: Database, sources: Iterable[Source], network: Network, *, at: datetime
) -> Iterator[Visited]:
    """Ask each enabled source whose time has come, one address after the other.

    What breaks at one source is logged, and the next one is asked. Of two services that run this
    at once, one asks.
    """
    for source in sources:
        for address in source.addresses if source.enabled else ():
            if source.access is not Access.STAFF and _claim(database, source, address, at):
                yield visit(database, source, address, network, at=at)


def visit(
    database: Database, source: Source, address: Address, network: Network, *, at: datetime
) -> Visited:
    """Ask one address now, and write down how it went; whatever breaks is a failed visit."""
    outcomes: list[Outcome] = []
    fault = "broke off"
    try:
        outcomes = read_address(database, source, address, network, at=at)
        # Files come oldest first: an old one that is damaged for good does not make it silent.
        fault = outcomes[-1].fault if outcomes else ""
    except Exception:
        logger.exception("source visit broke off", extra={"source": source.key})
    with database.write() as session:
        _note(session, source, address, fault, at)
    return Visited(source=source, address=address, outcomes=tuple(outcomes))


def prune(database: Database, at: datetime) -> int:
    """Let go of raw documents that are no longer kept; how many."""
    with database.write() as session:
        pruned = session.execute(
            update(Reading)
            .where(Reading.at < at - KEPT, Reading.document.is_not(None))
            .values(document=None)
            .returning(Reading.id)
            .execution_options(synchronize_session=False)
        )
        return len(pruned.all())


def _claim(database: Database, source: Source, address: Address, at: datetime) -> bool:
    """Whether it is due, and this caller is the one who asks."""
    before = at - timedelta(hours=address.every) + _ROUGHLY
    with database.write() as session:
        _known(session, source, address, at)
        claimed = session.scalar(
            update(Visit)
            .where(Visit.source == source.key, Visit.address == address.url[:500])
            .where(or_(Visit.asked_at <= before, Visit.asked_at > at + _ROUGHLY))
            .values(asked_at=at)
            .returning(Visit.source)
            .execution_options(synchronize_session=False)
        )
    return claimed is not None


def _known(session: Session, source: Source, address: Address, at: datetime) -> None:
    """A row for an address that was never asked."""
    session.execute(
        insert(session, Visit)
        .values(
            source=source.key,
            address=address.url[:500],
            asked_at=at - timedelta(hours=address.every),
            fault="",
        )
        .on_conflict_do_nothing()
    )


def _note(session: Session, source: Source, address: Address, fault: str, at: datetime) -> None:
    """How the visit went: since when it fails, or that it answered."""
    _known(session, source, address, at)
    row = session.scalars(
        select(Visit).where(Visit.source == source.key, Visit.address == address.url[:500])
    ).one()
    row.asked_at, row.fault = at, fault
    if fault:
        row.failing_since = row.failing_since or at
    else:
        row.answered_at, row.failing_since = at, None
