"""Letters at once: to whom one is due at this minute, and what it tells.

    at once    all that is untold, 10 minutes after the first of it; at most 3 letters a day
    weekly     what Monday's letter would bring with fewer than 6 days left; at most 2 a week
    slower     what was held when the reader left a faster rhythm, once

At night only what closes within a day leaves (alerts.rhythm). Whatever waits leaves in one
letter. Nothing of this is remembered: what is due is what the ledger does not have, and when it
is due follows from when it was seen, asked for, given back, or left over by a letter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from alerts import near_misses, rhythm
from alerts.calls import Call
from alerts.choosing import everything_new
from alerts.digest import Notice
from alerts.entitlement import contacts_refused
from alerts.ledger import Heard
from alerts.looked import Looked, Reader
from alerts.streams import Plan, Tick
from alerts.tables import Edition
from alerts.writing import Batch, Pending
from alerts.written import NOTHING, Written, left_faster, next_weekly, written
from subscriptions.tables import Contact, Frequency, Member

#: Contacts of one run; those beyond are due the next minute all the same.
MOST = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """What is owed to whom at one minute."""

    at: datetime
    looked: Looked
    #: The calls that the next weekly letters would tell too late.
    promoted: Collection[int]
    #: By contact: when it left a faster rhythm, lately.
    left: dict[int, datetime]

    def owed(self, reader: Reader) -> dict[int, Call]:
        """The calls that are not to wait for the reader's own rhythm, as far as is known."""
        at_once = reader.frequency is Frequency.INSTANT
        promoted = self.promoted if reader.frequency is Frequency.WEEKLY else ()
        if not (at_once or promoted or reader.contact_id in self.left):
            return {}
        untold = self.looked.untold(reader, self.at)
        return {
            key: call
            for key, call in untold.items()
            if at_once or key in promoted or self._was_held(reader, call)
        }

    def is_due(self, reader: Reader, so_far: Written) -> bool:
        """Whether a letter may leave now, given what was written to the reader lately."""
        return any(
            rhythm.may_leave(
                self.at,
                opened_at=self._opened_at(reader, key, call, so_far),
                closes_at=call.closes_at,
                letters_today=so_far.today,
            )
            for key, call in self.owed(reader).items()
            if reader.frequency is Frequency.INSTANT or self._counts(reader, call, so_far)
        )

    def _counts(self, reader: Reader, call: Call, so_far: Written) -> bool:
        """Held calls call for one letter, promoted ones for so many a week."""
        if self._was_held(reader, call):
            return so_far.last is None or so_far.last <= self.left[reader.contact_id]
        return so_far.week < rhythm.MOST_PROMOTED

    def _was_held(self, reader: Reader, call: Call) -> bool:
        left = self.left.get(reader.contact_id)
        return left is not None and call.seen_at < left

    def _opened_at(self, reader: Reader, key: int, call: Call, so_far: Written) -> datetime:
        """Since when that call waits to be told to that reader."""
        moments = [call.seen_at, reader.started_at]
        back = self.looked.given_back.get(reader.contact_id, {}).get(key)
        if back is not None:
            moments.append(back)
        doubt = self.looked.uncertain.get(reader.contact_id, {}).get(key)
        if doubt is not None:
            # It may have arrived, and the relay's log, or staff, may know by then.
            moments.append(rhythm.next_morning(doubt) - rhythm.GROUPED)
        opened = max(moments)
        if so_far.left_over is not None and opened <= so_far.left_over:
            # Over the reader's maximum, or not to be written: not again the same day.
            return rhythm.next_morning(so_far.left_over) - rhythm.GROUPED
        return opened


def is_called(tick: Tick) -> bool:
    """Whether a letter at once is due to somebody; keeps the near misses of what is new."""
    due = _due(tick)
    if tick.looked.missed:
        with tick.database.write() as session:
            near_misses.keep(session, tick.looked.missed, at=tick.at)
        tick.looked.missed = []
    return bool(due)


def plan(tick: Tick, edition: Edition) -> Plan:  # noqa: ARG001, as every stream's
    """Those to whom a letter is due now, also where a crash left the edition open."""
    due, moment = _due(tick), _moment(tick)
    readers = moment.looked.readers

    def choose(batch: Batch, to: Pending, heard: Heard) -> tuple[Notice, ...]:
        reader = readers.get(to.contact.id)
        if reader is None:
            return ()
        at_once = reader.frequency is Frequency.INSTANT
        return everything_new(batch, to, heard, only=None if at_once else moment.owed(reader))

    return Plan(_live().where(Contact.id.in_(due)), choose, again=_live())


def _due(tick: Tick) -> list[int]:
    """The contacts to whom a letter is due now.

    Asked of the rows in three steps, each of fewer contacts: who has something that is not
    known to be told, who may have a letter, and what the ledger says, whole.
    """
    moment = _moment(tick)
    looked, at = moment.looked, tick.at
    found = _chosen(moment, (one.contact_id for one in looked.waiting()), {})[:MOST]
    if not found:
        return []
    with tick.database.read() as session:
        looked.ask(session, {key: moment.owed(looked.readers[key]) for key in found})
        found = _chosen(moment, found, {})
        lately = written(session, at) if found else {}
        found = _chosen(moment, found, lately)
        refused = contacts_refused(session, found, at=at)
        found = [key for key in found if key not in refused]
        looked.ask_whole(session, found)
        return _chosen(moment, found, lately)


def _chosen(moment: Moment, contact_ids: Iterable[int], lately: dict[int, Written]) -> list[int]:
    readers = moment.looked.readers
    return [key for key in contact_ids if moment.is_due(readers[key], lately.get(key, NOTHING))]


def _moment(tick: Tick) -> Moment:
    tick.calls  # noqa: B018, brings what was looked at up to date
    with tick.database.read() as session:
        tick.looked.refresh(session, tick.at)
        weekly = next_weekly(session, tick.at)
        return Moment(
            at=tick.at,
            looked=tick.looked,
            promoted={
                key
                for key, call in tick.looked.calls.items()
                if weekly and rhythm.is_promoted(call.closes_at, tick.at, weekly)
            },
            left=left_faster(session, tick.looked.readers.values(), tick.at),
        )


def _live() -> Select[Contact, Member]:
    return (
        select(Contact, Member)
        .join(Member, Member.id == Contact.member_id)
        .where(Contact.ended_at.is_(None))
    )
