"""What a changed catalogue would do to the tenders that were seen, before it is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from alerts.calls import facts_of
from alerts.classification import Lexicon, classify
from sources import tenders


@dataclass(frozen=True, slots=True)
class Effect:
    """A tender that another catalogue would put elsewhere."""

    number: str
    title: str
    #: Slugs of the new catalogue, and of the old one.
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A tender's sectors by the catalogue in use and by another."""

    number: str
    title: str
    before: frozenset[str]
    after: frozenset[str]

    @property
    def effect(self) -> Effect | None:
        """None where both catalogues say the same."""
        if self.before == self.after:
            return None
        gained, lost = self.after - self.before, self.before - self.after
        return Effect(self.number, self.title, tuple(sorted(gained)), tuple(sorted(lost)))


def compare(
    session: Session, before: Lexicon, after: Lexicon, *, since: datetime
) -> Iterator[Compared]:
    """Each tender first seen since then, classified by both catalogues; nothing is changed."""
    for tender, revision in tenders.seen_since(session, since):
        facts = facts_of([revision])
        yield Compared(
            tender.number,
            revision.title,
            frozenset(one.sector for one in classify(facts, before)),
            frozenset(one.sector for one in classify(facts, after)),
        )
