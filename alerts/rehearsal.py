"""The next letters as they will be, before anything is reserved, written or sent.

What is written and waits is shown as it is, with its frozen bytes. The next edition of each rhythm
is composed by the functions that will write it (alerts.writing.draft), at the moment at which it
is due and from what is known now; the session only reads. Letters at once are not rehearsed: ten
minutes after a notice they are gone, or wait.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from alerts import brake, changed, ledger, periodic, rhythm
from alerts.digest import Digest, Period
from alerts.editions import STREAMS
from alerts.entitlement import contacts_refused
from alerts.ledger import Heard
from alerts.letter import Composed
from alerts.looked import Looked
from alerts.owed import BATCH, with_subscriptions
from alerts.previewed import Rehearsed, Shown
from alerts.streams import Plan, Tick
from alerts.tables import Edition, Stream, Why
from alerts.writing import Batch, Desk, Pending, Remarks, draft, letter_key
from base.clock import quebec_day
from base.database import Database
from subscriptions.tables import Contact

logger = logging.getLogger(__name__)

_FRIDAY = 4
#: Days within which each daily reader has its next letter.
_WEEK = 7


@dataclass(kw_only=True, slots=True)
class Rehearsal:
    """The next edition of one rhythm, as far as it was rehearsed."""

    edition: Edition
    due_at: datetime
    letters: int = 0
    notices: int = 0
    #: Contacts that will have no letter, by Why; "" where it cannot be composed.
    omitted: Counter[str] = field(default_factory=Counter)
    #: Letters, and notices a letter, that are usual (alerts.brake); None while too few are known.
    usual: tuple[float, float] | None = None

    @property
    def label(self) -> str:
        """As the edition's will be."""
        return self.edition.label

    @property
    def is_unusual(self) -> bool:
        """Whether the brake would hold it, or it is as far below the usual."""
        if self.usual is None:
            return False
        letters, a_letter = self.usual
        times = brake.TIMES
        if self.letters > times * letters or self.letters * times < letters:
            return True
        return bool(self.letters) and self.notices / self.letters > times * a_letter


def rehearse(
    database: Database,
    desk: Desk,
    *,
    at: datetime,
    contact_id: int | None = None,
    streams: Iterable[Stream] = (Stream.WEEKLY, Stream.DAILY),
) -> Iterator[tuple[Rehearsal, Iterator[Rehearsed]]]:
    """Each edition to come, with its letters; a contact is in its own next one only.

    An edition's figures are whole when its letters have been gone through.
    """
    looked, seen = Looked(), set[int]()
    for edition, due_at in _to_come(at, set(streams)):
        tick = Tick(database=database, desk=desk, at=due_at, looked=looked)
        with database.read() as session:
            made = Rehearsal(edition=edition, due_at=due_at, usual=brake.usual(session, edition))
        yield made, _letters(tick, made, seen, contact_id)


def _to_come(at: datetime, streams: set[Stream]) -> Iterator[tuple[Edition, datetime]]:
    """The next weekly edition, and the daily ones of a week, in the order in which they are due."""
    moments = [(Stream.WEEKLY, rhythm.next_weekly(at))]
    daily = at
    for _ in range(_WEEK):
        daily = rhythm.next_daily(daily, range(7))
        moments.append((Stream.DAILY, daily))
    for stream, due_at in moments:
        if stream in streams:
            one = next(due for due in periodic.due(due_at) if due.stream is stream)
            yield _edition(stream, one.label, one.period, due_at), due_at


def _edition(stream: Stream, label: str, period: Period, due_at: datetime) -> Edition:
    """A row that no session ever sees."""
    return Edition(
        frequency=stream,
        label=label,
        starts_at=period.start,
        ends_at=period.end,
        opened_at=due_at,
        without_week=False,
    )


def _letters(
    tick: Tick, made: Rehearsal, seen: set[int], contact_id: int | None
) -> Iterator[Rehearsed]:
    plan = STREAMS[Stream(made.edition.frequency)].plan(tick, made.edition)
    last = 0
    while True:
        with tick.database.read() as session:
            pending = _pending(session, plan, last, contact_id)
            if not pending:
                return
            last = pending[-1].contact.id
            fresh = [one for one in pending if one.contact.id not in seen]
            seen.update(one.contact.id for one in fresh)
            letters = list(_batch(session, tick, made, plan, fresh))
        # Not within the transaction: whoever shows them may end there.
        yield from letters


def _pending(session: Session, plan: Plan, last: int, contact_id: int | None) -> list[Pending]:
    asked = plan.contacts.where(Contact.id > last)
    if contact_id is not None:
        asked = asked.where(Contact.id == contact_id)
    rows = session.execute(asked.order_by(Contact.id).limit(BATCH)).all()
    return with_subscriptions(session, rows)


def _batch(
    session: Session, tick: Tick, made: Rehearsal, plan: Plan, pending: list[Pending]
) -> Iterator[Rehearsed]:
    ids = [one.contact.id for one in pending]
    refused = contacts_refused(session, ids, at=tick.at)
    heard = ledger.heard(session, ids, tick.calls.by_cluster)
    batch = Batch(
        session=session,
        desk=tick.desk,
        edition=made.edition,
        calls=tick.calls,
        poison=tick.poison,
        at=tick.at,
        missed=[],
        changes=changed.changes(session, tick.desk.lexicon, ids, at=tick.at),
        remarks=defaultdict(Remarks),
        covered=tick.covered,
    )
    for to in pending:
        result = refused.get(to.contact.id)
        if result is not None:
            made.omitted[result] += 1
            continue
        key = letter_key(made.edition, to.contact.id)
        try:
            notices = plan.choose(batch, to, heard.get(to.contact.id, Heard()))
            drafted = draft(batch, to, notices, key)
        except Exception:
            # The service would set it aside and go on (alerts.quarantine).
            logger.exception("letter unwritable", extra={"contact": to.contact.id})
            made.omitted[Why.UNWRITABLE] += 1
            continue
        if isinstance(drafted, Why):
            made.omitted[drafted] += 1
            continue
        made.letters += 1
        yield _rehearsed(made, to, *drafted)


def _rehearsed(made: Rehearsal, to: Pending, composed: Composed, shown: Digest) -> Rehearsed:
    made.notices += len(shown.notices)
    return Rehearsed(
        contact_id=to.contact.id,
        contact=to.contact.name,
        address=to.contact.address,
        member=to.member.name,
        waiting=False,
        stream=made.edition.frequency,
        edition=made.edition.label,
        leaves_at=made.due_at,
        subject=composed.subject,
        content=composed.content,
        notices=tuple(
            Shown(number=n.number, title=n.title, buyer=n.buyer, closes_at=n.closes_at)
            for n in shown.notices
        ),
    )


def is_eve(at: datetime) -> bool:
    """Whether the next weekly edition is due before the next working day is over: from Friday."""
    return quebec_day(at).weekday() >= _FRIDAY
