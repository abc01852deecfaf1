"""A PostgreSQL database that goes from test to test is as one just made, or is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import select

from base.database import Base, connect
from tests.coop import entitled
from tests.postgres import Copies


@contextmanager
def _next_test(copies: Copies, name: str) -> Iterator[None]:
    """That database, its test over, in the hands of another test."""
    assert copies.give_back(name).result() == name
    taken: list[str] = []
    while name not in taken:
        taken.append(copies.take())
    yield
    for one in taken:
        copies.give_back(one)


def _filled(copies: Copies) -> str:
    name = copies.take()
    database = connect(copies.server.url(name))
    with database.write() as session:
        entitled(session, "anne")
        # A number is used up where nothing is left of its row, too.
        with session.begin_nested() as undone:
            entitled(session, "luc")
            undone.rollback()
    database.dispose()
    return name


def test_nothing_of_one_test_is_left_for_the_next(postgres_copies: Copies) -> None:
    name = _filled(postgres_copies)
    with (
        postgres_copies.server.inside(name) as left_open,
        _next_test(postgres_copies, name),
    ):
        with pytest.raises(psycopg.OperationalError):
            left_open.execute("SELECT 1")
        database = connect(postgres_copies.server.url(name))
        with database.write() as session:
            for table in Base.metadata.sorted_tables:
                assert session.execute(select(table)).all() == [], table.name
            assert entitled(session, "marie").id == 1
        database.dispose()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE contact ADD COLUMN fictive text",
        "ALTER TABLE contact ALTER COLUMN name DROP NOT NULL",
        "CREATE TABLE fictive (id integer)",
        "DROP TABLE maintenance",
        "CREATE INDEX fictive ON contact (name)",
        "ALTER TABLE contact DROP CONSTRAINT fk_contact_member_id",
        "ALTER TABLE contact DISABLE TRIGGER ALL",
        "CREATE FUNCTION fictive() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA fictive",
        "UPDATE alembic_version SET version_num = '0001'",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
        "ANALYZE contact",
    ],
)
def test_a_database_whose_schema_a_test_touched_is_not_used_again(
    postgres_copies: Copies, change: str
) -> None:
    name = _filled(postgres_copies)
    with postgres_copies.server.inside(name) as connection:
        connection.execute(change)
    assert postgres_copies.give_back(name).result() != name


def test_rows_lie_in_their_order_again_after_very_many(postgres_copies: Copies) -> None:
    name = postgres_copies.take()
    with postgres_copies.server.inside(name) as connection:
        connection.execute(
            "INSERT INTO member (name, name_key, telephone, created_at)"
            " SELECT 'Coop fictive', n::text, '', now() FROM generate_series(1, 6000) AS n"
        )
        connection.execute("DELETE FROM member WHERE id % 3 = 0")
    with _next_test(postgres_copies, name), postgres_copies.server.inside(name) as connection:
        assert connection.execute("SELECT pg_relation_size('member')").fetchone() == (0,)
