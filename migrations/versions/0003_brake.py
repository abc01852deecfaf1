"""what the brake measured, and one reason a contact and edition."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("letters", "notices"):
        op.add_column("edition", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    # Two writers at once could say it twice on PostgreSQL; the first one stays.
    op.execute(
        "DELETE FROM omission WHERE letter_id IS NULL AND id NOT IN (SELECT min(id) FROM omission "
        "WHERE letter_id IS NULL GROUP BY edition_id, contact_id)"
    )
    op.create_index(
        "uq_omission_contact_edition",
        "omission",
        ["edition_id", "contact_id"],
        unique=True,
        sqlite_where=sa.text("letter_id IS NULL"),
        postgresql_where=sa.text("letter_id IS NULL"),
    )
    op.execute(
        "UPDATE edition SET letters = (SELECT count(*) FROM letter "
        "WHERE letter.edition_id = edition.id), notices = (SELECT coalesce(sum(letter.notices), 0) "
        "FROM letter WHERE letter.edition_id = edition.id)"
    )


def downgrade() -> None:
    op.drop_index("uq_omission_contact_edition", table_name="omission")
    # Not by Alembic's batch: it would remake a table that letters refer to.
    for name in ("letters", "notices"):
        op.execute(f"ALTER TABLE edition DROP COLUMN {name}")
