"""What a process has looked at, so that a minute in which nothing came costs next to nothing.

Kept by what never changes once it is written, revisions and subscriptions, and by what the
ledger says; what is open, live, or given back is asked of the rows at each tick. A process that
starts knows nothing and looks at everything once. Nothing is decided here: whoever seems to be
owed a notice is looked at again, whole, before anything is written (alerts.at_once).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import calls, ledger, near_misses
from alerts.calls import Call, OpenCalls
from alerts.matching import Match, NearMiss, Shelf, Wanted
from alerts.near_misses import Missed
from alerts.poison import Poison
from alerts.tables import Kind, Letter, Told, ToldState
from alerts.writing import Desk
from base.french import days_left
from sources import tenders
from sources.tables import Revision, Tender
from subscriptions.tables import Contact, Frequency, Subscription

logger = logging.getLogger(__name__)

#: Contacts asked for at once.
_LOT = 500


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
        #: Calls that were not yet matched.
        self._new: set[int] = set()
        self._failed: dict[int, list[tuple[Tender, Revision, Exception]]] = {}
        self._matched: dict[int, set[int]] = {}
        self._told: dict[int, set[int]] = defaultdict(set)

    def refresh_calls(
        self, session: Session, desk: Desk, poison: Poison, at: datetime
    ) -> OpenCalls:
        """The calls that are open now; those that came or changed are classified, once."""
        now: dict[int, list[int]] = defaultdict(list)
        for cluster_id, revision_id in tenders.open_revisions(session, at):
            now[cluster_id].append(revision_id)
        keys = {cluster_id: tuple(ids) for cluster_id, ids in now.items()}
        new = {cluster_id for cluster_id, key in keys.items() if self._keys.get(cluster_id) != key}
        for cluster_id in new | (self._keys.keys() - keys.keys()):
            self.calls.pop(cluster_id, None)
            self._failed.pop(cluster_id, None)
        self._keys = keys
        self._read(session, desk, new)
        for failed in self._failed.values():
            for tender, revision, error in failed:
                poison.add(tender, revision, error)
        return calls.shelved(dict(sorted(self.calls.items())), at)

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
        if new:
            self._forget_what_is_over(new)
        joined = self._refresh_readers(session)
        known = [one for key, one in self.readers.items() if key not in joined]
        self._match(known, new, at)
        self._match([self.readers[key] for key in joined], self.calls.keys(), at)
        self._new = set()
        self._refresh_given_back(session)

    def _forget_what_is_over(self, new: set[int]) -> None:
        for contact_id in self.readers:
            self._matched[contact_id] = (self._matched[contact_id] & self.calls.keys()) - new
            self._told[contact_id] &= self.calls.keys()

    def untold(self, reader: Reader, at: datetime) -> dict[int, Call]:
        """The open calls that are for that reader and were not told, as far as is known."""
        keys = self._matched[reader.contact_id] - self._told[reader.contact_id]
        found = {key: self.calls[key] for key in keys if key in self.calls}
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
                self._told[contact_id].add(cluster_id)

    def ask_whole(self, session: Session, contact_ids: Sequence[int]) -> None:
        """As `ask`, of all calls, and of what was told under a cluster that is no more."""
        for lot in _lots(contact_ids):
            for contact_id, heard in ledger.heard(session, lot).items():
                self._told[contact_id] |= heard.settled & self.calls.keys()

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
        new = sorted(live.keys() - known.keys())
        for subscription_id in known.keys() - live.keys():
            contact_id = known[subscription_id].contact_id
            del self.readers[contact_id]
            self._matched.pop(contact_id, None)
        joined = []
        for lot in _lots(new):
            for one in session.scalars(select(Subscription).where(Subscription.id.in_(lot))):
                self.readers[one.contact_id] = Reader(
                    subscription_id=one.id,
                    contact_id=one.contact_id,
                    frequency=Frequency(one.frequency),
                    started_at=one.started_at,
                    wanted=Wanted.of(one),
                )
                self._matched[one.contact_id] = set()
                joined.append(one.contact_id)
        return joined

    def _match(self, readers: Iterable[Reader], clusters: Iterable[int], at: datetime) -> None:
        """Note which of those calls are for which of those readers, however soon they close."""
        chosen = set(clusters)
        if not chosen:
            return
        shelf = Shelf({key: self.calls[key].candidate(at) for key in sorted(chosen)})
        for reader in readers:
            matched = self._matched[reader.contact_id]
            # How soon a call closes changes with the days; it is asked at each tick.
            wanted = replace(reader.wanted, minimum_days_left=0)
            try:
                decided = list(shelf.decide(wanted))
            except Exception:
                # Whoever writes for the reader finds out whether it or a call is to blame.
                logger.exception("matching failed", extra={"contact": reader.contact_id})
                matched |= chosen
                continue
            matched |= {key for key, made in decided if isinstance(made, Match)}
            if reader.frequency is Frequency.INSTANT:
                self._miss(reader, decided)

    def _miss(self, reader: Reader, decided: Iterable[tuple[int, Match | NearMiss]]) -> None:
        missed = [
            Missed(reader.contact_id, self.calls[key].revision.id, made)
            for key, made in decided
            if isinstance(made, NearMiss)
        ]
        self.missed += near_misses.best(missed)

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
            self._told[contact_id].discard(cluster_id)


def _lots(ids: Iterable[int]) -> Iterator[list[int]]:
    wanted = list(ids)
    return (wanted[start : start + _LOT] for start in range(0, len(wanted), _LOT))
