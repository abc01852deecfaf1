"""The access export holds every row of a person, from every table, and nobody else's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from alerts import access, persons
from alerts.persons import unknown_ties
from base.database import Base, Database
from base.inventory import Tie, inventory, kept_in
from subscriptions.tables import Contact
from tests.everything import Everything, fill

ANNE, ZOE = ("anne@ex.ca", "Anne Fictive"), ("zoe@ex.ca", "Zoé Fictive")
#: Of nobody but, at most, who of the staff did it. One more here is a decision.
OF_NOBODY = {
    "address_key", "attachment", "edition", "heartbeat", "hold", "incident", "instance",
    "maintenance", "reading", "revision", "roster_import", "staff_letter", "tender", "visit",
}  # fmt: skip
#: Whose rows are a person's: all but those that the inventory ties to nobody.
PERSONAL = sorted(one.table for one in inventory() if one.tie is not Tie.NONE)


def both(session: Session) -> tuple[Everything, Everything]:
    return fill(session, *ANNE), fill(session, *ZOE)


def exported(session: Session, made: Everything) -> access.Holdings:
    contact = session.get_one(Contact, made.ids["contact"])
    return access.holdings(session, persons.person(session, contact))


def test_the_export_holds_the_person_s_rows_of_every_table_whole(database: Database) -> None:
    with database.write() as session:
        anne, _ = both(session)
        found = {one.table: one for one in exported(session, anne).tables}
        assert sorted(found) == PERSONAL
        for name in PERSONAL:
            table = Base.metadata.tables[name]
            row = session.execute(select(table).where(table.c.id == anne.ids[name])).mappings()
            assert found[name].rows == (dict(row.one()),), name
            assert found[name].columns == tuple(table.c.keys())


def test_the_export_holds_nothing_of_anybody_else(database: Database) -> None:
    with database.write() as session:
        anne, zoe = both(session)
        found = exported(session, anne)
    text = json.dumps(
        [
            [access.plain(value) for value in row.values()]
            for one in found.tables
            for row in one.rows
        ]
    )
    assert ANNE[0] in text
    assert ZOE[0] not in text
    assert not [where for where, mark in zoe.texts.items() if mark in text]
    assert [sent.letter_id for sent in found.letters] == [anne.ids["letter"]]


def test_all_tables_are_known_to_who_only_asks_for_a_person() -> None:
    """In a process of its own: here other tests have imported the rest."""
    asked = "from alerts.persons import tables; print(*sorted(one.name for one in tables()))"
    root = Path(__file__).parent.parent.parent
    said = subprocess.run(  # noqa: S603, our own interpreter and words
        [sys.executable, "-c", asked], cwd=root, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == sorted(one.table for one in inventory())


def test_every_table_says_how_its_rows_are_a_person_s_as_its_keys_do() -> None:
    assert unknown_ties() == []
    assert {one.table for one in inventory()} == {one.name for one in persons.tables()}


def test_a_table_tied_to_nobody_names_no_person_but_staff_s() -> None:
    """Its personal fields, where it has any, are who of the staff did it."""
    staff = {"set_by", "lifted_by", "added_by", "recorded_by", "undone_by", "announced_by"}
    loose = [one for one in inventory() if one.tie is Tie.NONE]
    assert {one.table for one in loose} == OF_NOBODY
    assert {name for one in loose for name in one.personal} <= staff


def test_contacts_of_one_address_are_one_person(database: Database) -> None:
    with database.write() as session:
        anne, zoe = both(session)
        first = session.get_one(Contact, anne.ids["contact"])
        second = session.get_one(Contact, zoe.ids["contact"])
        first.ended_at, first.address = first.created_at, second.address
        session.flush()
        who = persons.person(session, second)
    assert who.contacts == (first.id, second.id)
    assert len(who.members) == 2


def test_an_address_given_up_and_taken_by_another_is_the_other_s(database: Database) -> None:
    with database.write() as session:
        anne, _ = both(session)
        contact = session.get_one(Contact, anne.ids["contact"])
        contact.address = "nouvelle@ex.ca"
        session.flush()
        assert persons.person(session, contact).addresses == ("anne@ex.ca", "nouvelle@ex.ca")
        other = fill(session, "max@ex.ca", "Max Fictif")
        session.get_one(Contact, other.ids["contact"]).address = "anne@ex.ca"
        session.flush()
        assert persons.person(session, contact).addresses == ("nouvelle@ex.ca",)


def test_every_row_filled_in_is_counted_once(database: Database) -> None:
    """The filling is whole: a table that it could not fill would be proved by nothing."""
    with database.write() as session:
        both(session)
        for table in persons.tables():
            if table.name == "address_key":
                continue
            counted = session.scalar(select(func.count()).select_from(table))
            assert counted == 2, table.name
            assert isinstance(next(iter(table.primary_key)).type, Integer) or table.name in {
                "visit",
                "heartbeat",
            }
    assert kept_in("contact").tie is Tie.CONTACT
