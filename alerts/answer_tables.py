"""The rows of what came back: readers' answers to notices, and messages of the bounce mailbox."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base


class Answer(StrEnum):
    """What a contact said of a notice."""

    INTERESTED = "interested"
    NOT_RELEVANT = "not_relevant"
    HIDDEN = "hidden"


class Reaction(Base):
    """A contact's answer to a notice, with what spoke for the notice that day."""

    __tablename__ = "reaction"
    __table_args__ = (UniqueConstraint("contact_id", "cluster_id", "answer"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    cluster_id: Mapped[int] = mapped_column(index=True)
    #: An Answer.
    answer: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    #: The revision that was answered, and why it was told: as Told.reasons.
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


class Bounce(Base):
    """One message of the bounce mailbox, read once; the message itself stays there."""

    __tablename__ = "bounce"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of what was read of the message: the same one read again changes nothing.
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    at: Mapped[datetime] = mapped_column(index=True)
    #: The letter it names, proven or not; None where it names none of ours.
    letter_id: Mapped[int | None] = mapped_column(
        ForeignKey("letter.id", ondelete="CASCADE"), index=True
    )
    #: "tag" or "link", what we signed and found in it; "" where nothing: then it has no effect.
    proof: Mapped[str] = mapped_column(String(10), default="")
    #: An alerts.bounces_dsn.ReturnKind.
    kind: Mapped[str] = mapped_column(String(20))
    #: Enhanced code, "5.1.1"; "" where none was given.
    status: Mapped[str] = mapped_column(String(20), default="")
    #: The host's words without addresses, or the subject; emptied after 30 days.
    words: Mapped[str] = mapped_column(Text, default="")
