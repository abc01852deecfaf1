"""What changed is told against what was read, to who was told, as soon as its grade asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import changed, writing
from alerts.answer_tables import Answer
from alerts.digest import Digest, Notice
from alerts.ledger import came_back
from alerts.poison import Poison
from alerts.reactions import answer
from alerts.tables import Edition, Kind, Letter, LetterState, Omission, Stream, ToldState, Why
from base.database import Database
from sources.amendments import Field, Grade
from sources.release import Release, Status
from sources.tables import Tender
from subscriptions import wishes
from subscriptions.tables import Contact, Frequency
from tests.amending import (
    CALL,
    MONDAY,
    OTHER,
    SOON,
    WEDNESDAY,
    Office,
    after,
    before,
    cancelled,
    quebec,
)
from tests.coop import DESK, entitled

NEXT_MONDAY = MONDAY + timedelta(days=7)
MINUTE = timedelta(minutes=1)


def _office(database: Database, **wished: object) -> Office:
    """Anne, who reads weekly, was told of the call on Monday; Paul declared something else."""
    office = Office(database)
    with database.write() as session:
        entitled(session, "anne", **wished)
        entitled(session, "paul", sectors=["buanderie-textile"])
    office.reads(before(), at=MONDAY - MINUTE)
    office.ticks(MONDAY)
    assert office.settles() == 1
    return office


def _contact(session: Session, name: str) -> Contact:
    address = f"{name}@exemple.quebec"
    return session.scalars(select(Contact).where(Contact.address == address)).one()


def _owed(office: Office, at: Any) -> list[Notice]:
    """What Anne must hear of, as she would read it."""
    with office.database.read() as session:
        anne = _contact(session, "anne")
        found = changed.changes(session, DESK.lexicon, [anne.id], at=at)
        live = wishes.live(session, anne.id)
        assert live is not None
        return [one.notice(DESK.catalogue) for one in found.of(live, Poison())]


def test_a_cancellation_is_told_at_once_to_all_who_were_told_and_to_nobody_else(
    database: Database,
) -> None:
    office = _office(database)
    with database.write() as session:
        entitled(session, "luc", frequency=Frequency.DAILY)
        entitled(session, "zoe")
    for day in (15, 16):
        office.ticks(quebec(9, day, 6))
        office.settles()

    office.reads(cancelled(), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON - MINUTE)
    assert office.changes() == []
    office.ticks(WEDNESDAY + SOON)

    told = (Kind.CANCELLATION, Stream.CHANGE)
    assert office.changes() == [("anne", *told), ("luc", *told)]


def test_a_change_that_was_received_is_not_told_again(database: Database) -> None:
    office = _office(database)
    office.reads(cancelled(), at=WEDNESDAY)
    for at in (WEDNESDAY + SOON, WEDNESDAY + 2 * SOON):
        office.ticks(at)
        office.settles()
    office.ticks(NEXT_MONDAY)

    assert len(office.changes()) == 1


@pytest.mark.parametrize(
    ("later", "kind", "stream"),
    [
        pytest.param(cancelled(), Kind.CANCELLATION, Stream.CHANGE, id="cancelled"),
        pytest.param(
            after(status=Status.WITHDRAWN), Kind.CANCELLATION, Stream.CHANGE, id="withdrawn"
        ),
        pytest.param(
            after(closes_at=quebec(9, 30, 11)), Kind.CHANGE, Stream.CHANGE, id="closing earlier"
        ),
        pytest.param(
            after(closes_at=quebec(9, 15, 11)), Kind.CHANGE, Stream.CHANGE, id="closed by now"
        ),
        pytest.param(
            after(closes_at=quebec(10, 9, 11)), Kind.CHANGE, Stream.WEEKLY, id="closing later"
        ),
        pytest.param(
            after(documents=("addenda 1.pdf",)), Kind.CHANGE, Stream.WEEKLY, id="addendum"
        ),
        pytest.param(after(title="Déneigement des écoles"), None, None, id="another title"),
        pytest.param(after(title=before().title.upper()), None, None, id="typography"),
    ],
)
def test_how_grave_a_change_is_decides_when_it_leaves(
    database: Database, later: Release, kind: Kind | None, stream: Stream | None
) -> None:
    office = _office(database)
    office.reads(later, at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    office.settles()
    office.ticks(NEXT_MONDAY)

    assert office.changes() == ([("anne", kind, stream)] if kind else [])


def test_what_changed_stands_before_what_is_new(database: Database) -> None:
    office = _office(database)
    office.reads(after(closes_at=quebec(10, 9, 11)), before(OTHER), at=WEDNESDAY)
    office.ticks(NEXT_MONDAY)

    assert [one.kind for one in office.told(letter=LetterState.WRITTEN)] == [Kind.CHANGE, Kind.NEW]
    (text,) = office.texts(Stream.WEEKLY)[-1:]
    assert text.index(after().buyer) < text.index(before(OTHER).title)


@pytest.mark.parametrize("closes_at", [quebec(9, 21, 9), quebec(10, 20, 11)], ids=["soon", "later"])
def test_a_useful_change_does_not_wait_where_the_call_is_about_to_close(
    database: Database, closes_at: Any
) -> None:
    """By the moment that was read, though it was put off by weeks: somebody hurries for it."""
    office = Office(database)
    with database.write() as session:
        entitled(session, "anne")
    soon = quebec(9, 21, 9)
    office.reads(before(closes_at=soon), at=MONDAY - MINUTE)
    office.ticks(MONDAY)
    office.settles()

    office.reads(after(closes_at=closes_at, documents=("addenda.pdf",)), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)

    assert office.changes() == [("anne", Kind.CHANGE, Stream.CHANGE)]


def test_several_revisions_are_told_as_one_against_what_was_read(database: Database) -> None:
    office = _office(database)
    first, last = quebec(10, 9, 11), quebec(10, 16, 11)
    office.reads(after(closes_at=first), at=WEDNESDAY)
    office.reads(after(closes_at=last, release_id="20260917120000"), at=WEDNESDAY + SOON)

    (notice,) = _owed(office, NEXT_MONDAY)
    (found,) = notice.amendments
    assert (found.field, found.before, found.after) == (
        Field.CLOSES_AT,
        before().closes_at,
        last,
    )
    assert (found.grade, notice.closes_at) == (Grade.USEFUL, last)


def test_what_was_put_back_as_it_was_is_not_told(database: Database) -> None:
    office = _office(database)
    office.reads(after(closes_at=quebec(10, 9, 11)), at=WEDNESDAY)
    office.reads(before(release_id="20260917120000"), at=WEDNESDAY + SOON)
    assert _owed(office, NEXT_MONDAY) == []


def test_the_next_change_is_told_against_the_change_that_was_read(database: Database) -> None:
    office = _office(database)
    earlier, later = quebec(9, 30, 11), quebec(10, 9, 11)
    office.reads(after(closes_at=earlier), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    office.settles()
    office.reads(after(closes_at=later, release_id="20260917120000"), at=WEDNESDAY + 2 * SOON)

    (notice,) = _owed(office, NEXT_MONDAY)
    assert [(one.before, one.after) for one in notice.amendments] == [(earlier, later)]


def test_a_cancelled_call_says_when_it_would_have_closed(database: Database) -> None:
    """SEAO gives a cancelled call the moment of its cancellation as its closing."""
    office = _office(database)
    office.reads(cancelled(), at=WEDNESDAY)

    (notice,) = _owed(office, WEDNESDAY)
    assert [one.field for one in notice.amendments] == [Field.STATUS]
    assert notice.closes_at == before().closes_at != cancelled().closes_at
    assert (notice.kind, notice.reasons[0].sector) == (Kind.CANCELLATION, "deneigement")


def test_a_closed_call_is_not_told_as_changed(database: Database) -> None:
    office = _office(database)
    over = quebec(10, 3)
    office.reads(after(documents=("proces-verbal.pdf",)), cancelled(OTHER), at=over)
    office.ticks(over + SOON)
    office.reads(replace(cancelled(), release_id="20261003120000"), at=over + 2 * SOON)
    office.ticks(over + timedelta(days=2))
    assert office.changes() == []


def test_a_call_that_is_put_off_after_it_had_closed_is_told(database: Database) -> None:
    office = _office(database)
    office.reads(after(closes_at=quebec(10, 20, 11)), at=quebec(10, 3))
    office.ticks(MONDAY + timedelta(days=21))
    assert office.changes() == [("anne", Kind.CHANGE, Stream.WEEKLY)]


@pytest.mark.parametrize(
    ("read_at", "quiet", "told_at"),
    [
        pytest.param(quebec(9, 28, 19, 55), quebec(9, 29, 6, 29), quebec(9, 29, 6, 30), id="night"),
        pytest.param(quebec(10, 1, 20), quebec(10, 1, 20, 9), quebec(10, 1, 20, 10), id="urgent"),
    ],
)
def test_the_night_is_quiet_unless_the_call_closes_within_a_day(
    database: Database, read_at: Any, quiet: Any, told_at: Any
) -> None:
    office = _office(database)
    for monday in (21, 28):
        office.ticks(quebec(9, monday, 6))
    office.reads(cancelled(), at=read_at)
    office.ticks(quiet)
    assert office.changes() == []
    office.ticks(told_at)
    assert office.changes() == [("anne", Kind.CANCELLATION, Stream.CHANGE)]


def _want_something_else(session: Session) -> None:
    wanted = wishes.Wishes(frequency="weekly", sectors=("buanderie-textile",))
    wishes.change(session, _contact(session, "anne").id, wanted, origin="staff", at=WEDNESDAY)


def _hide(session: Session) -> None:
    cluster_id = session.scalars(select(Tender.cluster_id).where(Tender.ocid == CALL)).one()
    assert cluster_id is not None
    answer(session, _contact(session, "anne").id, cluster_id, Answer.HIDDEN, WEDNESDAY)


@pytest.mark.parametrize("event", [_want_something_else, _hide])
@pytest.mark.parametrize(
    ("later", "told"),
    [
        pytest.param(cancelled(), [("anne", Kind.CANCELLATION, Stream.CHANGE)], id="critical"),
        pytest.param(after(closes_at=quebec(10, 9, 11)), [], id="useful"),
    ],
)
def test_whatever_was_wished_since_only_what_is_critical_is_told(
    database: Database, event: Callable[[Session], None], later: Release, told: list[object]
) -> None:
    office = _office(database)
    with database.write() as session:
        event(session)
    office.reads(later, at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    office.settles()
    office.ticks(NEXT_MONDAY)
    assert office.changes() == told


def test_who_left_hears_nothing(database: Database) -> None:
    office = _office(database)
    with database.write() as session:
        wishes.unsubscribe(session, _contact(session, "anne").id, origin="member", at=WEDNESDAY)
    office.reads(cancelled(), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    office.ticks(NEXT_MONDAY)
    assert office.changes() == []


def test_who_paused_has_one_reason_and_hears_of_it_when_the_pause_is_over(
    database: Database,
) -> None:
    office = _office(database)
    with database.write() as session:
        until = WEDNESDAY + timedelta(days=1)
        wishes.pause(session, _contact(session, "anne").id, until, origin="staff", at=WEDNESDAY)
    office.reads(cancelled(), at=WEDNESDAY)
    for n in range(3):
        office.ticks(WEDNESDAY + SOON + n * MINUTE)
    with database.read() as session:
        assert list(session.scalars(select(Omission.why).where(Omission.at > WEDNESDAY))) == [
            Why.PAUSED
        ]
    office.ticks(until)
    assert office.changes() == [("anne", Kind.CANCELLATION, Stream.CHANGE)]


def test_who_may_not_have_been_told_hears_of_a_cancellation(database: Database) -> None:
    office = Office(database)
    with database.write() as session:
        entitled(session, "anne")
    office.reads(before(), at=MONDAY - MINUTE)
    office.ticks(MONDAY)
    office.settles(LetterState.UNKNOWN)
    office.reads(cancelled(), at=WEDNESDAY)

    (notice,) = _owed(office, WEDNESDAY)
    assert notice.perhaps_seen
    office.ticks(WEDNESDAY + SOON)
    assert office.changes() == [("anne", Kind.CANCELLATION, Stream.CHANGE)]


def test_what_changed_and_may_not_have_been_told_is_told_once(database: Database) -> None:
    """As changed, though it is for her and she may not have had it."""
    office = Office(database)
    with database.write() as session:
        entitled(session, "anne")
    office.reads(before(), at=MONDAY - MINUTE)
    office.ticks(MONDAY)
    office.settles(LetterState.UNKNOWN)
    office.reads(after(closes_at=quebec(10, 9, 11)), at=WEDNESDAY)
    office.ticks(NEXT_MONDAY)

    assert [one.kind for one in office.told(letter=LetterState.WRITTEN)] == [Kind.CHANGE]
    with database.read() as session:
        weekly = select(Letter.notices).where(Letter.state == LetterState.WRITTEN)
        assert session.scalars(weekly).all() == [1]


def test_who_was_not_told_hears_of_no_change(database: Database) -> None:
    """A notice that came back is new again."""
    office = _office(database)
    with database.write() as session:
        came_back(session, session.scalars(select(Letter.id)))
    office.reads(after(closes_at=quebec(10, 9, 11)), at=WEDNESDAY)
    office.ticks(NEXT_MONDAY)
    assert office.changes() == []
    assert [one.kind for one in office.told(letter=LetterState.WRITTEN)] == [Kind.NEW]


@pytest.mark.parametrize("state", [LetterState.REFUSED, LetterState.WITHDRAWN])
def test_a_change_whose_letter_did_not_leave_is_told_again(
    database: Database, state: LetterState
) -> None:
    office = _office(database)
    office.reads(cancelled(), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    office.settles(state)
    office.ticks(WEDNESDAY + 2 * SOON)

    (told,) = office.told(kind=Kind.CANCELLATION)
    assert (told.state, told.letter) == (ToldState.RESERVED, LetterState.WRITTEN)


def test_a_change_whose_letter_is_in_doubt_is_told_once_more(database: Database) -> None:
    office = _office(database)
    office.reads(cancelled(), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    office.settles(LetterState.UNKNOWN)
    (notice,) = _owed(office, WEDNESDAY + SOON)
    assert notice.perhaps_seen

    for n in (2, 3):
        office.ticks(WEDNESDAY + n * SOON)
        office.settles(LetterState.UNKNOWN)
    with database.read() as session:
        letters = select(func.count()).select_from(Letter).join(Edition)
        assert session.scalar(letters.where(Edition.frequency == Stream.CHANGE)) == 2


def test_a_call_that_begins_to_match_is_new(database: Database) -> None:
    office = Office(database)
    with database.write() as session:
        entitled(session, "anne")
    plain = {"items": (), "title": "Services à l’école"}
    office.reads(before(**plain), at=MONDAY - MINUTE)
    office.ticks(MONDAY)
    assert office.told() == []
    office.reads(after(), at=WEDNESDAY)
    office.ticks(NEXT_MONDAY)
    assert [one.kind for one in office.told()] == [Kind.NEW]


def test_who_asked_to_hear_at_once_hears_of_what_is_useful_at_once(database: Database) -> None:
    office = _office(database)
    with database.write() as session:
        wanted = wishes.Wishes(frequency=Frequency.INSTANT, sectors=("deneigement",))
        wishes.change(session, _contact(session, "anne").id, wanted, origin="staff", at=MONDAY)
    office.ticks(quebec(9, 16, 6))
    office.reads(after(documents=("addenda 1.pdf",)), at=WEDNESDAY)
    office.ticks(WEDNESDAY + SOON)
    assert office.changes() == [("anne", Kind.CHANGE, Stream.CHANGE)]


def test_of_two_writers_one_tells_a_change(database: Database) -> None:
    office = _office(database)
    office.reads(cancelled(), at=WEDNESDAY)
    failed: list[BaseException] = []
    start = threading.Barrier(2)

    def write(at: Any) -> None:
        try:
            start.wait()
            office.ticks(at)
        except BaseException as error:  # noqa: BLE001, told below
            failed.append(error)

    writers = [
        threading.Thread(target=write, args=(WEDNESDAY + SOON + n * MINUTE,)) for n in range(2)
    ]
    for one in writers:
        one.start()
    for one in writers:
        one.join()

    assert failed == []
    assert office.changes() == [("anne", Kind.CANCELLATION, Stream.CHANGE)]
    with database.read() as session:
        letters = select(func.count()).select_from(Letter).join(Edition)
        assert session.scalar(letters.where(Edition.frequency == Stream.CHANGE)) == 1


def test_a_change_that_cannot_be_composed_opens_no_run_a_minute(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = _office(database)
    office.reads(cancelled(), at=WEDNESDAY)
    plain = writing._compose

    def broken(desk: Any, digest: Digest, *rest: Any) -> Any:
        if digest.stream == Stream.CHANGE:
            raise ValueError("a defect of ours")
        return plain(desk, digest, *rest)

    monkeypatch.setattr(writing, "_compose", broken)
    for n in range(4):
        office.ticks(WEDNESDAY + SOON + n * MINUTE)
    with database.read() as session:
        editions = select(func.count()).select_from(Edition)
        assert session.scalar(editions.where(Edition.frequency == Stream.CHANGE)) == 1
