"""One enterprise or contact changed by staff: in the past, now, to come; nothing known is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from base.audit import Audit
from base.database import Database
from subscriptions import consent, editing, mailboxes, members, wishes
from subscriptions.difference import NewConsent
from subscriptions.editing import Days, Hand, Refusal
from subscriptions.errors import ChangeRefused
from subscriptions.mailboxes import Asked
from subscriptions.stretches import midnight
from subscriptions.tables import Basis, Contact, Member, Membership
from subscriptions.wishes import Wishes

AT = datetime(2026, 9, 21, 14, tzinfo=UTC)
TODAY = date(2026, 9, 21)
DAY = timedelta(days=1)
SNOW = Wishes(frequency="weekly", sectors=("deneigement",))


def hand(after: timedelta = timedelta(0)) -> Hand:
    return Hand(at=AT + after, by="anne", action="essai")


@pytest.fixture
def member(database: Database) -> int:
    """A member since the beginning of 2025."""
    days = Days(date(2025, 1, 1), None)
    with database.write() as session:
        return editing.add(
            session, "Coop fictive", telephone="", days=days, reason="", hand=hand(-30 * DAY)
        ).id


def _member(session: Session, number: int) -> Member:
    return session.get_one(Member, number)


def _active_on(database: Database, member: int, day: date) -> bool:
    with database.read() as session:
        noon = midnight(day) + timedelta(hours=12)
        return members.active_membership(session, member, noon) is not None


@pytest.mark.parametrize(
    ("last", "active"),
    [
        pytest.param(date(2026, 3, 31), [True, False, False, False], id="in the past"),
        pytest.param(TODAY, [True, True, True, False], id="today"),
        pytest.param(date(2026, 12, 31), [True, True, True, True], id="to come"),
    ],
)
def test_a_lapse_may_be_past_or_to_come(
    database: Database, member: int, last: date, active: list[bool]
) -> None:
    with database.write() as session:
        editing.end(session, _member(session, member), last=last, reason="départ", hand=hand())
    days = [date(2026, 3, 31), date(2026, 4, 1), TODAY, date(2026, 12, 31)]
    assert [_active_on(database, member, day) for day in days] == active
    assert not _active_on(database, member, date(2027, 1, 1))


def test_a_lapse_without_a_day_holds_from_now_on(database: Database, member: int) -> None:
    with database.write() as session:
        editing.end(session, _member(session, member), last=None, reason="", hand=hand())
    with database.read() as session:
        second = timedelta(seconds=1)
        assert members.active_membership(session, member, AT - second) is not None
        assert members.active_membership(session, member, AT) is None


def test_what_was_known_before_a_late_correction_can_still_be_told(
    database: Database, member: int
) -> None:
    with database.write() as session:
        last = date(2026, 3, 31)
        editing.end(session, _member(session, member), last=last, reason="départ", hand=hand())
    with database.read() as session:
        before, after = members.memberships(session, member)
    in_august = datetime(2026, 8, 1, tzinfo=UTC)
    assert before.ends_at is None
    assert after.ends_at == midnight(date(2026, 4, 1))
    assert after.ends_at < in_august
    assert (before.superseded_at, after.recorded_at, after.recorded_by) == (AT, AT, "anne")
    assert (after.superseded_at, after.reason) == (None, "départ")


def test_who_lapsed_is_reinstated_from_a_day_on(database: Database, member: int) -> None:
    with database.write() as session:
        found = _member(session, member)
        editing.end(session, found, last=date(2026, 3, 31), reason="", hand=hand())
        editing.reinstate(
            session, found, first=date(2026, 9, 1), last=date(2027, 8, 31), reason="", hand=hand()
        )
    days = [date(2026, 3, 31), date(2026, 8, 31), date(2026, 9, 1), date(2027, 8, 31)]
    assert [_active_on(database, member, day) for day in days] == [True, False, True, True]
    assert not _active_on(database, member, date(2027, 9, 1))


def test_who_lapsed_today_may_come_back_today(database: Database, member: int) -> None:
    with database.write() as session:
        found = _member(session, member)
        editing.end(session, found, last=None, reason="", hand=hand())
        editing.reinstate(session, found, first=None, last=None, reason="", hand=hand(DAY / 24))
        assert len(editing.known_stretches(session, member)) == 2
        assert members.active_membership(session, member, AT + DAY) is not None


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        pytest.param({"end": date(2024, 12, 31)}, Refusal.NOT_ACTIVE, id="end before the start"),
        pytest.param({"first": TODAY, "last": TODAY - DAY}, Refusal.DATES_REVERSED, id="reversed"),
        pytest.param({"first": TODAY, "last": None}, Refusal.OVERLAPS, id="active already"),
        pytest.param(
            {"first": date(2024, 1, 1), "last": date(2025, 1, 1)}, Refusal.OVERLAPS, id="one day"
        ),
        pytest.param({"redate": date(2024, 1, 1)}, Refusal.DATES_REVERSED, id="end moved back"),
        pytest.param({"name": "COOP FICTIVE!"}, Refusal.NAME_TAKEN, id="name taken"),
    ],
)
def test_what_contradicts_is_refused_and_changes_nothing(
    database: Database, member: int, deed: dict[str, object], reason: Refusal
) -> None:
    with pytest.raises(ChangeRefused) as refusal, database.write() as session:
        _do(session, _member(session, member), deed)
    assert refusal.value.reason == reason
    with database.read() as session:
        assert len(members.memberships(session, member)) == 1


def _do(session: Session, member: Member, deed: dict[str, object]) -> None:
    match deed:
        case {"end": last}:
            editing.end(session, member, last=last, reason="", hand=hand())  # type: ignore[arg-type]
        case {"redate": last}:
            editing.redate(
                session,
                member,
                first=None,
                last=last,
                reason="",
                hand=hand(),  # type: ignore[arg-type]
            )
        case {"name": name}:
            days = Days(TODAY, None)
            editing.add(
                session,
                name,
                telephone="",
                days=days,
                reason="",
                hand=hand(),  # type: ignore[arg-type]
            )
        case {"first": first, "last": last}:
            editing.reinstate(
                session,
                member,
                first=first,
                last=last,
                reason="",
                hand=hand(),  # type: ignore[arg-type]
            )


_DEEDS = st.tuples(
    st.sampled_from(["end", "reinstate", "redate", "endless"]),
    st.integers(-40, 40),
    st.integers(-3, 30),
)


@given(deeds=st.lists(_DEEDS, max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_known_stretches_never_overlap_and_no_row_is_lost(
    database: Database, member: int, deeds: list[tuple[str, int, int]]
) -> None:
    seen: dict[int, tuple[object, ...]] = {}
    for place, (what, start, length) in enumerate(deeds):
        first = TODAY + timedelta(days=start)
        last = first + timedelta(days=length)
        by = hand(timedelta(minutes=place))
        with database.write() as session:
            found = _member(session, member)
            try:
                if what == "end":
                    editing.end(session, found, last=last, reason="", hand=by)
                elif what == "reinstate":
                    editing.reinstate(session, found, first=first, last=last, reason="", hand=by)
                else:
                    end = None if what == "endless" else last
                    editing.redate(
                        session, found, first=first, last=end, endless=True, reason="", hand=by
                    )
            except ChangeRefused:
                session.rollback()
        with database.read() as session:
            rows = members.memberships(session, member)
            known = editing.known_stretches(session, member)
        for row in rows:
            said = (row.starts_at, row.ends_at, row.recorded_at, row.recorded_by)
            assert seen.setdefault(row.id, said) == said
        assert seen.keys() == {row.id for row in rows}
        for one, other in pairwise(known):
            assert one.ends_at is not None
            assert one.ends_at <= other.starts_at


def _added(database: Database, member: int, address: str = "anne@exemple.quebec") -> Contact:
    given = NewConsent(Basis.EXPRESS, "Formulaire fictif 1", None)
    asked = Asked(name="Anne Fictive", wishes=SNOW, consent=given)
    with database.write() as session:
        found = _member(session, member)
        return mailboxes.add(session, found, address, asked, hand=hand())[0]


def test_an_enterprise_has_several_contacts_each_with_its_wishes(
    database: Database, member: int
) -> None:
    first, second = _added(database, member), _added(database, member, "bruno@exemple.quebec")
    with database.read() as session:
        for contact in (first, second):
            assert wishes.live(session, contact.id) is not None
            assert consent.holds(session, contact.id, AT) is not None


def test_another_address_kills_the_links_to_change_only(database: Database, member: int) -> None:
    contact = _added(database, member)
    with database.write() as session:
        row = session.get_one(Contact, contact.id)
        mailboxes.correct(session, row, Asked(), address="a@exemple.quebec", hand=hand())
    assert (row.address, row.link_version, row.public_id) == (
        "a@exemple.quebec", 2, contact.public_id,
    )  # fmt: skip


def test_a_taken_address_is_refused_with_its_enterprise(database: Database, member: int) -> None:
    _added(database, member)
    with database.write() as session:
        days = Days(TODAY, None)
        other = editing.add(
            session, "Autre coop", telephone="", days=days, reason="", hand=hand()
        ).id
    for number, reason in (
        (member, Refusal.ADDRESS_HERE),
        (other, Refusal.ADDRESS_ELSEWHERE),
    ):
        with pytest.raises(ChangeRefused) as refusal:
            _added(database, number)
        assert (refusal.value.reason, refusal.value.detail) == (reason, "Coop fictive")


def _contact(session: Session, known: Contact) -> Contact:
    return session.get_one(Contact, known.id)


def to(address: str) -> dict[str, Any]:
    """A correction of the address."""
    return {"address": address, "hand": hand()}


def test_an_address_whose_reader_left_gets_nobodys_letters(database: Database, member: int) -> None:
    left, other = _added(database, member), _added(database, member, "bruno@exemple.quebec")
    with database.write() as session:
        wishes.unsubscribe(session, left.id, origin="member", at=AT)
        mailboxes.remove(session, session.get_one(Contact, left.id), hand=hand())
    with pytest.raises(ChangeRefused) as refusal, database.write() as session:
        mailboxes.correct(session, _contact(session, other), Asked(), **to(left.address))
    assert refusal.value.reason == Refusal.ADDRESS_LEFT
    back = _added(database, member)
    assert back.id == left.id
    with database.read() as session:
        assert wishes.live(session, back.id) is None


def test_the_audit_names_who_did_it_and_no_address(database: Database, member: int) -> None:
    contact = _added(database, member)
    with database.write() as session:
        row = session.get_one(Contact, contact.id)
        mailboxes.correct(session, row, Asked(), address="a@exemple.quebec", hand=hand())
        mailboxes.remove(session, row, hand=hand())
        rows = session.scalars(select(Audit)).all()
    assert {r.who for r in rows} == {"anne"}
    assert [r.subject for r in rows] == ["member:1", "contact:1", "contact:1", "contact:1"]
    assert "@" not in str([(r.before, r.after) for r in rows])


def test_a_membership_row_is_never_changed_but_for_its_end_of_knowledge(
    database: Database, member: int
) -> None:
    with database.write() as session:
        found = _member(session, member)
        editing.redate(
            session, found, first=date(2025, 2, 1), last=None, reason="erreur", hand=hand()
        )
        rows = session.scalars(select(Membership).order_by(Membership.id)).all()
    assert [r.starts_at for r in rows] == [midnight(date(2025, 1, 1)), midnight(date(2025, 2, 1))]
    assert [r.superseded_at for r in rows] == [AT, None]
