"""The service during the year: what happens, taken in; ticks; letters handed over and answered.

Everything is the project's own: a reading is taken in by sources.intake, wishes change by
subscriptions.wishes, letters are written by alerts.editions with what one process has looked at,
which is forgotten now and then as by a restart. They are handed over by the claim, the one
statement and the settling of receipts, in the order of alerts.dispatch, without the wire: a year
of SMTP would take hours and try nothing that the crash campaign does not.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select

from alerts import editions, entitlement, holds, outbox, outcomes, reactions
from alerts.answer_tables import Answer
from alerts.delivery import Outcome, Phase, Receipt
from alerts.looked import Looked
from alerts.message_tables import Message
from alerts.outbox import UNCLAIMED, Claimed
from alerts.outcomes import Settled
from alerts.tables import Edition, Letter, LetterState, Told, ToldState
from alerts.writing import Desk
from base.database import Database
from campaigns.year.naive import Written
from campaigns.year.rules import Key
from campaigns.year.world import Asked, Happening, Interest, Reading, Said, Wish, World
from sources import catalogue, places
from sources.intake import take_in
from sources.release import Category, Release, Status
from sources.tables import Reading as Read
from sources.tables import Revision, Tender
from subscriptions import consent, members, wishes
from subscriptions.tables import Basis, Origin
from subscriptions.wishes import Wishes

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
EVERYBODY = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Found:
    """A letter as the database has it."""

    id: int
    written: Written
    content: bytes
    #: True where it is composed anew under its key.
    anew: bool


@dataclass(slots=True)
class Office:
    """The service, and what names its rows."""

    database: Database
    desk: Desk
    world: World
    looked: Looked = field(default_factory=Looked)
    #: Contact to reader, cluster to call's number, revision to its version, from 0.
    readers: dict[int, int] = field(default_factory=dict)
    calls: dict[int, str] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    #: Holds of the brake that staff lifted.
    brakes: int = 0
    _contacts: dict[int, int] = field(default_factory=dict)
    _last: int = 0

    def open(self) -> None:
        """Members and their contacts, before anybody asked for anything."""
        with self.database.write() as session:
            for number in range(self.world.readers):
                member = members.add_member(session, f"Coop fictive {number}", at=LONG_AGO)
                members.begin_membership(
                    session, member.id, starts_at=LONG_AGO, at=LONG_AGO, by="essai"
                )
                address = f"lectrice{number}@exemple.quebec"
                contact = members.add_contact(session, member.id, address, at=LONG_AGO)
                consent.record(
                    session, contact.id, Basis.EXPRESS, starts_at=LONG_AGO, at=LONG_AGO, by="essai"
                )
                self.readers[contact.id], self._contacts[number] = number, contact.id
            holds.release_first_run(session, by="essai", at=LONG_AGO)

    def happens(self, one: Happening, number: str) -> None:
        """Something happened; `number` is the call of an interest."""
        match one:
            case Reading():
                self._read(one)
            case Wish():
                self._wish(one)
            case Interest() if number:
                cluster_id = next(key for key, known in self.calls.items() if known == number)
                with self.database.write() as session:
                    contact = self._contacts[one.reader]
                    reactions.answer(session, contact, cluster_id, Answer.INTERESTED, one.at)

    def _read(self, one: Reading) -> None:
        with self.database.write() as session:
            reading = Read(source="seao", at=one.at, address=_address(one))
            session.add(reading)
            session.flush()
            counts = take_in(
                session,
                reading,
                [_release(said, one.at) for said in one.said],
                directory=places.load(),
                at=one.at,
            )
            if counts.backlog or counts.conflicting:
                raise RuntimeError(f"not taken in as news: {counts}")
            rows = session.execute(
                select(Tender.cluster_id, Tender.number, Revision.id, Revision.number)
                .join(Revision, Revision.tender_id == Tender.id)
                .where(Revision.reading_id == reading.id)
            ).all()
            if len(rows) != len(one.said):
                raise RuntimeError(f"{len(rows)} revisions of {len(one.said)}")
            for cluster_id, number, revision_id, version in rows:
                self.calls[cluster_id or 0] = number
                self.versions[revision_id] = version - 1

    def _wish(self, one: Wish) -> None:
        contact_id = self._contacts[one.reader]
        with self.database.write() as session:
            if one.asked is None:
                wishes.unsubscribe(session, contact_id, origin=Origin.MEMBER, at=one.at)
                return
            asked = _wishes(one.asked)
            wishes.subscribe(session, contact_id, asked, origin=Origin.MEMBER, at=one.at)

    def tick(self, at: datetime, dice: random.Random) -> list[Found]:
        """Open, write, and what was written or composed anew; staff lift what the brake holds."""
        if dice.random() < 0.02:
            self.looked = Looked()
        with self.database.read() as session:
            before = list(session.scalars(select(Letter.id).where(Letter.state.in_(UNCLAIMED))))
        with self.database.write() as session:
            editions.open_due(session, at, _weekly())
        editions.write_open(self.database, self.desk, at=at, looked=self.looked)
        with self.database.write() as session:
            self.brakes += holds.lift(session, by="essai", at=at)
        return self._written(at, before)

    def _written(self, at: datetime, before: list[int]) -> list[Found]:
        with self.database.read() as session:
            rows = session.execute(
                select(Letter.id, Letter.contact_id, Edition.frequency, Letter.content)
                .join(Edition, Edition.id == Letter.edition_id)
                .where((Letter.id > self._last) | Letter.id.in_(before))
                .where(Letter.written_at == at)
            ).all()
            self._last = session.scalar(select(func.max(Letter.id))) or 0
            told = self.told([row.id for row in rows])
        return [
            Found(
                row.id,
                Written(
                    self.readers[row.contact_id], row.frequency, frozenset(told.get(row.id, ()))
                ),
                row.content or b"",
                row.id in before,
            )
            for row in rows
        ]

    def told(self, letter_ids: Iterable[int]) -> dict[int, list[Key]]:
        """What those letters tell, by the ledger."""
        found: dict[int, list[Key]] = {}
        with self.database.read() as session:
            rows = session.scalars(
                select(Told)
                .where(Told.letter_id.in_(list(letter_ids)))
                .where(Told.state.in_([ToldState.RESERVED, ToldState.CONFIRMED]))
            )
            for one in rows:
                version = self.versions[one.revision_id]
                occasion = str(version) if one.kind in {"change", "cancellation"} else one.occasion
                key = (self.calls[one.cluster_id], str(one.kind), occasion, version)
                found.setdefault(one.letter_id, []).append(key)
        return found

    def hand_over(self, at: datetime) -> list[tuple[int, int, str, str]]:
        """Letter, reader, stream and what became of it, of each that is decided about."""
        with self.database.write() as session:
            turn = list(
                session.scalars(
                    select(Letter.id).where(
                        Letter.state.in_(outbox.WAITING), Letter.next_attempt_at <= at
                    )
                )
            )
            if not turn:
                return []
            lot = outbox.claim(session, claim="office", most=100_000, allowed=EVERYBODY, at=at)
        ids = [one.id for one in lot.claimed]
        with self.database.write() as session:
            entitlement.hold_still(session, ids)
            passed = entitlement.let_pass(session, ids, claim="office", allowed=EVERYBODY, at=at)
        done = [Settled(one, self._answer(one, at)) for one in lot.claimed if one.id in passed]
        with self.database.write() as session:
            strangers = outcomes.settle(session, done, claim="office", at=at)
            if strangers or len(done) != len(ids):
                raise RuntimeError("letters were not ours")
        return self._became(turn)

    def _answer(self, letter: Claimed, at: datetime) -> Receipt:
        reader = int(letter.address.removeprefix("lectrice").partition("@")[0])
        if self.world.is_deferred(at, reader):
            return Receipt(outcome=Outcome.DEFERRED, reply="451 4.3.0 essai", phase=Phase.RCPT)
        return Receipt(outcome=Outcome.ACCEPTED, reply="250 2.0.0 Ok", phase=Phase.DOT)

    def _became(self, letter_ids: list[int]) -> list[tuple[int, int, str, str]]:
        """As now; the bytes of what was accepted are forgotten, as after a time in the service."""
        with self.database.write() as session:
            rows = session.execute(
                select(Letter.id, Letter.contact_id, Edition.frequency, Letter.state)
                .join(Edition, Edition.id == Letter.edition_id)
                .where(Letter.id.in_(letter_ids))
            ).all()
            gone = [row.id for row in rows if row.state == LetterState.ACCEPTED]
            session.execute(delete(Message).where(Message.id.in_(gone)))
        return [(row[0], self.readers[row[1]], row[2], row[3]) for row in rows]


def _weekly() -> list[catalogue.Source]:
    return [replace(catalogue.load()["seao"], enabled=True)]


def _address(one: Reading) -> str:
    if one.week is None:
        return "https://exemple.quebec/essai.json"
    first, last = one.week - timedelta(days=7), one.week - timedelta(days=1)
    return f"https://exemple.quebec/hebdo_{first:%Y%m%d}_{last:%Y%m%d}.json"


def _wishes(asked: Asked) -> Wishes:
    return Wishes(
        frequency=asked.frequency,
        sectors=asked.sectors,
        weekdays=asked.weekdays,
        most_notices=asked.most,
        paused_until=asked.paused_until,
    )


def _release(said: Said, at: datetime) -> Release:
    return Release(
        source="seao",
        ocid=f"ocds-ec9k95-{said.number}",
        release_id=f"{at:%Y%m%d%H%M%S}",
        published_at=at - timedelta(days=1),
        changed_at=at,
        status=Status(said.status),
        title=said.title,
        buyer="Municipalité fictive",
        buyer_id="OP-1",
        municipal=True,
        locality="",
        postal_code="",
        reference="",
        number=said.number,
        category=Category.SERVICES,
        procurement_method_details="Avis d’appel d’offres",
        closes_at=said.closes_at,
        items=(),
        description="",
        documents=said.documents,
        uri=f"https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId={said.number}",
    )
