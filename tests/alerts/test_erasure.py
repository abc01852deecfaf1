"""An erased person is in no table and in no file, its proof stays, and its address stays barred."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import JSON, Text, cast, create_engine, func, make_url, or_, select, text
from sqlalchemy.orm import Session

from alerts import entitlement, erasure, persons
from alerts.erasure import ErasureRefused, Obstacle
from alerts.scrubbing import GONE, PUBLISHED
from alerts.tables import Attempt, Letter, LetterState, Omission, Told, Why
from base import wiping
from base.audit import Audit
from base.concerns import standing
from base.database import Base, Database
from base.inventory import Tie, kept_in
from subscriptions import erased, events, importing, moving, roster, suppressions, wishes
from subscriptions.members import add_contact
from subscriptions.tables import Consent, Contact, Event, Subscription, Suppression, What
from tests import coop
from tests.coop import AT
from tests.everything import Everything, fill

#: Nobody else's: any of these octets in a file is the person's.
CANARY, NAME = "serin-7q@ex.ca", "Serin Septquart"
NEEDLES = (CANARY.encode(), CANARY.upper().encode(), NAME.encode())
ALL = frozenset({"*"})


#: What is not proof of anything goes with the person; None: the whole row.
GOES: dict[str, set[str] | None] = {
    "contact": {"name", "address"},
    "subscription": {"own_words", "excluded_words"},
    "event": {"old_address", "new_address"},
    "letter": {"address"},
    "message": None,
    "told": {"reasons"},
    "bounce": {"words"},
    "import_step": {"before", "after"},
    "audit": {"before", "after"},
    "suppression": {"address"},
    "near_miss": None,
    "reaction": None,
}


def erase(session: Session, contact_id: int, *, reason: str = erased.ERASED) -> None:
    who = persons.person(session, session.get_one(Contact, contact_id))
    erasure.erase(session, who, reason=reason, at=AT, by="essai")


def gone(database: Database, made: Everything) -> None:
    with database.write() as session:
        erase(session, made.ids["contact"])


def mentions(session: Session, needle: str) -> list[str]:
    """The tables in which that text stands anywhere."""
    found = []
    for table in persons.tables():
        texts = [
            func.lower(cast(one, Text) if isinstance(one.type, JSON) else one)
            for one in table.columns
            if isinstance(one.type, JSON) or one.type.python_type is str
        ]
        looked = or_(False, *(one.contains(needle.lower()) for one in texts))
        if texts and session.scalar(select(func.count()).select_from(table).where(looked)):
            found.append(table.name)
    return found


def heap(database: Database, root: str) -> list[Path]:
    """The files of a PostgreSQL database in which the person still is, its log left out."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        name = make_url(database.engine.url).database
        oid = connection.scalar(
            text("SELECT oid FROM pg_database WHERE datname = :name"), {"name": name}
        )
    files = [path for path in (Path(root) / "base" / str(oid)).iterdir() if path.is_file()]
    return [path for path in files if any(one in path.read_bytes() for one in NEEDLES)]


def files(database: Database, request: pytest.FixtureRequest) -> list[Path]:
    found = wiping.places(database, NEEDLES)
    if found is None:
        return heap(database, request.getfixturevalue("postgres_root"))
    return found


def test_no_byte_of_the_person_is_left_in_tables_files_and_log(
    database: Database, request: pytest.FixtureRequest, record_property: pytest.RecordProperty
) -> None:
    with database.write() as session:
        made = fill(session, CANARY, NAME)
        other = fill(session, "max@ex.ca", "Max Fictif")
        before = mentions(session, CANARY)
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "postgresql":
            # The server keeps samples of a column's values; they are the person's as well.
            connection.execute(text("ANALYZE"))
            connection.commit()
    seen = files(database, request)
    gone(database, made)
    assert wiping.wipe(database)
    with database.read() as session:
        left = mentions(session, CANARY) + mentions(session, NAME)
        assert mentions(session, "max@ex.ca") == before
    assert len(before) > 15
    assert seen
    assert (left, files(database, request)) == ([], [])
    record_property(
        "measured",
        f"erasure, {database.engine.dialect.name}: the address stood in {len(before)} tables and "
        f"{len(seen)} files, then in {len(left)} and 0; {other.address} in {len(before)} still",
    )


def test_what_the_inventory_says_is_what_becomes_of_each_table(database: Database) -> None:
    with database.write() as session:
        made = fill(session, CANARY, NAME)
        who = persons.person(session, session.get_one(Contact, made.ids["contact"]))
        planned = {one.table: one.emptied for one in erasure.plan(session, who)}
        tied = {t.name for t in persons.tables() if kept_in(t.name).tie is not Tie.NONE}
        assert planned.keys() == tied
    said = {name: None if emptied is None else set(emptied) for name, emptied in planned.items()}
    assert {name: emptied for name, emptied in said.items() if emptied != set()} == GOES
    gone(database, made)
    with database.read() as session:
        for name, emptied in planned.items():
            table = Base.metadata.tables[name]
            row = session.execute(select(table).where(table.c.id == made.ids[name])).mappings()
            found = row.one_or_none()
            assert (found is None) == (emptied is None), name
            assert not any(found[one] for one in emptied or () if found), name


def test_the_proof_that_only_members_were_mailed_stays(database: Database) -> None:
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        letter = coop.letter(session, contact)
        tender, revision = coop.tender(session)
        coop.told(session, letter, revision, tender.id)
        letter.state, letter.settled_at, letter.membership_id = LetterState.ACCEPTED, AT, 1
        letter.reply = "250 2.0.0 Ok"
        number, digest = letter.id, letter.sha256
        erase(session, contact.id)
    with database.read() as session:
        kept = session.get_one(Letter, number)
        proof = (kept.state, kept.settled_at, kept.membership_id, kept.sha256, kept.reply)
        assert proof == (LetterState.ACCEPTED, AT, 1, digest, "250 2.0.0 Ok")
        assert (kept.address, kept.content) == ("", None)
        assert session.scalar(select(func.count()).select_from(Told)) == 1
        (consent,) = session.scalars(select(Consent))
        assert consent.contact_id == kept.contact_id
        (audit,) = session.scalars(select(Audit))
        assert (audit.action, audit.subject) == (erasure.ACTION, f"contact:{kept.contact_id}")


def test_what_lives_ends_first_and_nothing_more_is_owed(database: Database) -> None:
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        letter = coop.letter(session, contact)
        events.record(session, contact.id, What.CHANGED, at=AT)
        erase(session, contact.id)
        number, letter_id = contact.id, letter.id
    with database.read() as session:
        (ended,) = session.scalars(select(Subscription))
        assert (ended.end_reason, ended.end_origin, ended.ended_at) == (wishes.REMOVED, "staff", AT)
        found = session.get_one(Letter, letter_id)
        assert (found.state, found.why) == (LetterState.WITHDRAWN, Why.SUBSCRIPTION)
        assert [one.contact_id for one in session.scalars(select(Omission))] == [number]
        assert session.scalars(select(Event.answered_at)).all() == [AT]
        row = session.get_one(Contact, number)
        assert (row.name, row.address, row.ended_at, row.erased_at) == ("", "", AT, AT)


@pytest.mark.parametrize(
    ("state", "obstacle"),
    [
        (LetterState.CLAIMED, Obstacle.LEAVING),
        (LetterState.IN_DOUBT, Obstacle.LEAVING),
        (LetterState.UNKNOWN, Obstacle.UNCERTAIN),
    ],
)
def test_a_letter_on_its_way_or_in_doubt_comes_first(
    database: Database, state: LetterState, obstacle: Obstacle
) -> None:
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        letter = coop.letter(session, contact)
        letter.state = state
        session.flush()
        number = letter.id
        with pytest.raises(ErasureRefused) as refused:
            erase(session, contact.id)
        assert (refused.value.obstacle, refused.value.letter_id) == (obstacle, number)
    with database.read() as session:
        assert session.scalars(select(Contact.address)).one() == "anne@exemple.quebec"
        assert session.scalars(select(Subscription.ended_at)).one() is None


def test_erasing_twice_changes_nothing(database: Database) -> None:
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        erase(session, contact.id)
        first = [dict(row._mapping) for row in session.execute(select(Contact.__table__))]
        erase(session, contact.id)
        again = [dict(row._mapping) for row in session.execute(select(Contact.__table__))]
        assert first == again
        assert session.scalar(select(func.count()).select_from(Suppression)) == 1


def test_an_internationalised_domain_goes_in_both_spellings(database: Database) -> None:
    address = "anne@xn--caf-dma.example"
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        contact.address = address
        session.scalars(select(Consent)).one().evidence = f"{address}, anne@CAFÉ.example"
        session.flush()
        erase(session, contact.id)
        assert session.scalars(select(Consent.evidence)).one() == f"{GONE}, {GONE}"


def test_what_sources_publish_is_left_as_it_is(database: Database) -> None:
    assert {"tender", "revision"} <= PUBLISHED
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        _, revision = coop.tender(session, description="Écrire à anne@exemple.quebec")
        number = revision.id
        erase(session, contact.id)
    with database.read() as session:
        description = session.get_one(type(revision), number).description
    assert description == "Écrire à anne@exemple.quebec"


def test_a_letter_frozen_beside_the_erasure_loses_the_address(database: Database) -> None:
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        erase(session, contact.id)
        late = coop.letter(session, contact)
        late.address, late.state = "anne@exemple.quebec", LetterState.WITHDRAWN
        session.flush()
        number = late.id
        # The letter, and its message.
        assert erasure.sweep(session) == 2
        assert erasure.sweep(session) == 0
    with database.read() as session:
        assert session.get_one(Letter, number).address == ""


# The digest keeps out whom the address would have kept out.


def roster_of(address: str) -> roster.Roster:
    lines = (
        "Entreprise,Statut,Courriel,Secteurs,Consentement,Date du consentement\n"
        f"Coop fictive nouvelle,Actif,{address},Déneigement,exprès,2026-09-01\n"
    )
    return roster.read(lines.encode(), coop.CATALOGUE)


def passes(session: Session, contact: Contact) -> set[int]:
    letter = coop.letter(session, contact, label=f"W{contact.id}{contact.address[:4]}")
    letter.state, letter.claim = LetterState.CLAIMED, "moi"
    session.flush()
    entitlement.hold_still(session, [letter.id])
    return entitlement.let_pass(session, [letter.id], claim="moi", allowed=ALL, at=AT)


def test_an_erased_address_imported_again_is_suppressed_and_said(database: Database) -> None:
    with database.write() as session:
        erase(session, coop.entitled(session, "anne").id)
        assert mentions(session, "anne@exemple.quebec") == []
    found = roster_of("Anne@Exemple.Quebec")
    assert [one.reason for one in found.refused] == []
    with database.write() as session:
        importing.take_in(session, found, at=AT, by="essai")
        contact = session.scalars(select(Contact).where(Contact.erased_at.is_(None))).one()
        refused = entitlement.contacts_refused(session, [contact.id], at=AT + timedelta(days=1))
        assert refused == {contact.id: Why.SUPPRESSED}
        assert [(c.cause, c.detail) for c in standing(session)] == [
            ("erased address", {"contact": contact.id})
        ]


@pytest.mark.parametrize("way", ["added", "moved", "behind our back"])
def test_no_way_back_of_an_erased_address_passes_the_one_statement(
    database: Database, way: str
) -> None:
    with database.write() as session:
        erase(session, coop.entitled(session, "anne").id)
    with database.write() as session:
        contact = coop.entitled(session, "nouvelle")
        assert len(passes(session, contact)) == 1
        match way:
            case "added":
                other = add_contact(session, contact.member_id, "anne@exemple.quebec", at=AT)
                suppressed = [entitlement.contacts_refused(session, [other.id], at=AT)[other.id]]
                assert suppressed == [Why.SUBSCRIPTION]
            case "moved":
                proposed = events.record(
                    session,
                    contact.id,
                    What.MOVE_PROPOSED,
                    at=AT,
                    old_address=contact.address,
                    new_address="anne@exemple.quebec",
                )
                assert moving.move(session, proposed)
                refused = entitlement.contacts_refused(session, [contact.id], at=AT)
                assert refused == {contact.id: Why.SUPPRESSED}
            case _:
                contact.address = "anne@exemple.quebec"
                session.flush()
        if way != "added":
            assert passes(session, contact) == set()
        (row,) = session.scalars(select(Suppression).where(Suppression.address > ""))
        assert (row.address, row.reason, row.set_at) == ("anne@exemple.quebec", erased.ERASED, AT)


def test_the_digest_outlives_the_links_keys_and_is_not_the_address(database: Database) -> None:
    """Its key is the database's own: no setting, and no rotation, is asked."""
    with database.write() as session:
        erase(session, coop.entitled(session, "anne").id)
        (row,) = session.scalars(select(Suppression))
        assert (row.address, len(row.digest)) == ("", 64)
        assert erased.recognise(session, ["anne@exemple.quebec", "max@exemple.quebec"]) == [
            "anne@exemple.quebec"
        ]
        assert erased.recognise(session, ["anne@exemple.quebec"]) == ["anne@exemple.quebec"]
        assert session.scalar(select(func.count()).select_from(Suppression)) == 2


def test_a_suppression_in_force_keeps_its_reason_under_the_digest(database: Database) -> None:
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        suppressions.suppress(session, contact.address, reason="complaint", at=AT)
        erase(session, contact.id)
        (row,) = session.scalars(select(Suppression))
        assert (row.address, row.reason, row.lifted_at) == ("", "complaint", None)


def test_what_is_lifted_under_its_digest_may_be_mailed_again(database: Database) -> None:
    with database.write() as session:
        erase(session, coop.entitled(session, "anne").id)
        assert suppressions.lift(session, "anne@exemple.quebec", at=AT) == 1
        contact = coop.entitled(session, "autre")
        contact.address = "anne@exemple.quebec"
        session.flush()
        assert len(passes(session, contact)) == 1


def test_a_bounce_of_an_erased_letter_suppresses_nobody(database: Database) -> None:
    with database.write() as session:
        assert suppressions.suppress(session, "", reason="bounce 5.1.1", at=AT) is False
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_an_older_version_left_in_the_file_goes_as_well(database: Database) -> None:
    """Rows deleted while SQLite did not overwrite them are only gone once the file is rewritten."""
    with sqlite3.connect(str(database.engine.url.database)) as old:
        old.execute("PRAGMA secure_delete=OFF")
        old.execute("CREATE TABLE ancienne (adresse TEXT)")
        old.executemany("INSERT INTO ancienne VALUES (?)", [(CANARY,)] * 500)
        old.commit()
        old.execute("DROP TABLE ancienne")
    old.close()
    assert wiping.places(database, NEEDLES)
    assert wiping.empty_log(database)
    assert wiping.places(database, NEEDLES)
    assert wiping.wipe(database)
    assert wiping.places(database, NEEDLES) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_running_reader_keeps_the_log_and_is_told(database: Database) -> None:
    """On SQLite the log cannot be emptied under somebody who still reads what it holds."""
    with database.write() as session:
        made = fill(session, CANARY, NAME)
    assert asyncio.run(_while_reading(database, made)) is False
    assert wiping.wipe(database)
    assert wiping.places(database, NEEDLES) == []


async def _while_reading(database: Database, made: Everything) -> bool:
    from base.database import connect  # noqa: PLC0415, a connection that does not wait

    impatient = connect(str(database.engine.url), busy=0.2)
    with database.read() as reader:
        reader.execute(select(func.count()).select_from(Contact)).all()
        gone(database, made)
        try:
            return wiping.empty_log(impatient)
        finally:
            impatient.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_whoever_may_still_see_what_was_deleted_is_waited_for(
    database: Database, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL a transaction that writes keeps dead rows alive, even one elsewhere."""
    with database.write() as session:
        made = fill(session, CANARY, NAME)
    elsewhere = create_engine(make_url(database.engine.url).set(database="postgres"))
    with elsewhere.connect() as connection:
        connection.execute(text("SELECT pg_current_xact_id()"))
        gone(database, made)
        monkeypatch.setattr(wiping, "_OVER_WITHIN", 0.2)
        assert wiping.wipe(database) is False
        assert files(database, request)
        monkeypatch.undo()
        over = threading.Timer(0.5, connection.rollback)
        over.start()
        assert wiping.wipe(database)
        over.join()
        assert files(database, request) == []
    elsewhere.dispose()
