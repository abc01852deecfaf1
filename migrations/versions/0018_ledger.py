"""What may be told again to a contact: found without walking over all that it was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

_OFFERED = sa.text("state IN ('released', 'uncertain')")


def upgrade() -> None:
    op.create_index(
        "ix_told_offered_to",
        "told",
        ["contact_id"],
        sqlite_where=_OFFERED,
        postgresql_where=_OFFERED,
    )


def downgrade() -> None:
    op.drop_index("ix_told_offered_to", table_name="told")
