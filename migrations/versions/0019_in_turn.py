"""What waits found in the order in which it leaves, however many wait since the same moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ON_ITS_WAY = sa.text("state IN ('written', 'deferred', 'claimed', 'in_doubt')")


def upgrade() -> None:
    _ordered_by("next_attempt_at", "id")


def downgrade() -> None:
    _ordered_by("next_attempt_at")


def _ordered_by(*columns: str) -> None:
    op.drop_index("ix_letter_waiting", table_name="letter")
    op.create_index(
        "ix_letter_waiting",
        "letter",
        columns,
        sqlite_where=_ON_ITS_WAY,
        postgresql_where=_ON_ITS_WAY,
    )
