"""A batch of letters is written at once; where another writer was faster, letter by letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from alerts import editions, freezing, ledger, owed, writing
from alerts.choosing import everything_new
from alerts.owed import Shard
from alerts.streams import Plan, live_contacts
from alerts.tables import Edition, Letter, LetterState, Told, ToldBefore, ToldState
from alerts.writing import Pending, write_batch
from base.database import Database
from sources import tenders
from tests.coop import AT, DESK, entitled, letter, tender, told

NAMES = ("anne", "luc", "marie", "paul", "zoe")
Write = Callable[[list[Pending]], Counter[str]]


@pytest.fixture
def edition(database: Database) -> Edition:
    """The weekly one, open, for five readers of two notices."""
    with database.write() as session:
        tender(session, "20160001")
        tender(session, "20160002")
        for name in NAMES:
            entitled(session, name)
        editions.open_due(session, AT)
    with database.read() as session:
        return session.scalars(select(Edition).where(Edition.frequency == "weekly")).one()


@pytest.fixture
def pending(database: Database, edition: Edition) -> list[Pending]:
    with database.read() as session:
        return owed.pending(session, edition, Plan(live_contacts()))


@pytest.fixture
def write(database: Database, edition: Edition, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write for them, as one who read the ledger before anybody had written anything."""
    monkeypatch.setattr(ledger, "heard", lambda *_: {})

    def write(given: list[Pending]) -> Counter[str]:
        with database.write() as session:
            calls = DESK.calls(tenders.open_at(session, AT), at=AT)
            return write_batch(session, DESK, edition, given, calls, at=AT, choose=everything_new)

    return write


def _told(session: Session) -> dict[int, int]:
    """Rows of the ledger, by letter."""
    rows = session.execute(select(Told.letter_id, func.count()).group_by(Told.letter_id))
    return dict(rows.all())


def _nobody_twice_nor_half(database: Database) -> None:
    with database.read() as session:
        letters = session.scalars(select(Letter)).all()
        assert Counter(one.contact_id for one in letters) == Counter(
            contact_id for contact_id in {one.contact_id for one in letters}
        )
        assert _told(session) == {one.id: one.notices for one in letters}


def test_letters_that_nobody_else_writes_are_written_at_once(
    database: Database, pending: list[Pending], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alone(*_: object, **__: object) -> bool:
        raise AssertionError("letter by letter")

    monkeypatch.setattr(writing, "freeze", alone)
    assert write(pending) == Counter({"letter": 5})
    _nobody_twice_nor_half(database)


@pytest.mark.parametrize("faster", [[0], [2], [1, 4], [0, 1, 2, 3, 4]], ids=str)
def test_those_whom_another_writer_wrote_to_meanwhile_are_left_and_the_others_have_theirs(
    database: Database, pending: list[Pending], write: Write, faster: list[int]
) -> None:
    write([pending[number] for number in faster])
    assert write(pending) == Counter({"letter": 5 - len(faster), "elsewhere": len(faster)})
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 5
    _nobody_twice_nor_half(database)


def test_of_a_letter_that_tells_what_another_tells_already_nothing_is_left(
    database: Database, pending: list[Pending], write: Write
) -> None:
    """One of its two notices is in a letter of another run, which waits."""
    with database.write() as session:
        other = letter(session, pending[2].contact, label="autre")
        first, revision = tenders.open_at(session, AT)[0]
        told(session, other, revision, first.id)
    assert write(pending) == Counter({"letter": 4, "elsewhere": 1})
    _nobody_twice_nor_half(database)


def test_what_was_set_aside_becomes_a_letter_within_the_batch(
    database: Database, pending: list[Pending], write: Write
) -> None:
    write([pending[3]])
    with database.write() as session:
        session.execute(update(Letter).values(state=LetterState.STALE))
        ledger.release(session, session.scalars(select(Letter.id)).all())
    assert write(pending) == Counter({"letter": 5})
    with database.read() as session:
        assert set(session.scalars(select(Letter.state))) == {LetterState.WRITTEN}
        assert set(session.scalars(select(Told.state))) == {ToldState.RESERVED}
    _nobody_twice_nor_half(database)


def test_what_came_back_is_told_again_and_who_had_told_it_is_kept(
    database: Database, pending: list[Pending], write: Write
) -> None:
    with database.write() as session:
        before = letter(session, pending[1].contact, label="avant")
        before.state = LetterState.ACCEPTED
        first, revision = tenders.open_at(session, AT)[0]
        told(session, before, revision, first.id).state = ToldState.CONFIRMED
        session.flush()
        ledger.came_back(session, [before.id])
    assert write(pending) == Counter({"letter": 5})
    with database.read() as session:
        kept = session.execute(select(ToldBefore.letter_id, ToldBefore.cluster_id)).all()
        assert [tuple(row) for row in kept] == [(before.id, first.id)]
        assert before.id not in _told(session)


def test_what_cannot_be_frozen_with_others_is_found_alone(
    database: Database,
    pending: list[Pending],
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault of our own in one row, which no statement for all survives."""
    plain, victim = freezing._row, pending[4].contact.id

    def broken(edition: Edition, draft: freezing.Draft, at: object) -> object:
        if draft.contact.id == victim:
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        return plain(edition, draft, at)  # type: ignore[arg-type]

    monkeypatch.setattr(freezing, "_row", broken)
    assert write(pending) == Counter({"letter": 4, "quarantined": 1})
    with database.read() as session:
        aside = select(Letter.contact_id).where(Letter.state == LetterState.QUARANTINED)
        assert session.scalars(aside).all() == [victim]
        assert sorted(_told(session).values()) == [2, 2, 2, 2]


@pytest.mark.parametrize("shard", [None, Shard(0, 1)], ids=["whole", "shard"])
def test_who_is_owed_again_behind_the_writer_is_not_forgotten(
    database: Database, edition: Edition, monkeypatch: pytest.MonkeyPatch, shard: Shard | None
) -> None:
    """Whoever wrote for the first contact gives its letter up while we are at the third."""
    monkeypatch.setattr(owed, "BATCH", 1)
    with database.write() as session:
        first = session.scalars(select(Edition.id).where(Edition.id == edition.id)).one()
        contact = owed.pending(session, edition, Plan(live_contacts()))[0].contact
        theirs = letter(session, contact)
        theirs.edition_id = first
    written, calls = editions.write_batch, Counter[str]()

    def gives_up(session: Session, *given: object, **options: object) -> Counter[str]:
        calls["batches"] += 1
        if calls["batches"] == 2:
            session.delete(session.get_one(Letter, theirs.id))
            session.flush()
        return written(session, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(editions, "write_batch", gives_up)
    if shard is None:
        editions.write_open(database, DESK, at=AT)
    else:
        assert editions.write_shard(database, DESK, edition.id, shard, at=AT)
    with database.read() as session:
        of = select(Letter.contact_id).where(Letter.edition_id == edition.id)
        assert len(set(session.scalars(of))) == 5
    _nobody_twice_nor_half(database)
