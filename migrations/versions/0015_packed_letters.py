"""Letters are kept compressed from now on; those that are there stay as they are, and are read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from base.packed import unpacked

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_LETTER = sa.table("letter", sa.column("id", sa.Integer), sa.column("content", sa.LargeBinary))


def upgrade() -> None:
    """Nothing: the number alone keeps an older program from sending what it cannot read."""


def downgrade() -> None:
    connection = op.get_bind()
    ids = connection.scalars(sa.select(_LETTER.c.id).where(_LETTER.c.content.is_not(None))).all()
    for letter_id in ids:
        this = _LETTER.c.id == letter_id
        content = connection.scalar(sa.select(_LETTER.c.content).where(this))
        plain = unpacked(content) if content is not None else None
        connection.execute(sa.update(_LETTER).where(this).values(content=plain))
