"""Signs of life of the processes, as rows: who beat last, and since when without a gap."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import String, case, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from base.database import Base, insert

#: A silence as long as this ends a series: `Heartbeat.since` begins anew.
GAP = timedelta(minutes=15)


class Heartbeat(Base):
    """One process, or one part of the service that is asked from outside."""

    __tablename__ = "heartbeat"

    #: "service", "pages", "watch".
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    at: Mapped[datetime]
    #: The first beat of the present series.
    since: Mapped[datetime]


def beat(session: Session, name: str, *, at: datetime) -> None:
    """`name` is alive at `at`, also where the clock went back since the last beat."""
    series = case((or_(Heartbeat.at < at - GAP, Heartbeat.since > at), at), else_=Heartbeat.since)
    session.execute(
        insert(session, Heartbeat)
        .values(name=name, at=at, since=at)
        .on_conflict_do_update(
            index_elements=[Heartbeat.name],
            set_={"at": at, "since": series},
        )
    )


def all_beats(session: Session) -> dict[str, Heartbeat]:
    """Every row, by name."""
    return {one.name: one for one in session.scalars(select(Heartbeat))}
