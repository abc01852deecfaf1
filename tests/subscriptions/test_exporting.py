"""What is exported imports again without a difference, and is never a formula."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base import workbook
from base.database import Database
from scripts import members_files
from subscriptions import editing, exporting, importing, mailboxes, roster, wishes
from subscriptions.editing import Hand
from subscriptions.errors import ChangeRefused
from subscriptions.exporting import Apart
from subscriptions.tables import Contact, Member
from tests import rosters
from tests.rosters import AT, CATALOGUE, NORTH, SOUTH

DAY = timedelta(days=1)


def _file(database: Database, suffix: str, at: object = AT) -> bytes:
    found = exporting.export(rosters.known(database, at), at)  # type: ignore[arg-type]
    return members_files.document(Path(f"x{suffix}"), found, CATALOGUE, at)  # type: ignore[arg-type]


def _again(database: Database, document: bytes, at: object = AT) -> None:
    found = roster.read(document, CATALOGUE)
    with database.read() as session:
        difference = importing.difference(session, found, at)  # type: ignore[arg-type]
    assert (difference.members, difference.contacts, difference.refused) == ((), (), ())


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_an_export_imports_without_a_difference(database: Database, suffix: str) -> None:
    sample = Path(__file__).parents[2] / "samples" / "roster" / "membres_fictifs.csv"
    with database.write() as session:
        found = roster.read(sample.read_bytes(), CATALOGUE)
        importing.take_in(session, found, at=AT, by="essai")
    document = _file(database, suffix)
    assert len(roster.read(document, CATALOGUE).entries) == 16
    _again(database, document)
    _again(database, document, AT + 3 * DAY)


FORMULAS = ["=cmd|'/C calc'!A1", "+1 450 555-0101", "@SUM(A1)", "-1", "＝1+1", "'=1+1", "''-x"]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_no_cell_is_a_formula_and_every_text_comes_back(database: Database, suffix: str) -> None:
    lines = [
        f'"{text} nom {n}";actif;;;"{text}";n{n}@exemple.quebec;deneigement;;exprès;"{text}"'
        for n, text in enumerate(FORMULAS)
    ]
    with database.write() as session:
        found = roster.read("\n".join((rosters.HEADER, *lines)).encode(), CATALOGUE)
        importing.take_in(session, found, at=AT, by="essai")
    names = {c.name for c in rosters.known(database).contacts.values()}
    document = _file(database, suffix)
    _again(database, document)
    assert {e.contact for e in roster.read(document, CATALOGUE).entries} == names
    if suffix == ".csv":
        cells = [c for row in csv.reader(io.StringIO(document.decode("utf-8-sig")), delimiter=";")
                 for c in row]  # fmt: skip
        assert not [c for c in cells if c[:1] in set("=+-@\t\r＝＋－＠")]
    else:
        pages = openpyxl.load_workbook(io.BytesIO(document)).worksheets
        types = {c.data_type for page in pages for row in page.iter_rows() for c in row if c.value}
        assert "f" not in types


@given(text=st.text(alphabet="'=+-@＝aé \t", max_size=6))
def test_what_is_made_safe_comes_back_bare(text: str) -> None:
    assert workbook.bare(workbook.safe(text)) == text
    assert workbook.safe(text)[:1] not in set("=+-@\t＝")


def test_who_left_and_who_has_no_line_are_not_lost(database: Database) -> None:
    rosters.take_in(database, NORTH, SOUTH)
    rosters.leave(database, "anne@exemple.quebec")
    hand = Hand(at=AT, by="essai", action="essai")
    with database.write() as session:
        south = session.get_one(Member, 2)
        mailboxes.remove(session, session.get_one(Contact, 2), hand=hand)
        asked = mailboxes.Asked(name="Chloé Fictive")
        mailboxes.add(session, south, "chloe@exemple.quebec", asked, hand=hand)
        days = editing.Days(date(2026, 1, 1), None)
        editing.add(session, "Coop seule", telephone="", days=days, reason="", hand=hand)
    found = exporting.export(rosters.known(database), AT)
    assert [line.address for line in found.lines] == ["anne@exemple.quebec"]
    assert [(one.enterprise, one.why) for one in found.apart] == [
        ("Coop fictive du Sud", Apart.NO_SUBSCRIPTION),
        ("Coop seule", Apart.NO_CONTACT),
    ]
    for suffix in (".csv", ".xlsx"):
        _again(database, _file(database, suffix))
    assert not rosters.subscribed(database, "anne@exemple.quebec")


_DEEDS = st.tuples(
    st.sampled_from(["end", "now", "reinstate", "redate", "suspend", "leave", "daily"]),
    st.integers(-40, 40),
    st.integers(0, 30),
)


@given(deeds=st.lists(_DEEDS, max_size=5), later=st.integers(0, 60))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whatever_staff_did_an_export_changes_nothing(
    database: Database, deeds: list[tuple[str, int, int]], later: int
) -> None:
    with database.write() as session:
        for row in session.query(Member):
            session.delete(row)
    rosters.take_in(database, NORTH, SOUTH)
    at = AT
    for what, start, length in deeds:
        at += timedelta(hours=7)
        first = AT.date() + timedelta(days=start)
        _do(database, what, first, first + timedelta(days=length), Hand(at=at, by="x", action="x"))
    at += timedelta(days=later)
    _again(database, _file(database, ".csv", at), at)


def _do(database: Database, what: str, first: date, last: date, hand: Hand) -> None:
    if what == "suspend":
        rosters.take_in(database, NORTH.replace("actif", "suspendu"), at=hand.at)
        return
    contact = rosters.contact(database, "anne@exemple.quebec")
    with database.write() as session:
        member = session.get_one(Member, contact.member_id)
        try:
            if what == "end":
                editing.end(session, member, last=last, reason="", hand=hand)
            elif what == "now":
                editing.end(session, member, last=None, reason="", hand=hand)
            elif what == "reinstate":
                editing.reinstate(session, member, first=first, last=last, reason="", hand=hand)
            elif what == "redate":
                editing.redate(session, member, first=first, last=last, reason="", hand=hand)
            elif what == "leave":
                wishes.unsubscribe(session, contact.id, origin="member", at=hand.at)
            elif (asked := wishes.live(session, contact.id)) is not None:
                daily = wishes.Wishes(frequency="instant", sectors=tuple(asked.sectors))
                wishes.change(session, contact.id, daily, origin="member", at=hand.at)
        except ChangeRefused:
            session.rollback()
