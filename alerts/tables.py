"""The rows of editions, letters, the ledger of what was told, and why not."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Double, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, column_property, mapped_column

from alerts.message_tables import content_of
from base.database import Base


class EditionState(StrEnum):
    """How far an edition is."""

    OPEN = "open"  #: its letters are being written
    WRITTEN = "written"  #: every subscription has a letter or an omission


class LetterState(StrEnum):
    """Where a letter is between us and the relay (design.md, section 5)."""

    WRITTEN = "written"  #: frozen, waiting for its turn
    CLAIMED = "claimed"  #: a dispatcher has it, until its lease runs out
    IN_DOUBT = "in_doubt"  #: the body is with the relay, the final dot may be
    ACCEPTED = "accepted"  #: the relay answered 250: it has taken charge
    DEFERRED = "deferred"  #: the relay answered 4yz, or a failure before the dot: again later
    REFUSED = "refused"  #: the relay answered 5yz: never again
    UNKNOWN = "unknown"  #: silence after the dot: a person decides
    WITHDRAWN = "withdrawn"  #: no longer entitled, expired, or not allowed
    QUARANTINED = "quarantined"  #: cannot be composed: a person must look
    STALE = "stale"  #: became false while it waited: to be composed anew (alerts.stale)


class Stream(StrEnum):
    """What an edition's letters are: one a rhythm, and those outside of it."""

    WEEKLY = "weekly"
    DAILY = "daily"
    INSTANT = "instant"  #: at once; and what cannot wait for a slower reader's next letter
    CHANGE = "change"  #: what was told is critically changed
    REMINDER = "reminder"  #: what the reader marked as interesting closes soon
    ALIVE = "alive"  #: a month without any letter: all is well
    WELCOME = "welcome"
    RETURN = "return"
    LAPSE = "lapse"  #: before a membership ends: how to renew, and no notice


class ToldState(StrEnum):
    """Whether a contact has been told."""

    RESERVED = "reserved"  #: in a letter that has not been accepted yet
    CONFIRMED = "confirmed"  #: in a letter that the relay accepted
    RELEASED = "released"  #: its letter did not leave: may be told again
    UNCERTAIN = "uncertain"  #: its letter is UNKNOWN: listed once more, marked so


class Gate(StrEnum):
    """Which guards of the one statement a letter must pass (alerts.entitlement)."""

    FULL = "full"  #: all of them: whatever tells notices
    ANSWER = "answer"  #: what the contact did itself is confirmed, though it left or paused
    NEW_MAILBOX = "new mailbox"  #: as ANSWER, to the address that the contact proposed
    OLD_MAILBOX = "old mailbox"  #: as ANSWER, to the address that the contact had before


class Kind(StrEnum):
    """What a contact was told about a tender."""

    NEW = "new"
    CHANGE = "change"
    CANCELLATION = "cancellation"
    REMINDER = "reminder"


class Why(StrEnum):
    """Why a contact was not mailed, or a letter did not leave."""

    MEMBERSHIP = "membership"  #: no active membership at that instant
    CONSENT = "consent"  #: no recorded basis at that instant
    SUBSCRIPTION = "subscription"  #: unsubscribed, or never subscribed
    PAUSED = "paused"
    SUPPRESSED = "suppressed"  #: the address bounces or complained
    ADDRESS = "address"  #: the address changed since the letter was frozen
    HELD = "held"  #: the brake or staff hold everything
    NOT_ALLOWED = "not_allowed"  #: MAIL_ALLOWED does not name the address
    EXPIRED = "expired"  #: refused for 72 h, or all its notices have closed
    NOTHING = "nothing"  #: nothing new for what they declared
    UNWRITABLE = "unwritable"  #: the letter, or the notice in it, could not be composed
    DROPPED = "dropped"  #: uncertain, and staff gave it up


class Edition(Base):
    """One run of one stream for all whom it concerns. Opened once, whoever ticks."""

    __tablename__ = "edition"
    __table_args__ = (UniqueConstraint("frequency", "label"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: A Stream.
    frequency: Mapped[str] = mapped_column(String(20))
    #: "2026-W39", "2026-09-21", or the minute of a run at once: "2026-09-21T14:10Z".
    label: Mapped[str] = mapped_column(String(30))
    #: The period shown in the letters, [starts_at, ends_at).
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    written_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(20), default=EditionState.OPEN)
    #: What the brake measures (alerts.brake), counted when the edition is written whole.
    letters: Mapped[int] = mapped_column(default=0)
    notices: Mapped[int] = mapped_column(default=0)
    #: True for a weekly edition that could not wait any longer for the week's file.
    without_week: Mapped[bool] = mapped_column(default=False)


#: Of a letter: neither settled nor set aside. The index of these is found by these very words only.
ON_ITS_WAY = "state IN ('written', 'deferred', 'claimed', 'in_doubt')"


class Letter(Base):
    """One message to one contact; unique by key, its bytes frozen."""

    __tablename__ = "letter"
    __table_args__ = (
        # Whom an edition was written for, one by one, however many there are.
        Index(None, "edition_id", "contact_id"),
        # What a dispatcher looks for, without walking over years of accepted letters; in its
        # order, so that of a whole edition that waits it looks at a lot.
        Index(
            "ix_letter_waiting",
            "next_attempt_at",
            "id",
            sqlite_where=text(ON_ITS_WAY),
            postgresql_where=text(ON_ITS_WAY),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: digest:{frequency}:{label}:{contact}, or {stream}:{contact}:{label}
    key: Mapped[str] = mapped_column(String(200), unique=True)
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("edition.id"))
    contact_id: Mapped[int] = mapped_column(
        ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    #: The envelope's recipient, frozen with the bytes.
    address: Mapped[str] = mapped_column(String(254))
    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    #: Of its Message; None where there is none (any more).
    content: Mapped[bytes | None] = column_property(content_of(id))  # noqa: A003, the column
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    notices: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), default=LetterState.WRITTEN)
    written_at: Mapped[datetime]
    #: A Gate.
    gate: Mapped[str] = mapped_column(String(20), default=Gate.FULL)
    #: Nothing is worth sending after this moment.
    expires_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    #: Who holds the letter while CLAIMED; a result under another claim is refused.
    claim: Mapped[str] = mapped_column(String(40), default="")
    lease_until: Mapped[datetime | None]
    #: When the one statement let it pass: from then on it may have been received.
    in_doubt_at: Mapped[datetime | None] = mapped_column(index=True)
    settled_at: Mapped[datetime | None]
    #: The membership interval that entitled it at hand-over (the proof).
    membership_id: Mapped[int | None]
    #: The relay's own words, e.g. "250 2.0.0 Ok: queued as 4XyZ".
    reply: Mapped[str] = mapped_column(Text, default="")
    #: A Why, for WITHDRAWN.
    why: Mapped[str] = mapped_column(String(20), default="")


#: Of a row of the ledger: it may be told again. The indexes of these are found by these very words.
OFFERED = "state IN ('released', 'uncertain')"


class Told(Base):
    """The ledger: what each contact has been told, and of which revision."""

    __tablename__ = "told"
    __table_args__ = (
        UniqueConstraint("contact_id", "cluster_id", "kind", "occasion"),
        # What may be told again, looked for every minute; and to whom, before a letter tells it.
        *(
            Index(name, of, sqlite_where=text(OFFERED), postgresql_where=text(OFFERED))
            for name, of in (
                ("ix_told_offered", "cluster_id"),
                ("ix_told_offered_to", "contact_id"),
            )
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    cluster_id: Mapped[int] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(20))
    #: "-" for new, the revision for change and cancellation, "{closing}:{n}" for reminder.
    occasion: Mapped[str] = mapped_column(String(50))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), index=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letter.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(20), default=ToldState.RESERVED)
    at: Mapped[datetime]
    #: True once the notice was listed again because its first letter is UNKNOWN.
    relisted: Mapped[bool] = mapped_column(default=False)
    #: Why this contact: [{"sector": "deneigement", "evidence": "« déneigement » dans le titre"}].
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    #: The closing moment that was told; None where the call had none.
    closes_at: Mapped[datetime | None]
    #: Whole days from the relay's acceptance to that moment; None until then, and without one.
    days_left: Mapped[int | None]


class ToldBefore(Base):
    """What a letter told, or may have, of which the ledger's row is another letter's by now.

    So that who was told of a notice is known though it was told again: the letter came back,
    or nobody knows whether it arrived.
    """

    __tablename__ = "told_before"
    __table_args__ = (UniqueConstraint("letter_id", "cluster_id", "kind", "occasion"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letter.id", ondelete="CASCADE"))
    cluster_id: Mapped[int] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(20))
    occasion: Mapped[str] = mapped_column(String(50))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), index=True)
    #: The ToldState that it had when it was taken over.
    state: Mapped[str] = mapped_column(String(20))
    #: When that letter reserved it.
    at: Mapped[datetime]


class Attempt(Base):
    """One transaction with the relay about one letter: where it ended and with which words."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letter.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    #: connect, mail, rcpt, data, body, dot (alerts.delivery.Phase).
    phase: Mapped[str] = mapped_column(String(10))
    #: The outcome, an alerts.delivery.Outcome.
    outcome: Mapped[str] = mapped_column(String(20))
    reply: Mapped[str] = mapped_column(Text)


class Omission(Base):
    """Why a contact was not mailed in an edition, a letter did not leave, or a notice is not in it.

    Without a letter: the contact got none in that edition, said once however many write it.
    """

    __tablename__ = "omission"
    __table_args__ = (
        Index(
            "uq_omission_contact_edition",
            "edition_id",
            "contact_id",
            unique=True,
            sqlite_where=text("letter_id IS NULL"),
            postgresql_where=text("letter_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("edition.id"), index=True)
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letter.id", ondelete="CASCADE"))
    contact_id: Mapped[int] = mapped_column(
        ForeignKey("contact.id", ondelete="CASCADE"), index=True
    )
    why: Mapped[str] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(Text, default="")


class NearMissed(Base):
    """A revision that nearly was for a contact, and what lacked; kept 90 days."""

    __tablename__ = "near_miss"
    __table_args__ = (UniqueConstraint("contact_id", "revision_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    at: Mapped[datetime] = mapped_column(index=True)
    #: The best score a sector had, in [0, 1].
    score: Mapped[float] = mapped_column(Double)
    #: An alerts.matching.Lacked, and what it was: the sector, the excluded word, the place.
    lacked: Mapped[str] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(Text, default="")
