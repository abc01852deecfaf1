"""What is promised of how long each thing is kept is what is done, to the second, and no more."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from alerts import retention, returns
from alerts.message_tables import Message
from alerts.retention import keep_to_limits
from alerts.tables import LetterState
from base import wiping
from base.audit import Audit
from base.concerns import standing
from base.database import Base, Database, connect
from base.inventory import DEPARTURE, Kept, Limit, Term, inventory, kept_in
from subscriptions import erased, suppressions, wishes
from subscriptions.tables import (
    Consent,
    Contact,
    Event,
    Member,
    Membership,
    Origin,
    Subscription,
    Suppression,
)
from tests import coop
from tests.everything import Everything, fill

AT = datetime(2026, 9, 21, 7, 40, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
LIMITED = [
    (kept, limit) for kept in inventory() for limit in kept.limits if limit.since != DEPARTURE
]


@pytest.mark.parametrize("kept", inventory(), ids=lambda kept: kept.table)
def test_the_sentence_and_the_limits_say_the_same_times(kept: Kept) -> None:
    said = re.findall(r"(\d+) (mois|jours)", kept.retention)
    assert sorted(said) == sorted({(str(o.term.number), o.term.unit) for o in kept.limits})


@pytest.mark.parametrize("kept", inventory(), ids=lambda kept: kept.table)
def test_a_limit_names_columns_of_its_table(kept: Kept) -> None:
    columns = Base.metadata.tables[kept.table].columns.keys()
    for one in kept.limits:
        theirs = Base.metadata.tables[one.of or kept.table].columns.keys()
        assert {one.since, *one.only, *one.unless} - {DEPARTURE} <= set(theirs)
        assert set(one.emptied) <= set(columns)
    assert set(kept.erased or ()) <= set(columns)


def test_what_is_forgotten_elsewhere_is_forgotten_after_the_same_time() -> None:
    (words,) = [one for one in kept_in("bounce").limits if one.emptied]
    assert Term(returns.WORDS_KEPT.days, "jours") == words.term


@pytest.mark.parametrize(
    ("term", "at", "before"),
    [
        ("13 mois", "2026-03-31", "2025-02-28"),
        ("36 mois", "2028-02-29", "2025-02-28"),
        ("14 mois", "2026-01-15", "2024-11-15"),
        ("12 mois", "2026-12-31", "2025-12-31"),
        ("90 jours", "2026-03-31", "2025-12-31"),
    ],
)
def test_a_time_before_a_day_is_a_day_that_exists(term: str, at: str, before: str) -> None:
    number, unit = term.split()
    day = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert Term(int(number), unit).before(day).date().isoformat() == before


def aged(session: Session, kept: Kept, limit: Limit, since: datetime, number: int) -> Everything:
    """A person whose row of that table meets the limit's conditions, as old as `since`."""
    made = fill(session, f"p{number}@ex.ca", f"Personne {number}", at=AT)
    table = Base.metadata.tables[limit.of or kept.table]
    values: dict[str, object] = {name: among[0] for name, among in limit.only.items()}
    values |= dict.fromkeys(limit.unless, "other")
    session.execute(row(made, table, update(table)).values({limit.since: since} | values))
    return made


def row(made: Everything, table: Table, statement: object) -> object:
    return statement.where(table.c.id == made.ids[table.name])  # type: ignore[attr-defined]


def test_every_limit_lets_go_at_its_second_and_not_one_before(
    database: Database, record_property: pytest.RecordProperty
) -> None:
    found = []
    with database.write() as session:
        for number, (kept, limit) in enumerate(LIMITED):
            before = limit.term.before(AT)
            over = aged(session, kept, limit, before, 2 * number)
            under = aged(session, kept, limit, before + SECOND, 2 * number + 1)
            found.append((kept, limit, over, under))
    keep_to_limits(database, at=AT)
    with database.read() as session:
        for kept, limit, over, under in found:
            table = Base.metadata.tables[kept.table]
            left = session.execute(row(over, table, select(table))).mappings().one_or_none()  # type: ignore[call-overload]
            young = session.execute(row(under, table, select(table))).mappings().one_or_none()  # type: ignore[call-overload]
            case = f"{kept.table} {limit}"
            if limit.emptied:
                assert left is not None, case
                assert not any(left[name] for name in limit.emptied), case
                assert all(young[name] for name in limit.emptied), case
            else:
                assert left is None, case
                assert young is not None, case
    assert keep_to_limits(database, at=AT) == {}
    record_property(
        "measured", f"retention: {len(found)} limits let go at their second, none early"
    )


def test_what_one_of_its_conditions_spares_stays(database: Database) -> None:
    """An unsubscribe is proof for longer than the rest; doubt keeps its letter's bytes."""
    long_ago = AT - timedelta(days=500)
    with database.write() as session:
        made = fill(session, "anne@ex.ca", "Anne Fictive")
        events = Base.metadata.tables["event"]
        session.execute(row(made, events, update(events)).values(what="left", at=long_ago))
        letters = Base.metadata.tables["letter"]
        doubtful = {"state": LetterState.UNKNOWN, "settled_at": AT - 30 * DAY}
        session.execute(row(made, letters, update(letters)).values(doubtful))
    keep_to_limits(database, at=AT)
    with database.read() as session:
        assert session.scalars(select(Event.what)).all() == ["left"]
        assert session.scalars(select(Message.content)).one()


def departed(session: Session, name: str, ends_at: datetime) -> Contact:
    """A contact of an enterprise whose membership ends then."""
    contact = coop.entitled(session, name)
    session.execute(
        update(Membership)
        .where(Membership.member_id == contact.member_id)
        .values(starts_at=ends_at - 300 * DAY, ends_at=ends_at)
    )
    contact.created_at = ends_at - 300 * DAY
    session.flush()
    return contact


def test_who_departed_is_erased_after_14_months_and_forgotten_after_36(database: Database) -> None:
    end = datetime(2025, 7, 21, 7, 40, tzinfo=UTC)
    with database.write() as session:
        number = departed(session, "anne", end).id
        coop.entitled(session, "max")
    keep_to_limits(database, at=AT - SECOND)
    with database.read() as session:
        assert session.get_one(Contact, number).address == "anne@exemple.quebec"
    assert keep_to_limits(database, at=AT)["contact"] == 1
    with database.read() as session:
        contact = session.get_one(Contact, number)
        assert (contact.name, contact.address) == ("", "")
        assert (contact.ended_at, contact.erased_at) == (end, AT)
        member = session.get_one(Member, contact.member_id)
        assert (member.name, member.name_key) == ("", f"#{member.id}")
        assert session.scalar(select(Consent.id).where(Consent.contact_id == number))
        (audit,) = session.scalars(select(Audit))
        assert (audit.who, audit.subject) == (retention.BY, f"contact:{number}")
        assert session.scalars(select(Suppression)).all() == []
    late = datetime(2028, 7, 21, 7, 40, tzinfo=UTC)
    keep_to_limits(database, at=late - SECOND)
    with database.read() as session:
        assert session.get(Contact, number) is not None
    keep_to_limits(database, at=late)
    with database.read() as session:
        assert session.get(Contact, number) is None
        assert not session.scalars(select(Consent).where(Consent.contact_id == number)).all()
        assert not session.scalars(
            select(Subscription).where(Subscription.contact_id == number)
        ).all()
        assert session.scalars(select(Contact.address)).all() == ["max@exemple.quebec"]


def test_who_is_a_member_again_is_kept(database: Database) -> None:
    with database.write() as session:
        contact = departed(session, "anne", AT - 500 * DAY)
        session.add(
            Membership(
                member_id=contact.member_id,
                starts_at=AT - DAY,
                ends_at=None,
                recorded_at=AT,
                recorded_by="essai",
            )
        )
    assert keep_to_limits(database, at=AT)["contact"] == 0


def test_who_had_unsubscribed_is_never_mailed_again_whoever_imports_it(database: Database) -> None:
    with database.write() as session:
        left = departed(session, "anne", AT - 500 * DAY)
        wishes.unsubscribe(session, left.id, origin=Origin.MEMBER.value, at=AT - 600 * DAY)
        lapsed = departed(session, "max", AT - 500 * DAY)
        assert lapsed.id
    assert keep_to_limits(database, at=AT)["contact"] == 2
    with database.write() as session:
        known = ["anne@exemple.quebec", "max@exemple.quebec"]
        assert erased.recognise(session, known) == ["anne@exemple.quebec"]


def test_a_suppression_that_nobody_has_any_more_is_only_a_digest(database: Database) -> None:
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        suppressions.suppress(session, contact.address, reason="complaint", at=AT)
        suppressions.suppress(session, "ancienne@exemple.quebec", reason="bounce 5.1.1", at=AT)
    keep_to_limits(database, at=AT)
    with database.write() as session:
        rows = session.scalars(select(Suppression).order_by(Suppression.id)).all()
        assert [row.address for row in rows] == ["anne@exemple.quebec", ""]
        assert erased.recognise(session, ["ancienne@exemple.quebec"])


def test_a_contact_that_another_of_its_address_outlives_takes_nothing_of_it(
    database: Database,
) -> None:
    with database.write() as session:
        first = departed(session, "anne", AT - 500 * DAY)
        first.ended_at = AT - 500 * DAY
        session.flush()
        second = coop.entitled(session, "max")
        second.address = first.address
        session.flush()
        number = second.id
    assert keep_to_limits(database, at=AT)["contact"] == 1
    with database.write() as session:
        assert session.get_one(Contact, number).address == "anne@exemple.quebec"
        assert wishes.live(session, number) is not None
        assert erased.recognise(session, ["anne@exemple.quebec"]) == []


def test_an_erasure_that_a_letter_holds_back_waits(database: Database) -> None:
    with database.write() as session:
        contact = departed(session, "anne", AT - 500 * DAY)
        letter = coop.letter(session, contact, at=AT)
        letter.state = LetterState.UNKNOWN
        number = contact.id
    assert keep_to_limits(database, at=AT)["contact"] == 0
    with database.write() as session:
        row = session.get_one(Contact, number)
        assert (row.address, row.ended_at) == ("anne@exemple.quebec", None)
        session.execute(update(Base.metadata.tables["letter"]).values(state=LetterState.ACCEPTED))
    assert keep_to_limits(database, at=AT + DAY)["contact"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_files_that_cannot_be_rewritten_are_said_and_tried_again_each_night(
    database: Database,
) -> None:
    with database.write() as session:
        departed(session, "anne", AT - 500 * DAY)
    impatient = connect(str(database.engine.url), busy=0.2)
    with database.read() as reader:
        reader.execute(select(Contact.id)).all()
        assert keep_to_limits(impatient, at=AT)["contact"] == 1
    with database.read() as session:
        assert [one.cause for one in standing(session)] == ["files not rewritten"]
    assert wiping.places(database, [b"anne@exemple.quebec"])
    keep_to_limits(impatient, at=AT + DAY)
    impatient.dispose()
    with database.read() as session:
        assert standing(session) == []
    assert wiping.places(database, [b"anne@exemple.quebec"]) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_through_four_years_nothing_is_kept_too_long_nor_let_go_too_soon(
    database: Database, record_property: pytest.RecordProperty
) -> None:
    """Every week: who is over its limit is in no row and no byte, who is not is there whole."""
    chance = random.Random(20260921)  # noqa: S311, seeded to be repeated
    ends: dict[str, datetime] = {}
    with database.write() as session:
        for number in range(24):
            name = f"serin{number:02}"
            ends[name] = AT + DAY * chance.randrange(0, 1000)
            departed(session, name, ends[name])
    erase_after, forget_after = Term(14, "mois"), Term(36, "mois")
    looked = 0
    for week in range(4 * 52 + 8):
        at = AT + 7 * week * DAY
        keep_to_limits(database, at=at)
        with database.read() as session:
            living = set(session.scalars(select(Contact.address)))
            rows = len(session.scalars(select(Contact.id)).all())
        over = {name for name, end in ends.items() if end <= erase_after.before(at)}
        assert living - {""} == {f"{name}@exemple.quebec" for name in ends.keys() - over}
        assert rows == sum(end > forget_after.before(at) for end in ends.values())
        assert wiping.places(database, [name.encode() for name in over] or [b"\xff" * 40]) == []
        looked += len(over)
    assert rows < len(ends)
    record_property(
        "measured", f"retention: {week + 1} weeks, {looked} looks for who is over: 0 bytes"
    )
