"""what was known of memberships, contacts that were merged, what imports of a roster did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import base.database

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("membership") as table:
        table.add_column(
            sa.Column("superseded_at", base.database.UtcDateTime(timezone=True), nullable=True)
        )
    with op.batch_alter_table("contact") as table:
        table.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_contact_merged_into_id"),
            "contact",
            ["merged_into_id"],
            ["id"],
            ondelete="SET NULL",
        )
    op.create_table(
        "roster_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", base.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=100), nullable=False),
        sa.Column("undone_at", base.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_import")),
    )
    op.create_table(
        "import_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("row_id", sa.Integer(), nullable=True),
        sa.Column("before_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.String(length=200), nullable=False),
        sa.Column("after", sa.String(length=200), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{name}_id"],
                [f"{table}.id"],
                name=op.f(f"fk_import_step_{name}_id"),
                ondelete="CASCADE",
            )
            for name, table in (
                ("import", "roster_import"),
                ("member", "member"),
                ("contact", "contact"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_step")),
    )
    for column in ("contact_id", "import_id", "member_id"):
        op.create_index(op.f(f"ix_import_step_{column}"), "import_step", [column])


def downgrade() -> None:
    op.drop_table("import_step")
    op.drop_table("roster_import")
    with op.batch_alter_table("contact") as table:
        table.drop_constraint(op.f("fk_contact_merged_into_id"), type_="foreignkey")
        table.drop_column("merged_into_id")
    # What is no longer known to be true must not entitle anybody where no column says so.
    op.execute("DELETE FROM membership WHERE superseded_at IS NOT NULL")
    with op.batch_alter_table("membership") as table:
        table.drop_column("superseded_at")
