"""What each contact has been told, and of which revision.

A notice is RESERVED with the letter that carries it, CONFIRMED when the relay accepted that
letter, RELEASED when the letter will never leave, UNCERTAIN when nobody knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from math import ceil
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Update,
    and_,
    bindparam,
    case,
    cast,
    extract,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from alerts.digest import Notice
from alerts.tables import OFFERED, Letter, LetterState, Told, ToldBefore, ToldState
from base.database import Base, insert
from base.unfolding import unfolded
from sources import clusters
from sources.tables import Revision, Tender

#: A letter in one of these states was received, or may have been.
LEFT = (LetterState.ACCEPTED, LetterState.UNKNOWN, LetterState.IN_DOUBT)
#: Days; no call closes so long ago.
_LONG = 1_000_000
_LETTER, _TOLD = (Base.metadata.tables[name] for name in ("letter", "told"))
#: What a row is reserved with.
_RESERVED = (
    Told.contact_id, Told.cluster_id, Told.kind, Told.occasion, Told.revision_id, Told.closes_at,
    Told.reasons, Told.letter_id, Told.state, Told.at, Told.relisted,
)  # fmt: skip
#: A letter, the contact whose it is, and what it tells.
Carried = tuple[int, int, Sequence[Notice]]


@dataclass(slots=True)
class Heard:
    """What one contact needs not, or need, be told again, by cluster."""

    #: Reserved or confirmed, or listed twice already: not again.
    settled: set[int] = field(default_factory=set)
    #: In a letter that may not have arrived: once more, marked so.
    uncertain: set[int] = field(default_factory=set)


def heard(
    session: Session, contact_ids: Iterable[int], of: Iterable[int] | None = None
) -> dict[int, Heard]:
    """What each of those contacts has been told; a contact told nothing is Heard().

    Of what kind does not count: who was told that a call changed, or closes soon, knows of it.
    `of`: of the calls of these clusters, by default of all; more than is asked may be said.
    """
    found: dict[int, Heard] = defaultdict(Heard)
    told = (
        select(Told.contact_id, Told.cluster_id, Tender.cluster_id, Told.state, Told.relisted)
        .join(Revision, Revision.id == Told.revision_id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Told.contact_id.in_(list(contact_ids)), Told.state != ToldState.RELEASED)
    )
    names = None if of is None else clusters.names(session, of)
    if names is not None:
        # A sum is not looked up: what the index has of a contact is fewer rows than `of`.
        told = told.where((Told.cluster_id + 0).in_(names))
    rows = session.execute(told)
    for contact_id, cluster_id, joined, state, relisted in rows:
        again = state == ToldState.UNCERTAIN and not relisted
        kept = found[contact_id].uncertain if again else found[contact_id].settled
        # A tender that has joined another's cluster since was told under its own.
        kept.update({cluster_id, joined or cluster_id})
    for one in found.values():
        one.uncertain -= one.settled
    return found


def reserve(session: Session, carried: Iterable[Carried], *, at: datetime) -> int:
    """Reserve the notices that those letters carry; return how many could be.

    One that is reserved or confirmed already stays as it is: fewer than asked means that
    another writer was faster, and the caller must give its letters up.
    """
    rows = [
        (contact_id, *_of(notice), letter_id, ToldState.RESERVED, at, False)
        for letter_id, contact_id, notices in carried
        for notice in notices
    ]
    if not rows:
        return 0
    # In one order, so that of two writers one waits for the other, and never both.
    rows.sort(key=itemgetter(0, 1))
    free = or_(
        Told.state == ToldState.RELEASED,
        and_(Told.state == ToldState.UNCERTAIN, Told.relisted.is_(False)),
    )
    _remember(session, {(contact_id, cluster_id) for contact_id, cluster_id, *_ in rows}, free)
    statement = insert(session, Told).from_select(
        [column.key for column in _RESERVED], unfolded(session, _RESERVED, rows)
    )
    names = ("letter_id", "revision_id", "reasons", "closes_at", "at", "state")
    anew = {name: statement.excluded[name] for name in names}
    taken = session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=[Told.contact_id, Told.cluster_id, Told.kind, Told.occasion],
            set_=anew | {"days_left": None, "relisted": Told.state == ToldState.UNCERTAIN},
            where=free,
        ),
        execution_options={"preserve_rowcount": True},
    )
    return taken.rowcount


def _remember(session: Session, about: set[tuple[int, int]], free: ColumnElement[bool]) -> None:
    """Keep which earlier letters told, or may have, what is about to be another letter's.

    `about`: contact and cluster. More than is taken over may be kept: that an earlier letter had
    it stays true.
    """
    contacts = {contact_id for contact_id, _ in about}
    offered = select(Told.id).where(text(f"told.{OFFERED}"), Told.contact_id.in_(contacts))
    names = ("letter_id", "cluster_id", "kind", "occasion", "revision_id", "state", "at")
    told = session.execute(
        select(Told.contact_id, *(_TOLD.c[name] for name in names))
        .join(Letter, Letter.id == Told.letter_id)
        .where(Told.id.in_(offered), free, Letter.state.in_(LEFT), is_carried())
    )
    rows = [
        dict(zip(names, row, strict=True))
        for contact_id, *row in told
        if (contact_id, row[1]) in about
    ]
    if rows:
        session.execute(insert(session, ToldBefore).on_conflict_do_nothing(), rows)


def confirm(session: Session, letter_ids: Iterable[int]) -> None:
    """The relay has taken charge of those letters: their notices are told, so many days before.

    When it did is the letter's moment in doubt: an answer may come late, or from the relay's log.
    """
    letters = session.execute(_accepted_at(), {"ids": list(letter_ids)})
    by_moment: dict[datetime | None, list[int]] = defaultdict(list)
    for letter_id, moment in letters:
        by_moment[moment].append(letter_id)
    for moment, ids in by_moment.items():
        second = None if moment is None else ceil(moment.timestamp())
        session.execute(_confirming(), {"ids": ids, "second": second})


@cache
def _accepted_at() -> Select[int, datetime | None]:
    """Letter and moment of those `ids`."""
    accepted_at = func.coalesce(_LETTER.c.in_doubt_at, _LETTER.c.settled_at)
    return select(_LETTER.c.id, accepted_at).where(
        _LETTER.c.id.in_(bindparam("ids", expanding=True))
    )


@cache
def _confirming() -> Update:
    """The notices of the letters `ids`, accepted at a `second` since 1970 or nobody knows when.

    Whole days as datetime counts them: rounded down, also once the call has closed.
    """
    closes = cast(extract("epoch", _TOLD.c.closes_at), BigInteger)
    left = closes - bindparam("second", type_=BigInteger)
    told = (ToldState.RESERVED, ToldState.UNCERTAIN, ToldState.CONFIRMED)
    return (
        update(_TOLD)
        .where(_TOLD.c.letter_id.in_(bindparam("ids", expanding=True)), is_carried())
        .where(_TOLD.c.state.in_(told))
        .values(
            state=ToldState.CONFIRMED,
            # A division that drops what is after the point, of a number above zero.
            days_left=func.coalesce((left + _LONG * 86_400) // 86_400 - _LONG, _TOLD.c.days_left),
        )
    )


def release(session: Session, letter_ids: Iterable[int]) -> None:
    """Those letters will never leave: their notices may be told again.

    What one of them would have listed for the second time is as uncertain as before.
    """
    uncertain = case((Told.relisted, ToldState.UNCERTAIN), else_=ToldState.RELEASED)
    session.execute(
        update(Told)
        .where(Told.letter_id.in_(list(letter_ids)), is_carried())
        .where(Told.state.in_([ToldState.RESERVED, ToldState.UNCERTAIN]))
        .values(state=uncertain, relisted=False)
        .execution_options(synchronize_session=False)
    )


def doubt(session: Session, letter_ids: Iterable[int]) -> None:
    """Nobody knows whether those letters were accepted."""
    _move(session, letter_ids, ToldState.UNCERTAIN)


def renew(session: Session, letter_ids: Iterable[int]) -> None:
    """Those letters, in doubt until now, wait to leave again with the notices they have."""
    session.execute(
        update(Told)
        .where(Told.letter_id.in_(list(letter_ids)), Told.state == ToldState.UNCERTAIN)
        .where(is_carried())
        .values(state=ToldState.RESERVED)
        .execution_options(synchronize_session=False)
    )


def follow(session: Session, letter_id: int, state: LetterState) -> None:
    """What was told by that letter, now that it is in that state."""
    match state:
        case LetterState.ACCEPTED:
            confirm(session, [letter_id])
        case LetterState.REFUSED | LetterState.WITHDRAWN:
            release(session, [letter_id])
        case LetterState.UNKNOWN:
            doubt(session, [letter_id])
        case LetterState.DEFERRED | LetterState.WRITTEN:
            renew(session, [letter_id])
        case _:
            pass


def came_back(session: Session, letter_ids: Iterable[int]) -> None:
    """Those letters were accepted and did not arrive: their notices may be told again."""
    told = (ToldState.CONFIRMED, ToldState.UNCERTAIN)
    _move(session, letter_ids, ToldState.RELEASED, of=told)


def is_carried() -> ColumnElement[bool]:
    """Of a Told: its letter, as it is now, tells it.

    A letter that was composed anew (alerts.stale) may have lost what it was to tell: that row
    stays released, or as uncertain as it was, whatever becomes of the letter.
    """
    written_at = (
        select(_LETTER.c.written_at)
        .where(_LETTER.c.id == _TOLD.c.letter_id)
        .correlate(_TOLD)
        .scalar_subquery()
    )
    return or_(_TOLD.c.state == ToldState.RESERVED, _TOLD.c.at >= written_at)


def _move(
    session: Session,
    letter_ids: Iterable[int],
    state: ToldState,
    of: tuple[ToldState, ...] = (ToldState.RESERVED, ToldState.UNCERTAIN),
) -> None:
    session.execute(
        update(Told)
        .where(Told.letter_id.in_(list(letter_ids)), is_carried())
        .where(Told.state.in_(of))
        .values(state=state)
        .execution_options(synchronize_session=False)
    )


@lru_cache(maxsize=10_000)
def _of(notice: Notice) -> tuple[Any, ...]:
    """What the rows of all who are told of a notice have."""
    return (
        notice.cluster_id,
        notice.kind,
        notice.occasion,
        notice.revision_id,
        notice.closes_at,
        [{"sector": r.sector, "evidence": r.evidence} for r in notice.reasons],
    )
