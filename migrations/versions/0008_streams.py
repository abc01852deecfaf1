"""what streams keep: the days left at acceptance, and a weekly edition without its file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import base.database

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OFFERED = sa.text("state IN ('released', 'uncertain')")


def upgrade() -> None:
    with op.batch_alter_table("told") as table:
        table.add_column(
            sa.Column("closes_at", base.database.UtcDateTime(timezone=True), nullable=True)
        )
        table.add_column(sa.Column("days_left", sa.Integer(), nullable=True))
    op.create_index(
        "ix_told_offered",
        "told",
        ["cluster_id"],
        sqlite_where=_OFFERED,
        postgresql_where=_OFFERED,
    )
    with op.batch_alter_table("edition") as table:
        table.add_column(
            sa.Column("without_week", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    with op.batch_alter_table("edition") as table:
        table.drop_column("without_week")
    op.drop_index("ix_told_offered", table_name="told")
    with op.batch_alter_table("told") as table:
        table.drop_column("days_left")
        table.drop_column("closes_at")
