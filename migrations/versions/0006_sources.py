"""every source, every day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import base.database

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = base.database.UtcDateTime(timezone=True)
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.add_column(sa.Column("held", sa.String(20), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("carried", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("closings", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("tender", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("backlog", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("missed_at", moment, nullable=True))
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("delivery_regions", sa.JSON(), nullable=False, server_default="[]")
        )
        batch_op.add_column(
            sa.Column("closing_evidence", sa.Text(), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("level", sa.String(20), nullable=False, server_default=""))
        batch_op.add_column(
            sa.Column("conflicting", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.create_table(
        "visit",
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("answered_at", moment, nullable=True),
        sa.Column("failing_since", moment, nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "address", name=op.f("pk_visit")),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tender_id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=43), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", moment, nullable=False),
        sa.Column("added_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["tender_id"],
            ["tender.id"],
            name=op.f("fk_attachment_tender_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_attachment_public_id")),
        sa.UniqueConstraint("tender_id", "name", name=op.f("uq_attachment_tender_id_name")),
    )


def downgrade() -> None:
    op.drop_table("attachment")
    op.drop_table("visit")
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_column("conflicting")
        batch_op.drop_column("level")
        batch_op.drop_column("closing_evidence")
        batch_op.drop_column("delivery_regions")
    with op.batch_alter_table("tender", schema=None) as batch_op:
        batch_op.drop_column("missed_at")
        batch_op.drop_column("backlog")
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.drop_column("closings")
        batch_op.drop_column("carried")
        batch_op.drop_column("held")
