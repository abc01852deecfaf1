"""The rows of what imports of a roster did, so that the last one can be undone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base


class RosterImport(Base):
    """A roster that was applied and changed something."""

    __tablename__ = "roster_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    #: The login name of who ran the command.
    recorded_by: Mapped[str] = mapped_column(String(100))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(String(100), default="")


class Step(StrEnum):
    """One thing that an import did."""

    MEMBER = "member"  #: added the enterprise
    NAME = "name"  #: `before` and `after` are the enterprise's names
    TELEPHONE = "telephone"  #: `before` and `after` are its numbers
    MEMBERSHIP = "membership"  #: recorded the stretch `row_id`, in the place of `before_id`
    CONTACT = "contact"  #: added the contact, or took a removed one back
    CONTACT_NAME = "contact name"  #: `before` and `after` are the person's names
    SUBSCRIPTION = "subscription"  #: opened `row_id`, in the place of `before_id`
    CONSENT = "consent"  #: recorded `row_id`


class ImportStep(Base):
    """One thing that one import did to a member or one of its contacts."""

    __tablename__ = "import_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(
        ForeignKey("roster_import.id", ondelete="CASCADE"), index=True
    )
    #: A Step.
    what: Mapped[str] = mapped_column(String(20))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    #: None where it is about the enterprise.
    contact_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    #: The row that was added, and the one in whose place; of the table that `what` says.
    row_id: Mapped[int | None]
    before_id: Mapped[int | None]
    before: Mapped[str] = mapped_column(String(200), default="")
    after: Mapped[str] = mapped_column(String(200), default="")
