"""What is kept for a time only, let go when the time is over: the inventory's limits, no others.

Most limits are a column and a term, and are applied as they are written in the inventory. A
person's own are counted from its departure; its name and address go as in an erasure.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    String,
    and_,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from alerts import erasure, persons
from alerts.erasure import ErasureRefused
from base import wiping
from base.concerns import raise_concern, settle, standing
from base.database import Base, Database
from base.inventory import DEPARTURE, Kept, Limit, inventory, kept_in
from subscriptions import erased, wishes
from subscriptions.tables import Contact, Member, Membership, Suppression

logger = logging.getLogger(__name__)

#: Who does it, in the audit.
BY = "service"
_FILES = "database:files"
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Due:
    """How many rows one limit lets go at a moment."""

    kept: Kept
    limit: Limit
    rows: int


def due(session: Session, *, at: datetime) -> list[Due]:
    """What each limit of the inventory would let go at that moment."""
    return [
        Due(kept, limit, _count(session, kept, _over(session, kept, limit, at)))
        for kept, limit in _limits()
    ]


def keep_to_limits(database: Database, *, at: datetime) -> Counter[str]:
    """Let go of all that is over its limit, in the rows and in the files; rows by table.

    Safe to run twice and beside itself. The files are written anew only where a person went.
    """
    gone: Counter[str] = Counter()
    gone["contact"] = _erase_departed(database, at)
    with database.write() as session:
        gone["contact"] += erasure.sweep(session)
    persons_gone = gone.total() > 0
    with database.write() as session:
        for kept, limit in _limits():
            if not (limit.since == DEPARTURE and kept.table == "contact" and limit.emptied):
                gone[kept.table] += _let_go(session, kept, limit, at)
        persons_gone |= _hide_orphans(session, at) > 0
    rewrite(database, at=at, anyway=persons_gone)
    if gone.total():
        logger.info("limits kept", extra={"rows": {name: n for name, n in gone.items() if n}})
    return +gone


def rewrite(database: Database, *, at: datetime, anyway: bool = True) -> bool:
    """Take what went out of the files, or say to staff that it could not be; whether it is done.

    Without `anyway` only where that failed before; else the log alone is emptied.
    """
    with database.read() as session:
        owed = any(one.key == _FILES for one in standing(session))
    if not (anyway or owed):
        return wiping.empty_log(database)
    try:
        done = wiping.wipe(database)
    except DBAPIError:
        done = False
        logger.warning("files of the database not rewritten")
    with database.write() as session:
        if done:
            settle(session, _FILES, at=at)
        else:
            raise_concern(session, key=_FILES, cause="files not rewritten", detail={}, at=at)
    return done


def departures(session: Session) -> dict[int, datetime]:
    """When each contact that is no longer an active member's departed.

    It was removed, or its enterprise's last membership ended, whichever was first; one of an
    enterprise that never was a member departed when it was recorded.
    """
    last = _last_days(session)
    rows = session.execute(
        select(Contact.id, Contact.member_id, Contact.ended_at, Contact.created_at)
    )
    found = {
        row.id: min(row.ended_at or _NEVER, last.get(row.member_id, row.created_at)) for row in rows
    }
    return {contact_id: moment for contact_id, moment in found.items() if moment != _NEVER}


def _last_days(session: Session) -> dict[int, datetime]:
    """When the last membership of each enterprise ends; _NEVER where one has no end."""
    found: dict[int, datetime] = {}
    known = select(Membership.member_id, Membership.ends_at)
    for member_id, ends_at in session.execute(known.where(Membership.superseded_at.is_(None))):
        found[member_id] = max(found.get(member_id, ends_at or _NEVER), ends_at or _NEVER)
    return found


def _limits() -> Iterator[tuple[Kept, Limit]]:
    return ((kept, limit) for kept in inventory() for limit in kept.limits)


def _over(session: Session, kept: Kept, limit: Limit, at: datetime) -> ColumnElement[bool]:
    """The rows that are over a limit, and not yet what it makes of them."""
    columns = Base.metadata.tables[kept.table].c
    full = [erasure.is_full(columns[name]) for name in limit.emptied]
    if limit.since == DEPARTURE:
        if kept.table == "member":
            return and_(columns.id.in_(_members_over(session, limit, at)), or_(*full))
        key = columns["id" if kept.table == "contact" else "contact_id"]
        over = key.in_(_departed(session, limit, at))
        return and_(over, or_(*full)) if full else over
    old = _is_old(kept, limit, at)
    return and_(old, or_(*full)) if full else old


def _is_old(kept: Kept, limit: Limit, at: datetime) -> ColumnElement[bool]:
    """Of a row: it meets the limit's conditions, or the row to which it belongs does."""
    columns = Base.metadata.tables[limit.of or kept.table].c
    conditions = [columns[limit.since] <= limit.term.before(at)]
    conditions += [columns[name].in_(values) for name, values in limit.only.items()]
    conditions += [columns[name].not_in(values) for name, values in limit.unless.items()]
    if not limit.of:
        return and_(*conditions)
    keys = Base.metadata.tables[kept.table].foreign_keys
    (key,) = (one for one in keys if one.column.table.name == limit.of)
    return key.parent.in_(select(key.column).where(*conditions))


def _let_go(session: Session, kept: Kept, limit: Limit, at: datetime) -> int:
    table = Base.metadata.tables[kept.table]
    over = _over(session, kept, limit, at)
    if not limit.emptied:
        return _done(session, delete(table).where(over))
    values = erasure.empty(table.c[name] for name in limit.emptied)
    if "name_key" in values:
        # Unique, and no name folded begins so.
        values["name_key"] = literal("#").concat(cast(table.c.id, String))
        over &= ~table.c.name_key.startswith("#")
    return _done(session, update(table).where(over).values(values))


def _done(session: Session, statement: Executable) -> int:
    result = session.execute(statement)
    assert isinstance(result, CursorResult)  # noqa: S101, what an UPDATE or a DELETE gives
    return result.rowcount


def _count(session: Session, kept: Kept, over: ColumnElement[bool]) -> int:
    table = Base.metadata.tables[kept.table]
    return session.scalar(select(func.count()).select_from(table).where(over)) or 0


def _departed(session: Session, limit: Limit, at: datetime) -> list[int]:
    before = limit.term.before(at)
    return [number for number, moment in departures(session).items() if moment <= before]


def _members_over(session: Session, limit: Limit, at: datetime) -> list[int]:
    """Enterprises whose last membership is that long over, and that have no contact any more."""
    before, last = limit.term.before(at), _last_days(session)
    with_contact = set(
        session.scalars(select(Contact.member_id).where(Contact.erased_at.is_(None)))
    )
    rows = session.execute(select(Member.id, Member.created_at))
    return [
        member_id
        for member_id, created_at in rows
        if last.get(member_id, created_at) <= before and member_id not in with_contact
    ]


def _erase_departed(database: Database, at: datetime) -> int:
    """Erase the contacts whose time is over, each in a transaction of its own.

    One that a letter holds back waits for tomorrow.
    """
    limit = next(one for one in kept_in("contact").limits if one.emptied)
    with database.read() as session:
        left = departures(session)
        there = set(session.scalars(select(Contact.id).where(Contact.erased_at.is_(None))))
        over = sorted(there.intersection(_departed(session, limit, at)))
    done = 0
    for contact_id in over:
        try:
            with database.write() as session:
                _erase(session, contact_id, ended_at=left[contact_id], at=at)
        except ErasureRefused:
            logger.info("erasure waits for a letter", extra={"contact": contact_id})
        else:
            done += 1
    return done


def _erase(session: Session, contact_id: int, *, ended_at: datetime, at: datetime) -> None:
    contact = session.get_one(Contact, contact_id)
    reason = erased.UNSUBSCRIBED if wishes.has_left(session, contact_id) else ""
    contact.ended_at = ended_at
    erasure.erase(session, persons.alone(session, contact), reason=reason, at=at, by=BY)


def _hide_orphans(session: Session, at: datetime) -> int:
    """Leave only a digest of the suppressed addresses that no contact has any more."""
    held = select(Contact.address).where(Contact.erased_at.is_(None))
    orphans = select(Suppression.address).where(
        Suppression.address > "", Suppression.lifted_at.is_(None), Suppression.address.not_in(held)
    )
    return erased.hide(session, session.scalars(orphans.distinct()).all(), reason="", at=at)
