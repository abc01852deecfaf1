"""What a letter says of the sources it quotes: their names, whom to credit, what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from alerts.digest import Coverage, Gap, Notice
from sources import catalogue, freshness, tenders


def credits_of(notices: Iterable[Notice]) -> tuple[str, ...]:
    """Who must be named with those notices, in the catalogue's order, each once."""
    return credits_of_sources(notice.source for notice in notices)


def credits_of_sources(names: Iterable[str]) -> tuple[str, ...]:
    """As `credits_of`, by the names that letters give the sources."""
    quoted = set(names)
    known = catalogue.load().values()
    return tuple(dict.fromkeys(one.credit for one in known if one.short in quoted and one.credit))


@dataclass(frozen=True, slots=True)
class Covered:
    """What the sources gave by one moment, and what may be missing."""

    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]


def covered(session: Session, at: datetime) -> Covered:
    """Each source that is asked, by the name that letters give it: two may share one."""
    states = freshness.coverage(session, at)
    opened = tenders.open_by_source(session, at)
    by_name: dict[str, list[freshness.SourceState]] = {}
    for one in states:
        by_name.setdefault(one.short, []).append(one)
    return Covered(
        tuple(
            Coverage(
                source=name,
                read_at=max((one.answered_at for one in same if one.answered_at), default=None),
                notices=len(set().union(*(opened.get(one.key, ()) for one in same))),
            )
            for name, same in by_name.items()
        ),
        tuple(Gap(one.short, one.missing_since) for one in states if one.missing_since),
    )
