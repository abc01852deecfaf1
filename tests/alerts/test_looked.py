"""What a process remembers between ticks: never anything else than one that starts would see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

import pytest
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from alerts.looked import Looked
from alerts.matching import Wanted
from alerts.poison import Poison
from alerts.tables import LetterState, Told, ToldState
from base.database import Database
from sources.tables import Revision, Tender
from subscriptions import sectors, wishes
from subscriptions.tables import Contact
from tests import coop
from tests.coop import DESK, entitled
from tests.variants import notices

Row = TypeVar("Row")

#: Tuesday, 10:00 in Québec.
AT = datetime(2026, 9, 22, 14, tzinfo=UTC)
SLUGS = [sector.slug for sector in sectors.load()]
TITLES = [one.title for one in notices()]
WORDS = sorted({word for title in TITLES for word in title.split() if len(word) > 6})


def _look(session: Session, looked: Looked, at: datetime) -> dict[int, set[int]]:
    """What is untold to each reader, once the ledger was asked."""
    looked.refresh_calls(session, DESK, Poison(), at)
    looked.refresh(session, at)
    looked.ask_whole(session, list(looked.readers))
    return {one.contact_id: set(looked.untold(one, at)) for one in looked.waiting()}


class World:
    """Calls and readers that come, change and go, one at a time."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311, no secret
        self.at = AT
        self.made = 0

    def title(self) -> str:
        return self.random.choice(TITLES)

    def wishes(self) -> dict[str, object]:
        drawn = self.random
        return {
            "frequency": drawn.choice(["instant", "instant", "weekly"]),
            "sectors": tuple(sorted(drawn.sample(SLUGS, drawn.choice([4, 20, 35])))),
            "own_words": tuple(drawn.sample(WORDS, drawn.choice([0, 0, 2]))),
            "excluded_words": tuple(drawn.sample(WORDS, drawn.choice([0, 0, 3]))),
            "categories": tuple(drawn.sample(["goods", "services", "works"], drawn.choice([0, 2]))),
            "minimum_days_left": drawn.choice([0, 0, 9]),
        }

    def step(self, session: Session) -> None:
        self.at += timedelta(hours=self.random.choice([0, 1, 7]))
        steps: list[Callable[[Session], None]] = [
            self.come, self.come, self.come, self.amend, self.cancel, self.join, self.join,
            self.change, self.change, self.leave, self.come_back, self.tell, self.tell,
            self.give_back,
        ]  # fmt: skip
        self.random.choice(steps)(session)

    def begin(self, session: Session) -> None:
        for _ in range(4):
            self.come(session)
            self.join(session)

    def come(self, session: Session) -> None:
        self.made += 1
        for number in range(5):
            days = self.random.choice([1, 5, 20])
            category = self.random.choice(["goods", "services", "works", ""])
            coop.tender(
                session,
                f"{self.made}-{number}",
                title=self.title(),
                category=category,
                closes_at=self.at + timedelta(days=days),
            )

    def amend(self, session: Session) -> None:
        last = self._one(session, select(Revision).order_by(Revision.id.desc()).limit(5))
        if last is None:
            return
        made = session.get_one(Tender, last.tender_id)
        made.latest += 1
        values = {
            column.name: getattr(last, column.name)
            for column in Revision.__table__.columns
            if column.name not in {"id", "number", "title", "seen_at"}
        }
        session.add(Revision(**values, number=made.latest, title=self.title(), seen_at=self.at))

    def cancel(self, session: Session) -> None:
        made = self._one(
            session, select(Tender).order_by(Tender.id).where(Tender.status == "active")
        )
        if made is not None:
            made.status = "cancelled"

    def join(self, session: Session) -> None:
        self.made += 1
        asked = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.wishes().items()
        }
        entitled(session, f"c{self.made}", **asked)

    def change(self, session: Session) -> None:
        contact = self._one(session, select(Contact).order_by(Contact.id))
        if contact is not None:
            asked = wishes.Wishes(**self.wishes())  # type: ignore[arg-type]
            wishes.change(session, contact.id, asked, origin="member", at=self.at)

    def leave(self, session: Session) -> None:
        contact = self._one(session, select(Contact).order_by(Contact.id))
        if contact is not None:
            wishes.unsubscribe(session, contact.id, origin="member", at=self.at)

    def come_back(self, session: Session) -> None:
        contact = self._one(session, select(Contact).order_by(Contact.id))
        if contact is not None and wishes.live(session, contact.id) is None:
            asked = wishes.Wishes(**self.wishes())  # type: ignore[arg-type]
            wishes.subscribe(session, contact.id, asked, origin="member", at=self.at)

    def tell(self, session: Session) -> None:
        self.made += 1
        untold = _look(session, Looked(), self.at)
        if not untold:
            return
        contact_id = self.random.choice(sorted(untold))
        letter = coop.letter(
            session, session.get_one(Contact, contact_id), str(self.made), at=self.at
        )
        letter.state = LetterState.ACCEPTED
        for cluster_id in sorted(untold[contact_id])[:3]:
            given_back = update(Told).where(
                Told.contact_id == contact_id, Told.cluster_id == cluster_id
            )
            again = {"state": ToldState.CONFIRMED, "letter_id": letter.id, "at": self.at}
            if session.execute(given_back.values(**again)).rowcount == 0:  # type: ignore[attr-defined]
                revision = session.scalars(
                    select(Revision).where(Revision.tender_id == cluster_id)
                ).all()[-1]
                coop.told(session, letter, revision, cluster_id).state = ToldState.CONFIRMED

    def give_back(self, session: Session) -> None:
        told = self._one(
            session, select(Told).order_by(Told.id).where(Told.state == ToldState.CONFIRMED)
        )
        if told is not None:
            told.state = self.random.choice([ToldState.RELEASED, ToldState.UNCERTAIN])

    def _one(self, session: Session, among: Select[tuple[Row]]) -> Row | None:
        found = session.scalars(among).all()
        return self.random.choice(found) if found else None


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_process_that_knows_sees_what_one_that_starts_does(database: Database, seed: int) -> None:
    world, known, seen = World(seed), Looked(), 0
    with database.write() as session:
        world.begin(session)
    for _ in range(40):
        with database.write() as session:
            world.step(session)
        if world.random.random() < 0.3:
            continue
        with database.read() as session:
            fresh = _look(session, Looked(), world.at)
            assert _look(session, known, world.at) == fresh
        seen += sum(map(len, fresh.values()))
    assert seen > 100


def test_what_is_open_long_enough_changes_with_the_day_in_quebec(database: Database) -> None:
    wanted, looked = Wanted(sectors=frozenset({"deneigement"}), minimum_days_left=7), Looked()
    with database.write() as session:
        one, _ = coop.tender(session, closes_at=AT + timedelta(days=7))
    found = []
    for hours in (0, 13, 14, 15):
        at = AT + timedelta(hours=hours)
        with database.read() as session:
            calls = looked.refresh_calls(session, DESK, Poison(), at)
        assert calls.at == at
        found.append(calls.shelf.matching(wanted))
    assert found == [[one.id], [one.id], [], []]
