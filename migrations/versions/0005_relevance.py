"""What subscriptions ask beyond sectors and words, and why tenders are one call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("subscription") as table:
        table.add_column(sa.Column("categories", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(
            sa.Column("minimum_days_left", sa.Integer(), nullable=False, server_default="0")
        )
    with op.batch_alter_table("tender") as table:
        table.add_column(
            sa.Column("cluster_basis", sa.String(length=10), nullable=False, server_default="")
        )


def downgrade() -> None:
    with op.batch_alter_table("tender") as table:
        table.drop_column("cluster_basis")
    with op.batch_alter_table("subscription") as table:
        table.drop_column("minimum_days_left")
        table.drop_column("categories")
