"""what the members' pages keep: events, the days of a daily letter, the gate of each letter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import base.database

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("subscription") as table:
        table.add_column(sa.Column("weekdays", sa.Integer(), nullable=False, server_default="127"))
        table.add_column(sa.Column("most_notices", sa.Integer(), nullable=True))
    with op.batch_alter_table("letter") as table:
        table.add_column(
            sa.Column("gate", sa.String(length=20), nullable=False, server_default="full")
        )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=16), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("at", base.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("via", sa.String(length=10), nullable=False),
        sa.Column("before_id", sa.Integer(), nullable=True),
        sa.Column("old_address", sa.String(length=254), nullable=False),
        sa.Column("new_address", sa.String(length=254), nullable=False),
        sa.Column("suspect", sa.Boolean(), nullable=False),
        sa.Column("undone_at", base.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("answered_at", base.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_event_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["before_id"],
            ["subscription.id"],
            name=op.f("fk_event_before_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("public_id", name=op.f("uq_event_public_id")),
    )
    for column in ("answered_at", "at", "contact_id"):
        op.create_index(op.f(f"ix_event_{column}"), "event", [column])


def downgrade() -> None:
    op.drop_table("event")
    with op.batch_alter_table("letter") as table:
        table.drop_column("gate")
    with op.batch_alter_table("subscription") as table:
        table.drop_column("most_notices")
        table.drop_column("weekdays")
