"""The rows of what is mailed to staff: apart from members' letters, by a door of its own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from alerts.tables import LetterState
from base.database import Base


class StaffLetter(Base):
    """One message to STAFF_EMAIL; unique by key. No notice is ever in a row of its own here."""

    __tablename__ = "staff_letter"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: "watch:{concern}:{raised at}"; other kinds have other first words.
    key: Mapped[str] = mapped_column(String(200), unique=True)
    message_id: Mapped[str] = mapped_column(String(255))
    #: The message as it goes on the wire; emptied once it is settled, for it names the address.
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    #: What it tells of, so that the same is not told twice: "12:2026-09-21T12:30:00+00:00".
    covers: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: A LetterState: WRITTEN, CLAIMED, DEFERRED, ACCEPTED, REFUSED or WITHDRAWN.
    state: Mapped[str] = mapped_column(String(20), default=LetterState.WRITTEN)
    written_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    #: Whose it is while CLAIMED, and until when.
    claim: Mapped[str] = mapped_column(String(40), default="")
    lease_until: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    #: The relay's own words.
    reply: Mapped[str] = mapped_column(Text, default="")
