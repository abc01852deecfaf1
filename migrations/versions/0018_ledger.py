"""What a contact was told of the calls now open: found without walking over all it was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OFFERED = sa.text("state IN ('released', 'uncertain')")

_APART = sa.text("cluster_basis = 'apart'")


def upgrade() -> None:
    op.create_index(
        "ix_told_offered_to",
        "told",
        ["contact_id"],
        sqlite_where=_OFFERED,
        postgresql_where=_OFFERED,
    )
    op.create_index(
        "ix_tender_apart", "tender", ["id"], sqlite_where=_APART, postgresql_where=_APART
    )


def downgrade() -> None:
    op.drop_index("ix_tender_apart", table_name="tender")
    op.drop_index("ix_told_offered_to", table_name="told")
