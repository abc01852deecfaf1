"""A letter's octets in a row of their own: a change of its state does not write them anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_LETTER = sa.table("letter", sa.column("id", sa.Integer), sa.column("content", sa.LargeBinary))
_MESSAGE = sa.table("message", sa.column("id", sa.Integer), sa.column("content", sa.LargeBinary))


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["letter.id"], name=op.f("fk_message_id_letter"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    kept = sa.select(_LETTER.c.id, _LETTER.c.content).where(_LETTER.c.content.is_not(None))
    op.execute(sa.insert(_MESSAGE).from_select(["id", "content"], kept))
    op.drop_column("letter", "content")


def downgrade() -> None:
    op.add_column("letter", sa.Column("content", sa.LargeBinary(), nullable=True))
    kept = sa.select(_MESSAGE.c.content).where(_MESSAGE.c.id == _LETTER.c.id)
    op.execute(sa.update(_LETTER).values(content=kept.scalar_subquery()))
    op.drop_table("message")
