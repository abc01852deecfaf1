"""A claim looks at a lot, not at all that wait; on either database, by its own plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import event, insert, select, text
from sqlalchemy.orm import Session

from alerts import outbox
from alerts.tables import Letter
from base.database import Database
from tests import coop

ALL = frozenset({"*"})


def _many(session: Session, letters: int) -> None:
    """All waiting since the same moment, as those of an edition are."""
    one = coop.letter(session, coop.entitled(session, "anne"))
    row = session.execute(select(Letter.__table__).where(Letter.id == one.id)).mappings().one()
    session.execute(
        insert(Letter.__table__),  # type: ignore[arg-type]
        [
            {**row, "id": row["id"] + n, "key": f"{row['key']}:{n}", "message_id": f"<{n}@x.ca>"}
            for n in range(1, letters)
        ],
    )


def _plans(database: Database) -> list[str]:
    """How the database finds the letters whose turn has come, as a claim asks for them."""
    found: list[str] = []

    def explain(
        connection: Any,
        _cursor: object,
        statement: str,
        parameters: Any,
        *_more: object,
    ) -> None:
        if statement.startswith("SELECT letter.id") and "LIMIT" in statement:
            words = "EXPLAIN QUERY PLAN" if database.engine.name == "sqlite" else "EXPLAIN"
            cursor = connection.connection.cursor()
            cursor.execute(f"{words} {statement}", parameters)
            found.extend(str(row[-1]) for row in cursor.fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    with database.write() as session:
        lot = outbox.claim(session, claim="c", most=20, allowed=ALL, at=coop.AT)
        assert len(lot.claimed) == 20
    event.remove(database.engine, "before_cursor_execute", explain)
    return found


def test_of_all_that_wait_since_one_moment_a_claim_looks_at_a_lot(database: Database) -> None:
    with database.write() as session:
        _many(session, 3000)
    with database.write() as session:
        session.execute(text("ANALYZE"))
    plan = "\n".join(_plans(database))
    assert "ix_letter_waiting" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def test_what_waits_longest_is_claimed_first_then_by_number(database: Database) -> None:
    with database.write() as session:
        _many(session, 6)
        sooner = session.get_one(Letter, 5)
        sooner.next_attempt_at = coop.AT - timedelta(minutes=1)
    with database.write() as session:
        lot = outbox.claim(session, claim="c", most=3, allowed=ALL, at=coop.AT)
        assert sorted(one.id for one in lot.claimed) == [1, 2, 5]
