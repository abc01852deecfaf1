"""THE STORY: open an edition, write its letters, hand them over.

    open_due     expected editions minus existing rows           1 row an edition
    write_open   every contact of the edition gets a letter, or an omission that says why not
    (dispatch)   alerts.dispatch.hand_over takes the letters from there

Each step is safe to run twice and beside itself: what is owed is computed from rows. What
differs from stream to stream, whom an edition concerns and what each contact is told in it, is
a line of STREAMS.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import (
    arrivals,
    at_once,
    brake,
    change_runs,
    lapsing,
    outbox,
    owed,
    periodic,
    proof_of_life,
    quarantine,
    reminder_runs,
    stale,
)
from alerts.looked import Looked
from alerts.owed import Shard
from alerts.streams import Due, Plan, Run, Tick
from alerts.tables import Edition, EditionState, Omission, Stream
from alerts.writing import Desk, Pending, write_batch
from base.database import Database, insert
from sources.catalogue import Source

logger = logging.getLogger(__name__)

#: How each stream is run; one that is not here has no editions.
STREAMS: Mapping[Stream, Run] = {
    Stream.DAILY: Run(plan=periodic.plan),
    Stream.WEEKLY: Run(plan=periodic.plan),
    # Who arrives hears of all that is open in one letter, before the letters of its rhythm.
    Stream.WELCOME: Run(plan=arrivals.welcome, is_called=arrivals.welcome_is_called),
    Stream.RETURN: Run(plan=arrivals.returned, is_called=arrivals.return_is_called),
    Stream.INSTANT: Run(plan=at_once.plan, is_called=at_once.is_called),
    Stream.CHANGE: Run(plan=change_runs.plan, is_called=change_runs.is_called),
    Stream.REMINDER: Run(
        plan=reminder_runs.plan, is_called=reminder_runs.is_called, label=reminder_runs.label
    ),
    Stream.LAPSE: Run(plan=lapsing.plan, is_called=lapsing.is_called),
    Stream.ALIVE: Run(
        plan=proof_of_life.plan, is_called=proof_of_life.is_called, label=proof_of_life.label
    ),
}


def open_due(session: Session, at: datetime, sources: Iterable[Source] = ()) -> list[int]:
    """Make the rows of the editions that the clock asks for; the ids of those made now.

    Whoever comes second, here or on another machine, makes none. An edition that was missed
    is not made up for: the next one's period begins where the last one's ended. The weekly one
    waits for the week's file of those sources, though not for ever.
    """
    made = [_open(session, one, at) for one in periodic.expected(session, sources, at)]
    return [edition_id for edition_id in made if edition_id is not None]


def write_open(
    database: Database, desk: Desk, *, at: datetime, looked: Looked | None = None
) -> Counter[str]:
    """Write the letters of every edition that is not written whole; counts by what came of it.

    Keys: "letter", "quarantined", and the Why of each omission. Letters in quarantine whose
    turn has come, and those that became false, are composed anew. What expired or became false
    is given back first, to be told again. Last, the streams that rows call for are opened and
    written, so that they know what was told.
    `looked` spares a process what it has looked at in earlier ticks.
    """
    let_go(database, at=at)
    with _tick(database, desk, at, looked) as tick:
        return _write_owed(tick)


def let_go(database: Database, *, at: datetime) -> None:
    """Give back what expired or became false, so that the letters written next tell it."""
    with database.write() as session:
        outbox.expire(session, at=at)
        stale.set_aside(session, at=at)


def opened_by_the_clock(session: Session) -> list[int]:
    """The editions for everybody of a rhythm that are not written whole, oldest first."""
    clocked = [stream for stream, run in STREAMS.items() if run.is_called is None]
    found = session.scalars(
        select(Edition.id)
        .where(Edition.state == EditionState.OPEN, Edition.frequency.in_(clocked))
        .order_by(Edition.id)
    )
    return list(found)


def write_shard(
    database: Database,
    desk: Desk,
    edition_id: int,
    shard: Shard,
    *,
    at: datetime,
    looked: Looked | None = None,
    stop: threading.Event | None = None,
) -> bool:
    """Write an open edition for the contacts of one shard; whether it is closed by this call.

    As `write_open`, safe beside others at the same shard. Whoever finds nothing left to write in
    any shard closes the edition. Between two batches it ends early where `stop` is set.
    """
    with _tick(database, desk, at, looked) as tick:
        with database.read() as session:
            edition = session.get_one(Edition, edition_id)
        plan, after = STREAMS[Stream(edition.frequency)].plan(tick, edition), 0
        while stop is None or not stop.is_set():
            with database.write() as session:
                if not _is_open(session, edition_id):
                    return False
                pending = owed.pending(session, edition, plan, shard, after=after)
                if pending:
                    _write(session, tick, edition, plan, pending)
                if pending or after:
                    after = _next(pending)
                    continue
            # In a transaction of its own: it sees what the others wrote until now.
            with database.write() as session:
                left = session.execute(owed.unanswered(edition, plan).limit(1)).first()
                return left is None and _close(session, edition, at)
    return False


@contextmanager
def _tick(database: Database, desk: Desk, at: datetime, looked: Looked | None) -> Iterator[Tick]:
    """What the runs of one tick share; where they fail, nothing that was looked at is trusted."""
    tick = Tick(database=database, desk=desk, at=at, looked=looked or Looked())
    try:
        yield tick
    except BaseException:
        tick.looked.forget()
        raise


def _write_owed(tick: Tick) -> Counter[str]:
    with tick.database.read() as session:
        opened = session.scalars(select(Edition).where(Edition.state == EditionState.OPEN)).all()
        again = quarantine.due(session, at=tick.at)
    done: Counter[str] = Counter()
    for edition in opened:
        done += _write_whole(tick, edition)
    for edition_id, contact_ids in again.items():
        done += _write_again(tick, edition_id, contact_ids)
    for edition in _called(tick):
        done += _write_whole(tick, edition)
    return done


def _open(session: Session, one: Due, at: datetime) -> int | None:
    return session.scalar(
        insert(session, Edition)
        .values(
            frequency=one.stream,
            label=one.label,
            starts_at=one.period.start,
            ends_at=one.period.end,
            opened_at=at,
            state=EditionState.OPEN,
            without_week=one.without_week,
        )
        .on_conflict_do_nothing(index_elements=[Edition.frequency, Edition.label])
        .returning(Edition.id)
    )


def _called(tick: Tick) -> Iterable[Edition]:
    """Open an edition for each stream that rows call for, one after the other."""
    for stream, run in STREAMS.items():
        if run.is_called is None or not run.is_called(tick):
            continue
        one = Due(stream=stream, label=run.label(tick.at), period=periodic.day_of(tick.at))
        with tick.database.write() as session:
            made = _open(session, one, tick.at)
        # None: another opened it, and writes it.
        if made is not None:
            # Not within the transaction: whoever writes it may fail, or take its time.
            with tick.database.read() as session:
                edition = session.get_one(Edition, made)
            yield edition


def _write_whole(tick: Tick, edition: Edition) -> Counter[str]:
    """Batch after batch until each contact has its letter or its reason; then it is closed."""
    done: Counter[str] = Counter()
    plan, after = STREAMS[Stream(edition.frequency)].plan(tick, edition), 0
    while True:
        with tick.database.write() as session:
            pending = owed.pending(session, edition, plan, after=after)
            if pending:
                done += _write(session, tick, edition, plan, pending)
            elif not after:
                _close(session, edition, tick.at)
                return done
            after = _next(pending)


def _next(pending: Sequence[Pending]) -> int:
    """After which contact to go on: the last one's, else once more from the first.

    Someone before it may be owed again: another writer was faster, and gave its letter up.
    """
    return pending[-1].contact.id if pending else 0


def _write_again(tick: Tick, edition_id: int, contact_ids: Sequence[int]) -> Counter[str]:
    """Those contacts' letters in that edition failed, or became false: once more."""
    with tick.database.read() as session:
        edition = session.get_one(Edition, edition_id)
    plan = STREAMS[Stream(edition.frequency)].plan(tick, edition)
    with tick.database.write() as session:
        pending = owed.among(session, plan, contact_ids)
        done = _write(session, tick, edition, plan, pending)
        omitted = select(Omission.contact_id).where(
            Omission.edition_id == edition_id,
            Omission.contact_id.in_(contact_ids),
            Omission.letter_id.is_(None),
        )
        # Whoever the edition is not for any more has what it would have told in another.
        others = set(contact_ids) - {one.contact.id for one in pending}
        quarantine.release(session, edition, others.union(session.scalars(omitted)), at=tick.at)
        quarantine.settle_concern(session, edition, at=tick.at)
    return done


def _write(
    session: Session, tick: Tick, edition: Edition, plan: Plan, pending: Sequence[Pending]
) -> Counter[str]:
    return write_batch(
        session,
        tick.desk,
        edition,
        pending,
        tick.calls,
        at=tick.at,
        poison=tick.poison,
        choose=plan.choose,
        note=plan.note,
        covered=tick.covered,
    )


def _is_open(session: Session, edition_id: int) -> bool:
    state = session.scalar(select(Edition.state).where(Edition.id == edition_id))
    return state == EditionState.OPEN


def _close(session: Session, edition: Edition, at: datetime) -> bool:
    """The edition is written whole: measured, and then its letters may be claimed.

    False where another was faster.
    """
    closed = session.scalar(
        update(Edition)
        .where(Edition.id == edition.id, Edition.state == EditionState.OPEN)
        .values(state=EditionState.WRITTEN, written_at=at)
        .returning(Edition.id)
        .execution_options(synchronize_session=False)
    )
    if closed is None:
        return False
    held = brake.measure(session, session.get_one(Edition, edition.id), at=at)
    fields = {"edition": edition.id, "label": edition.label, "held": held}
    logger.info("edition written", extra=fields)
    return True
