"""What `alertes verifier` finds on the machine itself: settings, law, keys, database, disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from alerts.doctor import key_age, machine_checks, setting_checks, store_checks
from alerts.doctor.findings import Check, Finding, State
from alerts.hold_tables import Instance
from alerts.journal import open_journal
from base import audit, env_file
from base.database import Database, connect
from base.settings import FILE, Identity, Keys, Relay
from scripts.doctor_words import sentence
from sources import catalogue
from sources.tables import Reading

AT = datetime(2026, 9, 21, 10, tzinfo=UTC)
KEY, OTHER = "s0Ld-Qa7vJ2mXcB9TfYwRk5HnPz8GeUi", "Zt4xWq1LmNv6Bc0YpKj3HsDg7FaReUo2"
WHOLE = {
    "TENANT_NAME": "Coop fictive",
    "POSTAL_ADDRESS": "1, rue Fictive, Saint-Jérôme (Québec) J7Z 1A1",
    "CONTACT_EMAIL": "bonjour@exemple.quebec",
    "PRIVACY_OFFICER": "Direction générale, 450 555-0100",
    "PUBLIC_URL": "https://alertes.exemple.quebec",
    "LINK_KEYS": KEY,
    "SMTP_HOST": "relais.exemple.quebec",
    "AUTHOR_EMAIL": "alertes@exemple.quebec",
    "BOUNCE_EMAIL": "retours@exemple.quebec",
    "LIST_DOMAIN": "exemple.quebec",
}


def _said(found: Iterator[Finding] | list[Finding]) -> list[tuple[State, str]]:
    listed = list(found)
    assert all(KEY not in sentence(one) and OTHER not in sentence(one) for one in listed)
    return [(one.state, one.cause) for one in listed]


def _with(**changed: str) -> None:
    env_file.put(FILE, {**WHOLE, **changed})


def test_whole_settings_are_fine() -> None:
    _with()
    assert _said(setting_checks.check_settings()) == [(State.FINE, "fine")]


def test_every_missing_setting_is_named_in_one_finding() -> None:
    (found,) = setting_checks.check_settings()
    assert (found.state, found.cause) == (State.MEND, "missing")
    assert found.detail["names"] == list(WHOLE)


@pytest.mark.parametrize(
    ("changed", "causes"),
    [
        ({"SMTP_PORT": "mille"}, ["invalid"]),
        ({"AUTHOR_EMAIL": "alertes à exemple"}, ["no address"]),
        ({"STAFF_EMAIL": "personnel@"}, ["invalid", "no address"]),
        ({"LIST_DOMAIN": "exemple"}, ["no domain"]),
        ({"SMTP_PORT": "0x", "LINK_KEYS": "courte"}, ["invalid", "invalid"]),
    ],
)
def test_a_wrong_setting_is_named(changed: dict[str, str], causes: list[str]) -> None:
    _with(**changed)
    found = list(setting_checks.check_settings())
    assert [one.cause for one in found] == causes
    assert {str(one.detail["name"]) for one in found} == set(changed)


def test_a_file_that_others_can_read_is_said_with_the_command_that_mends_it() -> None:
    _with()
    FILE.chmod(0o640)
    (found,) = setting_checks.check_settings()
    assert found.cause == "readable"
    assert "chmod 600 .env" in sentence(found)


@pytest.mark.parametrize(
    ("changed", "causes"),
    [
        ({}, ["fine"]),
        ({"POSTAL_ADDRESS": "1, rue Fictive, Saint-Jérôme"}, ["postal address"]),
        ({"POSTAL_ADDRESS": "J7Z 1A1"}, ["postal address"]),
        ({"CONTACT_EMAIL": "https://exemple.quebec/contact"}, ["fine"]),
        ({"CONTACT_EMAIL": "au bureau"}, ["contact"]),
        ({"PRIVACY_OFFICER": "Direction générale"}, ["officer"]),
        ({"PRIVACY_OFFICER": "Direction (vie-privee@exemple.quebec)"}, ["fine"]),
    ],
)
def test_what_the_law_asks_for_looks_whole(changed: dict[str, str], causes: list[str]) -> None:
    _with(**changed)
    assert [one.cause for one in setting_checks.check_legal(Identity.read())] == causes


@pytest.mark.parametrize(
    ("keys", "causes"),
    [(KEY, []), (f"{KEY} {KEY}", ["twice"]), ("a" * 40, ["guessable"]), (f"{OTHER} {KEY}", [])],
)
def test_a_key_is_neither_twice_there_nor_guessable(keys: str, causes: list[str]) -> None:
    _with(LINK_KEYS=keys)
    assert [one.cause for one in setting_checks.check_keys(Keys.read())] == causes


def test_the_age_of_the_key_that_signs_is_counted_from_when_it_was_noted(
    database: Database,
) -> None:
    _with(LINK_KEYS=f"{OTHER} {KEY}")
    keys, old = Keys.read(), AT - timedelta(days=731)
    with database.write() as session:
        assert _said(key_age.check_age(session, keys, AT)) == [(State.FINE, "unknown age")]
        key_age.note(session, [OTHER, KEY], who="essai", at=old)
        key_age.note(session, [OTHER, KEY], who="essai", at=AT)
        assert _said(key_age.check_age(session, keys, AT)) == [(State.MEND, "old")]
        assert _said(key_age.check_age(session, keys, old)) == [(State.FINE, "fine")]
        row = session.scalars(select(audit.Audit)).one()
    assert KEY[:12] not in f"{row.subject}{row.after}"


def test_a_key_that_replaced_another_signs_since_then(database: Database) -> None:
    _with(LINK_KEYS=f"{OTHER} {KEY}")
    old = AT - timedelta(days=731)
    with database.write() as session:
        values = {"action": key_age.RENEWED, "subject": key_age.subject(OTHER)}
        audit.record(session, at=old, who="essai", **values)
        session.flush()
        assert _said(key_age.check_age(session, Keys.read(), AT)) == [(State.MEND, "old")]
        assert key_age.since(session, [KEY]) is None


@pytest.mark.parametrize(
    ("allowed", "cause"),
    [
        ("", "nobody"),
        ("*", "everybody"),
        ("exemple.quebec anne@x.quebec", "some"),
        ("anne@x.quebec; bruno@x.quebec", "malformed"),
        ("tous", "malformed"),
    ],
)
def test_whom_letters_may_go_to_is_said(allowed: str, cause: str) -> None:
    _with(MAIL_ALLOWED=allowed)
    assert [one.cause for one in setting_checks.check_allowed(Relay.read())] == [cause]


def test_a_database_of_this_version_is_fine_and_nothing_in_it_changes(database_url: str) -> None:
    store, found = store_checks.open_store(database_url)
    assert store is not None
    store.dispose()
    assert [(one.check, one.state) for one in found] == [
        (Check.DATABASE, State.FINE),
        (Check.MIGRATIONS, State.FINE),
    ]


def _absent(path: Path) -> None:
    path.unlink()


def _foreign(path: Path) -> None:
    path.write_bytes(b"ce n'est pas une base de donnees" * 100)


def _outdated(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")


@pytest.mark.parametrize(
    ("change", "causes"),
    [
        (_absent, ["absent", "no database"]),
        (_foreign, ["unopened", "no database"]),
        (_outdated, ["fine", "outdated"]),
    ],
)
def test_a_database_that_cannot_be_used_is_told_from_one_that_is_absent(
    sqlite_template: Path, tmp_path: Path, change: Callable[[Path], None], causes: list[str]
) -> None:
    path = tmp_path / "base.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    change(path)
    store, found = store_checks.open_store(f"sqlite:///{path}")
    assert store is None
    assert [one.cause for one in found] == causes
    assert path.exists() == (change is not _absent)


def test_a_database_that_another_holds_cannot_be_written(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_checks, "BUSY", 0.1)
    path = tmp_path / "base.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    _, found = store_checks.open_store(f"sqlite:///{path}")
    other.close()
    assert [one.cause for one in found] == ["read only", "fine"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_is_only_read_cannot_be_written(database_url: str) -> None:
    owner = connect(database_url)
    with owner.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = connection.execute(text("SELECT current_database()")).scalar()
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    owner.dispose()
    _, found = store_checks.open_store(database_url)
    assert [one.cause for one in found] == ["read only", "fine"]


def test_a_server_that_does_not_answer_is_a_database_that_does_not_open() -> None:
    _, found = store_checks.open_store("postgresql+psycopg://u:canari@127.0.0.1:1/base")
    assert [one.cause for one in found] == ["unopened", "no database"]
    assert not any("canari" in sentence(one) for one in found)


def test_the_clock_is_compared_with_the_last_row(database: Database) -> None:
    with database.write() as session:
        assert store_checks.last_row(session) is None
        session.add(Reading(source="seao", at=AT, address="essai.json"))
    with database.read() as session:
        last = store_checks.last_row(session)
    assert last == AT
    for at, state in (
        (AT + timedelta(days=400), State.FINE),
        (AT - timedelta(minutes=4), State.FINE),
        (AT - timedelta(minutes=6), State.MEND),
    ):
        assert [one.state for one in store_checks.check_clock(last, at)] == [state]
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    assert [one.cause for one in store_checks.check_clock(None, long_ago)] == ["behind"]


def test_a_zone_that_is_not_that_of_quebec_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_checks, "ZoneInfo", lambda _: store_checks.UTC)
    assert [one.cause for one in store_checks.check_clock(None, AT)] == ["wrong zone"]


def test_a_journal_ahead_of_the_database_is_one_of_another_database(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "remises"
    with database.write() as session:
        assert _said(store_checks.check_journal(session, path)) == [(State.FINE, "new")]
        assert not path.exists()
        journal = open_journal(path)
        session.add(Instance(token=journal.token, begun=1, created_at=AT))
        session.flush()
        journal.begun(1, ["digest:weekly:2026-W39:1"], AT)
        assert _said(store_checks.check_journal(session, path)) == [(State.FINE, "fine")]
        journal.begun(2, ["digest:weekly:2026-W39:2"], AT)
        before = path.read_bytes()
        assert _said(store_checks.check_journal(session, path)) == [(State.MEND, "ahead")]
    assert path.read_bytes() == before


def test_a_journal_that_is_a_folder_cannot_be_written(tmp_path: Path) -> None:
    assert _said(store_checks.check_journal(None, tmp_path)) == [(State.MEND, "unwritable")]


def test_the_room_left_is_that_of_the_fullest_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "var" / "base.sqlite3"
    assert _said(machine_checks.check_disk(base, [])) == [(State.FINE, "fine")]
    monkeypatch.setattr(machine_checks, "LEAST_FREE", 10**18)
    (found,) = machine_checks.check_disk(base, [tmp_path / "remises"])
    assert (found.state, found.cause) == (State.MEND, "full")
    assert "Go" in sentence(found)


def test_each_source_that_lacks_something_is_named(database: Database) -> None:
    sources = catalogue.configured({"seao": "https://x.quebec/a", "seao_search": ""})
    with database.write() as session:
        never = list(store_checks.check_sources(session, sources, AT))
        for one in never:
            counts = {"releases": 1}
            session.add(
                Reading(source=one.detail["source"], at=AT, address="https://x/a", counts=counts)
            )
        session.flush()
        fresh = list(store_checks.check_sources(session, sources, AT))
        late = list(store_checks.check_sources(session, sources, AT + timedelta(days=60)))
    assert {one.cause for one in never} == {"never"}
    assert [(one.state, one.cause) for one in fresh] == [(State.FINE, "fine")]
    assert {one.state for one in late} == {State.MEND}
    assert all(sentence(one) for one in (*never, *fresh, *late))
