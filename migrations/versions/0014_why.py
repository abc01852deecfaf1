"""Who was told of a notice, and which letters left in a time: found without walking over all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import base.database

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_before",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("cluster_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("occasion", sa.String(length=50), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("at", base.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_id"],
            ["letter.id"],
            name=op.f("fk_told_before_letter_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_told_before_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_before")),
        sa.UniqueConstraint(
            "letter_id",
            "cluster_id",
            "kind",
            "occasion",
            name=op.f("uq_told_before_letter_id_cluster_id_kind_occasion"),
        ),
    )
    op.create_index(op.f("ix_told_before_cluster_id"), "told_before", ["cluster_id"])
    op.create_index(op.f("ix_told_before_revision_id"), "told_before", ["revision_id"])
    op.create_index(op.f("ix_told_cluster_id"), "told", ["cluster_id"])
    op.create_index(op.f("ix_told_revision_id"), "told", ["revision_id"])
    op.create_index(op.f("ix_letter_in_doubt_at"), "letter", ["in_doubt_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_letter_in_doubt_at"), table_name="letter")
    op.drop_index(op.f("ix_told_revision_id"), table_name="told")
    op.drop_index(op.f("ix_told_cluster_id"), table_name="told")
    op.drop_table("told_before")
