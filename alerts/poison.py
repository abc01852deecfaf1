"""Tenders that cannot be shown: left out of the letters, so that the others still leave.

What is wrong with one is found the plain way: a letter that fails is composed with each of its
notices alone, and with one that is certainly harmless, which tells the reader's fault from
the tender's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from alerts.digest import Digest, Notice
from alerts.errors import LetterUnwritable
from base.concerns import raise_concern
from sources.tables import Revision, Tender

#: Characters of a title that no call for tenders has; SEAO's own field ends far earlier.
LONGEST_TITLE = 10_000

#: What is composed, a letter: nothing here reads it.
T = TypeVar("T")

_HARMLESS = Notice(
    cluster_id=0,
    revision_id=0,
    number="0",
    title="-",
    buyer="-",
    place="",
    place_to_check=False,
    category="",
    method="",
    closes_at=None,
    uri="",
    source="-",
    reasons=(),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A tender that cannot be shown."""

    source: str
    number: str
    error: str


@dataclass(slots=True)
class Poison:
    """The revisions found in one run, so that each is found once for all readers."""

    found: dict[int, Found] = field(default_factory=dict)

    def add(self, tender: Tender, revision: Revision, error: Exception) -> None:
        """That tender failed before it was anybody's notice."""
        self.found[revision.id] = Found(tender.source, tender.number[:50], _words(error))

    def say(self, session: Session, *, at: datetime) -> None:
        """Tell staff of each, once a revision."""
        for revision_id, one in self.found.items():
            raise_concern(
                session,
                key=f"revision:{revision_id}:left out",
                cause="left out",
                detail={"source": one.source, "number": one.number, "error": one.error},
                at=at,
            )


def check(revision: Revision) -> None:
    """Raises LetterUnwritable for a title that would stop the whole run by its length alone."""
    if len(revision.title) > LONGEST_TITLE:
        raise LetterUnwritable(f"a title of {len(revision.title)} characters")


def compose_without(
    digest: Digest, compose: Callable[[Digest], T], poison: Poison
) -> tuple[T, Digest] | None:
    """The letter, and the digest that it shows: without what cannot be shown.

    None where nothing else is left to show.

    Raises:
        Exception: whatever `compose` raised, where the notices are not to blame.
    """
    shown = _without(digest, poison)
    if shown is None:
        return None
    try:
        return compose(shown), shown
    except Exception as error:  # noqa: BLE001, raised again unless a notice is to blame
        _blame(shown, compose, poison, error)
    shown = _without(digest, poison)
    return None if shown is None else (compose(shown), shown)


def _without(digest: Digest, poison: Poison) -> Digest | None:
    left = tuple(one for one in digest.notices if one.revision_id not in poison.found)
    if len(left) == len(digest.notices):
        return digest
    return replace(digest, notices=left) if left else None


def _blame(
    digest: Digest, compose: Callable[[Digest], object], poison: Poison, error: Exception
) -> None:
    """Add the notices that fail alone; raise `error` again where it is not they who fail."""
    if _fails(replace(digest, notices=(_HARMLESS,)), compose):
        raise error
    guilty = [one for one in digest.notices if _fails(replace(digest, notices=(one,)), compose)]
    if not guilty:
        raise error
    for one in guilty:
        poison.found[one.revision_id] = Found(one.source, one.number[:50], _words(error))


def _fails(digest: Digest, compose: Callable[[Digest], object]) -> bool:
    try:
        compose(digest)
    except Exception:  # noqa: BLE001, any failure is what is asked about
        return True
    return False


def _words(error: Exception) -> str:
    return type(error).__name__
