"""The rows that keep everything from leaving, and the installations that a copy is known by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base


class Hold(Base):
    """While one is not lifted, nothing leaves."""

    __tablename__ = "hold"

    id: Mapped[int] = mapped_column(primary_key=True)
    set_at: Mapped[datetime]
    #: "staff", "brake", "first run", "journal", "policy".
    cause: Mapped[str] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(Text, default="")
    set_by: Mapped[str] = mapped_column(String(100))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str] = mapped_column(String(100), default="")


class Instance(Base):
    """An installation that hands letters over, known by its journal (alerts.journal)."""

    __tablename__ = "instance"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The journal's first line.
    token: Mapped[str] = mapped_column(String(32), unique=True)
    #: Letters ever begun there; a journal that counts more belongs to a later database.
    begun: Mapped[int]
    created_at: Mapped[datetime]
