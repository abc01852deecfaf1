"""Alembic's entry: which tables there are, and how to reach the database."""

from __future__ import annotations

from alembic import context

import alerts.answer_tables
import alerts.hold_tables
import alerts.staff_tables
import alerts.tables
import base.audit
import base.concerns
import base.heartbeat
import base.incidents
import base.maintenance
import sources.tables
import subscriptions.import_tables
import subscriptions.tables
from base.database import Base, connect

#: Importing them is what makes their tables known to `Base.metadata`.
DECLARED = (
    alerts.answer_tables,
    alerts.hold_tables,
    alerts.staff_tables,
    alerts.tables,
    base.audit,
    base.concerns,
    base.heartbeat,
    base.maintenance,
    base.incidents,
    sources.tables,
    subscriptions.import_tables,
    subscriptions.tables,
)

database = connect(context.config.attributes["url"])
with database.engine.connect() as connection:
    if connection.dialect.name == "sqlite":
        # SQLite alters a table by replacing it; with its foreign keys on, the rows of all that
        # refer to it would be deleted with the former one. Only outside a transaction it listens.
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
database.dispose()
