"""What a person on our side must look at: said once, until it is settled.

A concern is found again at each tick; its key keeps it one row. Its French is in scripts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from base.database import Base, insert


class Concern(Base):
    """One thing that a person must look at; no address and no name is ever in it."""

    __tablename__ = "concern"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: What it is about, so that it is said once: "source:seao:late", "letter:12:quarantined".
    key: Mapped[str] = mapped_column(String(200), unique=True)
    #: The kind of concern; each has its sentence in scripts.concerns_words.
    cause: Mapped[str] = mapped_column(String(50))
    #: What the sentence needs: counts, ids, names of sources.
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    raised_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


def raise_concern(
    session: Session, *, key: str, cause: str, detail: dict[str, Any], at: datetime
) -> bool:
    """Say it once; False while the same key stands. One that was settled is raised anew."""
    values = {"cause": cause, "detail": detail, "raised_at": at, "settled_at": None}
    raised = session.scalar(
        insert(session, Concern)
        .values(key=key, **values)
        .on_conflict_do_update(
            index_elements=[Concern.key], set_=values, where=Concern.settled_at.is_not(None)
        )
        .returning(Concern.id)
    )
    return raised is not None


def settle(session: Session, key: str, *, at: datetime) -> bool:
    """It is over, or a person has dealt with it; a second call changes nothing."""
    settled = session.scalar(
        update(Concern)
        .where(Concern.key == key, Concern.settled_at.is_(None))
        .values(settled_at=at)
        .returning(Concern.id)
        .execution_options(synchronize_session=False)
    )
    return settled is not None


def standing(session: Session) -> list[Concern]:
    """What is not settled, oldest first."""
    found = select(Concern).where(Concern.settled_at.is_(None)).order_by(Concern.id)
    return list(session.scalars(found))
