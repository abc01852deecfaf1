"""When staff said beforehand that the service would be down: the watch keeps silent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from base.database import Base


class Maintenance(Base):
    """A stretch of time, [starts_at, ends_at), that was announced."""

    __tablename__ = "maintenance"

    id: Mapped[int] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    #: The login name of who announced it.
    announced_by: Mapped[str] = mapped_column(String(100))


def announce(session: Session, *, at: datetime, until: datetime, by: str) -> None:
    """From `at` until `until`; a second one begins beside the first."""
    session.add(Maintenance(starts_at=at, ends_at=until, announced_by=by))


def end(session: Session, *, at: datetime) -> int:
    """What was announced is over at `at`; how many stretches that cut short."""
    ended = session.execute(
        update(Maintenance)
        .where(Maintenance.starts_at <= at, Maintenance.ends_at > at)
        .values(ends_at=at)
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def latest_end(session: Session, at: datetime) -> datetime | None:
    """When the last stretch that had begun by `at` ends or ended; None where there is none."""
    return session.scalar(select(func.max(Maintenance.ends_at)).where(Maintenance.starts_at <= at))
