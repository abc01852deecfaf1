"""What a process has looked at, so that a minute in which nothing came costs next to nothing.

Kept by what never changes once it is written, revisions and subscriptions, and by what the
ledger says; what is open, live, or given back is asked of the rows at each tick. A process that
starts knows nothing and looks at everything once. Nothing is decided here: whoever seems to be
owed a notice is looked at again, whole, before anything is written (alerts.at_once).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import calls, ledger, near_misses
from alerts.calls import Call, OpenCalls
from alerts.matching import Shelf, Wanted
from alerts.near_misses import Missed
from alerts.outstanding import Outstanding
from alerts.poison import Poison
from alerts.readership import Readership
from alerts.tables import Kind, Letter, Told, ToldState
from alerts.writing import Desk
from base.clock import quebec_day
from base.french import days_left
from sources import tenders
from sources.tables import Revision, Tender
from subscriptions.tables import Contact, Frequency, Subscription

logger = logging.getLogger(__name__)

#: Contacts asked for at once.
_LOT = 500
#: What is read of a subscription.
_READER = tuple(
    getattr(Subscription, name)
    for name in (
        "id", "contact_id", "frequency", "started_at", "sectors", "own_words", "excluded_words",
        "territory", "categories", "minimum_days_left",
    )
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A live subscription, and whose it is."""

    subscription_id: int
    contact_id: int
    frequency: Frequency
    started_at: datetime
    wanted: Wanted


class Looked:
    """The open calls, the readers, and which of the calls each reader has not been told."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Know nothing, as a process that starts."""
        #: By cluster, those open now.
        self.calls: dict[int, Call] = {}
        #: By contact.
        self.readers: dict[int, Reader] = {}
        #: By contact, and cluster: since when a letter that did not leave gave it back.
        self.given_back: dict[int, dict[int, datetime]] = {}
        #: As given_back, of letters of which nobody knows.
        self.uncertain: dict[int, dict[int, datetime]] = {}
        #: Near misses of what was looked at for the first time, to be kept.
        self.missed: list[Missed] = []
        self._keys: dict[int, tuple[int, ...]] = {}
        #: These calls as they were last matched: the same all day, while none comes or goes.
        self._shelved: OpenCalls | None = None
        #: Calls that were not yet matched.
        self._new: set[int] = set()
        self._failed: dict[int, list[tuple[Tender, Revision, Exception]]] = {}
        self._outstanding = Outstanding()
        self._readership: Readership[int] = Readership()
        #: Contacts whose wishes the readership cannot hold: each call may be for them.
        self._unread: set[int] = set()

    def refresh_calls(
        self, session: Session, desk: Desk, poison: Poison, at: datetime
    ) -> OpenCalls:
        """The calls that are open now; those that came or changed are classified, once."""
        now: dict[int, list[int]] = defaultdict(list)
        for cluster_id, revision_id in tenders.open_revisions(session, at):
            now[cluster_id].append(revision_id)
        keys = {cluster_id: tuple(ids) for cluster_id, ids in now.items()}
        new = {cluster_id for cluster_id, key in keys.items() if self._keys.get(cluster_id) != key}
        changed = new | (self._keys.keys() - keys.keys())
        for cluster_id in changed:
            self.calls.pop(cluster_id, None)
            self._failed.pop(cluster_id, None)
        self._outstanding.drop(changed)
        self._keys = keys
        self._read(session, desk, new)
        if changed or self._shelved is None or quebec_day(self._shelved.at) != quebec_day(at):
            self._shelved = calls.shelved(self.calls, at)
        for failed in self._failed.values():
            for tender, revision, error in failed:
                poison.add(tender, revision, error)
        return replace(self._shelved, at=at)

    def _read(self, session: Session, desk: Desk, new: set[int]) -> None:
        self._new |= new
        wanted = [
            revision_id for cluster_id in sorted(new) for revision_id in self._keys[cluster_id]
        ]
        for cluster_id, notices in calls.by_cluster(tenders.of_revisions(session, wanted)).items():
            try:
                self.calls[cluster_id] = calls.checked(cluster_id, notices, desk.lexicon)
            except Exception as error:
                logger.exception("call left out", extra={"cluster": cluster_id})
                self._failed[cluster_id] = [(*one, error) for one in notices]

    def refresh(self, session: Session, at: datetime) -> None:
        """Find whom the new calls are for, and what the new readers want of all calls."""
        new = self._new & self.calls.keys()
        concerned = self._concerned(new)
        joined = self._refresh_readers(session)
        known = (concerned & self.readers.keys()).difference(joined)
        self._match(sorted(known), new, at)
        self._match(joined, self.calls.keys(), at)
        self._new = set()
        self._refresh_given_back(session)

    def waiting(self) -> list[Reader]:
        """Those to whom some open call was not told, as far as is known."""
        return [self.readers[key] for key in sorted(self._outstanding.waiting())]

    def untold(self, reader: Reader, at: datetime) -> dict[int, Call]:
        """The open calls that are for that reader and were not told, as far as is known."""
        found = {key: self.calls[key] for key in self._outstanding.of(reader.contact_id)}
        least = reader.wanted.minimum_days_left
        if not least:
            return found
        return {
            key: call
            for key, call in found.items()
            if call.closes_at is None or days_left(call.closes_at, at) >= least
        }

    def ask(self, session: Session, untold: Mapping[int, Iterable[int]]) -> None:
        """Ask the ledger which of those calls, by contact, were told; cheaply."""
        wanted = set().union(*untold.values()) if untold else set()
        for lot in _lots(untold):
            rows = session.execute(
                select(Told.contact_id, Told.cluster_id)
                .where(Told.contact_id.in_(lot), Told.cluster_id.in_(wanted))
                .where(Told.kind == Kind.NEW, Told.state != ToldState.RELEASED)
                .where((Told.state != ToldState.UNCERTAIN) | Told.relisted)
            )
            for contact_id, cluster_id in rows:
                self._outstanding.told(contact_id, (cluster_id,))

    def ask_whole(self, session: Session, contact_ids: Sequence[int]) -> None:
        """As `ask`, of all calls, and of what was told under a cluster that is no more."""
        for lot in _lots(contact_ids):
            for contact_id, heard in ledger.heard(session, lot, self.calls).items():
                self._outstanding.told(contact_id, heard.settled)

    def _refresh_readers(self, session: Session) -> list[int]:
        """Read who subscribes now; the contacts whose subscription was not known."""
        live = dict(
            session.execute(
                select(Subscription.id, Subscription.contact_id)
                .join(Contact, Contact.id == Subscription.contact_id)
                .where(Subscription.ended_at.is_(None), Contact.ended_at.is_(None))
            ).all()
        )
        known = {one.subscription_id: one for one in self.readers.values()}
        for subscription_id in known.keys() - live.keys():
            self._leave(known[subscription_id])
        joined = []
        for lot in _lots(sorted(live.keys() - known.keys())):
            for row in session.execute(select(*_READER).where(Subscription.id.in_(lot))):
                reader = Reader(
                    subscription_id=row.id,
                    contact_id=row.contact_id,
                    frequency=Frequency(row.frequency),
                    started_at=row.started_at,
                    wanted=Wanted.of(row),
                )
                self.readers[reader.contact_id] = reader
                self._join(reader)
                joined.append(reader.contact_id)
        return joined

    def _join(self, reader: Reader) -> None:
        try:
            self._readership.put(reader.contact_id, reader.wanted)
        except Exception:
            logger.exception("wishes unreadable", extra={"contact": reader.contact_id})
            self._unread.add(reader.contact_id)

    def _leave(self, reader: Reader) -> None:
        contact_id = reader.contact_id
        del self.readers[contact_id]
        self._outstanding.leave(contact_id)
        if contact_id in self._unread:
            self._unread.remove(contact_id)
        else:
            self._readership.take_out(contact_id, reader.wanted)

    def _concerned(self, clusters: Collection[int]) -> set[int]:
        """The readers, as they were known, for whom one of those calls may be."""
        found: set[int] = set()
        for call in map(self.calls.__getitem__, clusters):
            try:
                found |= self._readership.concerned(call.facts, call.classified)
            except Exception:
                logger.exception("call unreadable", extra={"cluster": call.cluster_id})
                found |= self.readers.keys()
        return found | self._unread if clusters else found

    def _match(self, contact_ids: Sequence[int], clusters: Iterable[int], at: datetime) -> None:
        """Note which of those calls are for which of those readers, however soon they close."""
        chosen = sorted(clusters)
        if not (chosen and contact_ids):
            return
        shelf = Shelf({key: self.calls[key].candidate(at) for key in chosen})
        for reader in map(self.readers.__getitem__, contact_ids):
            # How soon a call closes changes with the days; it is asked at each tick.
            wanted = replace(reader.wanted, minimum_days_left=0)
            try:
                found = shelf.matching(wanted)
                missed = self._missed(reader, wanted, shelf)
            except Exception:
                # Whoever writes for the reader finds out whether it or a call is to blame.
                logger.exception("matching failed", extra={"contact": reader.contact_id})
                found, missed = chosen, []
            self._outstanding.found(reader.contact_id, found)
            self.missed += missed

    def _missed(self, reader: Reader, wanted: Wanted, shelf: Shelf[int]) -> list[Missed]:
        """The best near misses of who reads at once; the others' are kept with their letters."""
        if reader.frequency is not Frequency.INSTANT:
            return []
        return near_misses.best(
            Missed(reader.contact_id, self.calls[key].revision.id, made)
            for key, made in shelf.missing(wanted)
        )

    def _refresh_given_back(self, session: Session) -> None:
        """Read what letters that did not leave, or may not have arrived, gave back."""
        self.given_back, self.uncertain = defaultdict(dict), defaultdict(dict)
        rows = session.execute(
            select(Told.contact_id, Told.cluster_id, Told.state, Letter.settled_at, Told.at)
            .join(Letter, Letter.id == Told.letter_id)
            .where(Told.kind == Kind.NEW, Told.relisted.is_(False))
            .where(Told.state.in_([ToldState.RELEASED, ToldState.UNCERTAIN]))
            .where(Told.cluster_id.in_(self.calls))
        )
        for contact_id, cluster_id, state, settled_at, told_at in rows:
            back = self.given_back if state == ToldState.RELEASED else self.uncertain
            back[contact_id][cluster_id] = settled_at or told_at
            self._outstanding.give_back(contact_id, cluster_id)


def _lots(ids: Iterable[int]) -> Iterator[list[int]]:
    wanted = list(ids)
    return (wanted[start : start + _LOT] for start in range(0, len(wanted), _LOT))
