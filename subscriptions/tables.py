"""The rows of members, contacts, subscriptions, consents and suppressions.

Membership is intervals, never a boolean; consents and ended subscriptions are kept.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base

#: All seven bits of `Subscription.weekdays`.
EVERY_DAY = 0b1111111


class Frequency(StrEnum):
    """How often a subscription's digest is written."""

    INSTANT = "instant"
    DAILY = "daily"
    WEEKLY = "weekly"


class Origin(StrEnum):
    """Who made a subscription what it is."""

    ROSTER = "roster"
    STAFF = "staff"
    MEMBER = "member"


class Basis(StrEnum):
    """Why we may write to a contact (LCAP, S.C. 2010, c. 23, ss. 6 and 10)."""

    EXPRESS = "express"
    MEMBERSHIP = "enbr_membership"
    PURCHASE = "ebr_purchase"
    CONTRACT = "ebr_contract"
    OTHER = "other"


class Member(Base):
    """An enterprise of the co-op."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    #: `name` folded, to recognise it in the next roster.
    name_key: Mapped[str] = mapped_column(String(200), unique=True)
    telephone: Mapped[str] = mapped_column(String(50), default="")
    created_at: Mapped[datetime]


class Membership(Base):
    """A stretch of days, [starts_at, ends_at), during which a member is active; append-only.

    What is known now are the rows without `superseded_at`. One that proves wrong is superseded,
    never changed: it says what was known from `recorded_at` on, until then.
    """

    __tablename__ = "membership"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    #: Moments, not dates, so that one comparison decides: midnight in Québec of the day.
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(200), default="")
    #: When another row took its place, or when it was found never to have been true.
    superseded_at: Mapped[datetime | None]


class Contact(Base):
    """A mailbox of a member."""

    __tablename__ = "contact"
    __table_args__ = (
        # One live contact an address.
        Index(
            "uq_contact_live_address",
            "address",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Eight random bytes in hexadecimal, in every link; never the id (S-06).
    public_id: Mapped[str] = mapped_column(String(16), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    #: Normalised: lower-case domain as A-label, and compared without case.
    address: Mapped[str] = mapped_column(String(254), index=True)
    #: Rises when the links to change must die; the links to leave live on.
    link_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    #: When the contact was removed from the roster for good (not a lapse, not leaving).
    ended_at: Mapped[datetime | None]
    #: When its name and address were erased; the row stays as a number without a person.
    erased_at: Mapped[datetime | None]
    #: The contact that it was merged with: its links to leave end that one’s letters.
    merged_into_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact.id", ondelete="SET NULL")
    )


class Subscription(Base):
    """What a contact asked for, from one moment to another; a change ends it and opens the next."""

    __tablename__ = "subscription"
    __table_args__ = (
        Index(
            "uq_subscription_live_contact",
            "contact_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(
        ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    frequency: Mapped[str] = mapped_column(String(20))
    #: Slugs of the catalogue.
    sectors: Mapped[list[str]] = mapped_column(JSON)
    own_words: Mapped[list[str]] = mapped_column(JSON, default=list)
    excluded_words: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: Names of MRC or municipalities; empty: everywhere.
    territory: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: The days of a daily digest: bit 0 is Monday, bit 6 Sunday.
    weekdays: Mapped[int] = mapped_column(default=EVERY_DAY)
    #: Notices a letter tells at most; the others wait for the next one. None: all.
    most_notices: Mapped[int | None]
    #: goods, services, works; empty: all. A notice that says none is kept.
    categories: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: Québec calendar days that a notice must still be open; 0: any.
    minimum_days_left: Mapped[int] = mapped_column(default=0)
    #: Nothing is written for it before this moment.
    paused_until: Mapped[datetime | None]
    started_at: Mapped[datetime]
    origin: Mapped[str] = mapped_column(String(20))
    ended_at: Mapped[datetime | None]
    #: "changed", "unsubscribed", "removed"; "" while it lives.
    end_reason: Mapped[str] = mapped_column(String(20), default="")
    #: Who ended it: an Origin; "" while it lives.
    end_origin: Mapped[str] = mapped_column(String(20), default="")


class What(StrEnum):
    """What happened between a contact and the pages; some are said by a letter."""

    LEFT = "left"  #: unsubscribed
    CHANGED = "changed"  #: the wishes are others; undone, they are what they were
    RESUMED = "resumed"  #: an unsubscribe was undone
    LINK_ASKED = "link asked"  #: a fresh link is to be mailed to the known address
    MOVE_ASKED = "move asked"  #: somebody with a letter's link wants another address
    MOVE_PROPOSED = "move proposed"  #: the new address was typed; its mailbox must say yes
    MOVED = "moved"  #: the address changed; the old mailbox is told


class Via(StrEnum):
    """Which way it came."""

    PAGE = "page"
    MAIL = "mail"  #: the mailto: address of List-Unsubscribe
    STAFF = "staff"


class Event(Base):
    """One thing a contact did, or staff for it (`Via`); append-only but for `undone_at`.

    What a letter must say of it is owed from here (alerts.confirmations).
    """

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Eight random bytes in hexadecimal, in the links that undo or confirm it.
    public_id: Mapped[str] = mapped_column(String(16), unique=True)
    #: None where a link was asked for an address that nobody has: the same work, no letter.
    contact_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    #: A What.
    what: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(index=True)
    #: A Via.
    via: Mapped[str] = mapped_column(String(10))
    #: The subscription that it ended, to be opened again when undone.
    before_id: Mapped[int | None] = mapped_column(
        ForeignKey("subscription.id", ondelete="SET NULL")
    )
    #: MOVE_PROPOSED, MOVED: the address before and the one after; else "".
    old_address: Mapped[str] = mapped_column(String(254), default="")
    new_address: Mapped[str] = mapped_column(String(254), default="")
    #: True where a program, not a reader, seems to have pressed the button.
    suspect: Mapped[bool] = mapped_column(default=False)
    #: Undone, or used up by what it led to.
    undone_at: Mapped[datetime | None]
    #: When its letter was written, or found not to be due.
    answered_at: Mapped[datetime | None] = mapped_column(index=True)


class Consent(Base):
    """Why we may write to a contact: append-only. No basis, no mail (LCAP s. 13)."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(
        ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    basis: Mapped[str] = mapped_column(String(20))
    #: Holds from here …
    starts_at: Mapped[datetime]
    #: … to here; None while nothing ends it.
    ends_at: Mapped[datetime | None]
    #: SHA-256 of the wording that was agreed to, where there is one.
    wording_hash: Mapped[str] = mapped_column(String(64), default="")
    #: Where the proof is: a form's number, a date, a meeting.
    evidence: Mapped[str] = mapped_column(Text, default="")
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(String(100))


class Suppression(Base):
    """An address that must not be mailed, whoever's it is; lifted, never deleted.

    Once its person is erased only the digest of the address is left (subscriptions.erased).
    """

    __tablename__ = "suppression"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: "" where `digest` stands for it.
    address: Mapped[str] = mapped_column(String(254), index=True)
    #: HMAC-SHA-256 of the address under the database's AddressKey; "" while the address is there.
    digest: Mapped[str] = mapped_column(String(64), default="", index=True)
    #: "bounce 5.1.1", "complaint", "staff", "unsubscribed", "erased".
    reason: Mapped[str] = mapped_column(String(50))
    set_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class AddressKey(Base):
    """The one key of the digests of suppressed addresses; never changed (docs/decisions/0016)."""

    __tablename__ = "address_key"

    #: Always 1.
    id: Mapped[int] = mapped_column(primary_key=True)
    #: 32 random bytes in hexadecimal.
    key: Mapped[str] = mapped_column(String(64))
