"""What changed between two revisions of a call, field by field, and how much it matters. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from base.text import fold
from sources.release import Status


class Grade(StrEnum):
    """How soon those who were told of the call must hear of it."""

    #: Cancelled, withdrawn, or closing earlier: what they do now may be in vain.
    CRITICAL = "critical"
    #: Closing later, an addendum, another place, open again.
    USEFUL = "useful"
    #: The title, or typography: no reason to write.
    MINOR = "minor"


class Field(StrEnum):
    """What is compared, in the order in which it is told."""

    STATUS = "status"
    CLOSES_AT = "closes_at"
    DOCUMENTS = "documents"
    PLACE = "place"
    BUYER = "buyer"
    TITLE = "title"


Value = str | datetime | tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Amendment:
    """One field that both revisions carry, and that changed."""

    field: Field
    before: Value
    after: Value
    grade: Grade

    @property
    def typography(self) -> bool:
        """True where only case, accents, blanks or punctuation changed."""
        words = isinstance(self.before, str) and isinstance(self.after, str)
        return words and fold(str(self.before)) == fold(str(self.after))


class Said(Protocol):
    """What is compared of a revision: a row of sources.tables.Revision, or a value like it."""

    @property
    def status(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def buyer(self) -> str: ...
    @property
    def municipality(self) -> str: ...
    @property
    def mrc(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def closes_at(self) -> datetime | None: ...
    @property
    def documents(self) -> Sequence[str]: ...


def amendments(before: Said, after: Said) -> tuple[Amendment, ...]:
    """The differences, in the order of `Field`; () where there is none.

    A field that is empty on either side is absent there, not changed. `before` need not be the
    revision just before `after`: for a reader it is the one that they were told.
    """
    return tuple(_differences(before, after))


def gravest(found: Sequence[Amendment]) -> Grade | None:
    """The highest grade among them; None where there is none."""
    return min((one.grade for one in found), key=list(Grade).index, default=None)


def _differences(before: Said, after: Said) -> Iterator[Amendment]:
    ended = after.status in {Status.CANCELLED, Status.WITHDRAWN}
    yield from _one(Field.STATUS, before.status, after.status, _grade(critical=ended))
    if before.closes_at and after.closes_at:
        earlier = _grade(critical=after.closes_at < before.closes_at)
        yield from _one(Field.CLOSES_AT, before.closes_at, after.closes_at, earlier)
    was, now = tuple(sorted(set(before.documents))), tuple(sorted(set(after.documents)))
    yield from _one(Field.DOCUMENTS, was, now, Grade.USEFUL)
    yield from _moved(_place(before), _place(after))
    same = fold(before.buyer) == fold(after.buyer)
    yield from _one(Field.BUYER, before.buyer, after.buyer, Grade.MINOR if same else Grade.USEFUL)
    yield from _one(Field.TITLE, before.title, after.title, Grade.MINOR)


def _one(field: Field, before: Value, after: Value, grade: Grade) -> Iterator[Amendment]:
    if before and after and before != after:
        yield Amendment(field=field, before=before, after=after, grade=grade)


def _grade(*, critical: bool) -> Grade:
    return Grade.CRITICAL if critical else Grade.USEFUL


def _moved(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Amendment]:
    """Another place; not the same one told more or less precisely."""
    if any(was and now and was != now for was, now in zip(before, after, strict=True)):
        yield from _one(Field.PLACE, before, after, Grade.USEFUL)


def _place(said: Said) -> tuple[str, ...]:
    return (said.municipality, said.mrc, said.region)
