"""The letters' octets, apart from the rows that say where each letter is."""

from __future__ import annotations

from sqlalchemy import ForeignKey, ScalarSelect, select
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.packed import Packed


class Message(Base):
    """A letter as it goes on the wire, CRLF, not dot-stuffed; let go some time after acceptance.

    Not a column of the letter: its row is written anew at each change of state, on SQLite with all
    that it holds (docs/decisions/0024).
    """

    __tablename__ = "message"

    #: The letter's.
    id: Mapped[int] = mapped_column(ForeignKey("letter.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes] = mapped_column(Packed)


def content_of(letter_id: Mapped[int]) -> ScalarSelect[bytes]:
    """The octets of that column's letter, within whatever reads the letter."""
    message = select(Message.content).where(Message.id == letter_id)
    return message.correlate_except(Message).scalar_subquery()
