"""Whether an edition has a letter for a contact: found at once, however many it has."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_letter_edition_id_contact_id"), "letter", ["edition_id", "contact_id"])
    op.drop_index(op.f("ix_letter_edition_id"), table_name="letter")


def downgrade() -> None:
    op.create_index(op.f("ix_letter_edition_id"), "letter", ["edition_id"])
    op.drop_index(op.f("ix_letter_edition_id_contact_id"), table_name="letter")
