"""What staff did, before and after; append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from base.database import Base


class Audit(Base):
    """One action of a person on our side."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    #: The login name of who ran the command.
    who: Mapped[str] = mapped_column(String(100))
    #: The command, e.g. "membres importer".
    action: Mapped[str] = mapped_column(String(100))
    #: What it was done to: "contact:12". Never an address.
    subject: Mapped[str] = mapped_column(String(100))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)


def record(
    session: Session,
    *,
    at: datetime,
    who: str,
    action: str,
    subject: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add one row to the audit, in the caller's transaction."""
    session.add(Audit(at=at, who=who, action=action, subject=subject, before=before, after=after))
