"""Alembic's entry: which tables there are, and how to reach the database."""

from __future__ import annotations

from alembic import context

import alerts.answer_tables
import alerts.tables
import base.audit
import base.concerns
import base.incidents
import sources.tables
import subscriptions.tables
from base.database import Base, connect

#: Importing them is what makes their tables known to `Base.metadata`.
DECLARED = (
    alerts.answer_tables,
    alerts.tables,
    base.audit,
    base.concerns,
    base.incidents,
    sources.tables,
    subscriptions.tables,
)

database = connect(context.config.attributes["url"])
with database.engine.connect() as connection:
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
