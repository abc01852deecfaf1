"""what privacy asks for: erased contacts, digests of addresses, the register of incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import base.database

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

#: The register is kept (A-2.1, r. 3.1): the database refuses to delete a line of it.
_KEPT_SQLITE = (
    "CREATE TRIGGER incident_is_kept BEFORE DELETE ON incident "
    "BEGIN SELECT RAISE(ABORT, 'the register of incidents is kept'); END"
)
_REFUSAL = (
    "CREATE FUNCTION incident_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION 'the register of incidents is kept'; END $$"
)
_KEPT_POSTGRESQL = (
    "CREATE TRIGGER incident_is_kept BEFORE DELETE ON incident "
    "FOR EACH ROW EXECUTE FUNCTION incident_is_kept()"
)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def upgrade() -> None:
    with op.batch_alter_table("contact") as table:
        table.add_column(
            sa.Column("erased_at", base.database.UtcDateTime(timezone=True), nullable=True)
        )
    with op.batch_alter_table("suppression") as table:
        table.add_column(
            sa.Column("digest", sa.String(length=64), nullable=False, server_default="")
        )
        table.create_index(op.f("ix_suppression_digest"), ["digest"])
    op.create_table(
        "address_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_key")),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", base.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=100), nullable=False),
        sa.Column("concerned", sa.Text(), nullable=False),
        sa.Column("circumstances", sa.Text(), nullable=False),
        sa.Column("happened", sa.String(length=200), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=True),
        sa.Column("assessment", sa.Text(), nullable=False),
        sa.Column("serious", sa.Boolean(), nullable=True),
        sa.Column("commission_on", sa.Date(), nullable=True),
        sa.Column("persons_on", sa.Date(), nullable=True),
        sa.Column("public_notice", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    for statement in (_REFUSAL, _KEPT_POSTGRESQL) if _is_postgresql() else (_KEPT_SQLITE,):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("incident")
    if _is_postgresql():
        op.execute("DROP FUNCTION incident_is_kept()")
    op.drop_table("address_key")
    with op.batch_alter_table("suppression") as table:
        table.drop_index(op.f("ix_suppression_digest"))
        table.drop_column("digest")
    with op.batch_alter_table("contact") as table:
        table.drop_column("erased_at")
