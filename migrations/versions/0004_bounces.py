"""returned mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import base.database

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", base.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=True),
        sa.Column("proof", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["letter.id"], name=op.f("fk_bounce_letter_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bounce_sha256")),
    )
    op.create_index(op.f("ix_bounce_at"), "bounce", ["at"])
    op.create_index(op.f("ix_bounce_letter_id"), "bounce", ["letter_id"])


def downgrade() -> None:
    op.drop_table("bounce")
