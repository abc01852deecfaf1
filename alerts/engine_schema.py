"""The engine's own tables on PostgreSQL: a schema apart, in which no fact of ours is.

A job says what to look at (a source's key, an edition's id, numbers), and what is owed is computed
from our rows when it runs. So its tables may be emptied, or made anew for another version of the
engine, and the next tick defers again what is to be done.
"""

from __future__ import annotations

import hashlib

from procrastinate.schema import SchemaManager
from sqlalchemy import text

from base.database import Database

#: Where the engine's tables are.
SCHEMA = "procrastinate"
#: How a connection sees them, and only them.
OPTIONS = f"-c search_path={SCHEMA}"
#: Any number that nobody else locks in this database.
_LOCK = 9_021


def prepare(database: Database) -> bool:
    """Make the engine's tables where they are absent or of another version; whether it did.

    Safe beside others that do so at once. No worker of the other version may be at work.
    """
    wanted = hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest()
    with database.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        made = text("SELECT obj_description(to_regnamespace(:name), 'pg_namespace')")
        if connection.scalar(made, {"name": SCHEMA}) == wanted:
            return False
        for statement in (
            f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE",
            f"CREATE SCHEMA {SCHEMA}",
            f"COMMENT ON SCHEMA {SCHEMA} IS '{wanted}'",
            f"SET LOCAL search_path TO {SCHEMA}",
        ):
            connection.exec_driver_sql(statement)
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101, a connection in use has one
        # Many statements at once, in which % is no parameter.
        driver.execute(SchemaManager.get_schema())
    return True
