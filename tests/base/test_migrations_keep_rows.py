"""A migration, there and back, loses no row of what it does not take away."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import inspect, select, text

from alerts.message_tables import Message
from base.database import Database, alembic_config, connect
from tests import coop

#: The last version before memberships were superseded.
BEFORE = "0009"


@pytest.fixture
def kept(database: Database, database_url: str) -> str:
    """A database with a member, a letter and what it told."""
    with database.write() as session:
        contact = coop.entitled(session, "anne")
        tender, revision = coop.tender(session)
        coop.told(session, coop.letter(session, contact), revision, tender.id)
    database.dispose()
    return database_url


def _counts(url: str) -> dict[str, int]:
    opened = connect(url)
    with opened.engine.connect() as connection:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
        found = {t: connection.execute(text(f"SELECT count(*) FROM {t}")).scalar() for t in tables}  # noqa: S608, our own tables
    opened.dispose()
    return {table: count for table, count in found.items() if count}


def _octets(url: str) -> bytes:
    opened = connect(url)
    with opened.read() as session:
        content = session.scalars(select(Message.content)).one()
    opened.dispose()
    return content


def test_a_migration_there_and_back_keeps_every_row(kept: str) -> None:
    before, octets = _counts(kept), _octets(kept)
    command.downgrade(alembic_config(kept), BEFORE)
    command.upgrade(alembic_config(kept), "head")
    assert _counts(kept) == before
    assert {"contact", "letter", "membership", "message", "subscription", "told"} <= before.keys()
    # Its octets have moved from the letter's row, and were plain there.
    assert _octets(kept) == octets
