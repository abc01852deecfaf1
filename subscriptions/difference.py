"""What a roster would change in what is known: shown first, applied when staff say so (values).

What is not in the roster is not touched. A contact that left stays gone, whatever the roster
says (requirement L-12), and what a member chose itself, or had changed by telephone, stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from subscriptions.roster import RefusedLine
from subscriptions.stretches import Stretch
from subscriptions.tables import Basis, Origin
from subscriptions.wishes import Wishes

#: The share of the active enterprises that an import may end without being asked once more.
MOST_ENDED = 0.1

Value = str | date | tuple[str, ...] | None


class Kind(StrEnum):
    """What happens to an enterprise or a contact."""

    ADDED = "added"
    CHANGED = "changed"
    #: Its membership held, and no longer does.
    ENDED = "ended"
    #: A member, or a contact of one, before, and again.
    RETURNING = "returning"


class Field(StrEnum):
    """What can differ."""

    NAME = "name"
    TELEPHONE = "telephone"
    STARTS = "starts"
    ENDS = "ends"
    CONTACT = "contact"
    ADDRESS = "address"
    SECTORS = "sectors"
    FREQUENCY = "frequency"
    TERRITORY = "territory"
    CONSENT = "consent"


class Notice(StrEnum):
    """What staff should know of a line that is taken all the same."""

    #: No basis of consent: nothing is mailed to the contact.
    NO_CONSENT = "no consent"
    #: The contact unsubscribed; its subscription and consent are not touched.
    HAS_LEFT = "has left"
    #: The subscription was chosen by the member, or changed by staff at its word.
    WISHES_KEPT = "wishes kept"
    #: "Active", but the last day of the membership has passed.
    ACTIVE_BUT_ENDED = "active but ended"
    #: Not active, though the last day is to come: ended now.
    ENDED_EARLY = "ended early"
    #: A new address that is nearly another one, or nearly one of a great host.
    LOOKS_LIKE = "looks like"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value, before and after."""

    field: Field
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Remark:
    """A Notice about one line."""

    line: int
    notice: Notice
    #: The contact's address or the enterprise.
    about: str
    #: LOOKS_LIKE: the other address.
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NewConsent:
    """A consent to record; `starts_on` is None for the moment of the import."""

    basis: Basis
    evidence: str
    starts_on: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberChange:
    """An enterprise and its membership as they are to be."""

    line: int
    kind: Kind
    key: str
    #: None for a new one.
    member_id: int | None
    name: str
    telephone: str
    #: Those that are new or changed.
    stretches: tuple[Stretch, ...]
    #: The standing as the roster writes it.
    status: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactChange:
    """A contact, its subscription and its consent as they are to be."""

    line: int
    kind: Kind
    #: The enterprise's.
    key: str
    enterprise: str
    #: None for a new one.
    contact_id: int | None
    address: str
    name: str
    #: None: the subscription stays as it is.
    wishes: Wishes | None
    #: Whether `wishes` begins a subscription, or changes the living one.
    subscribes: bool
    consent: NewConsent | None
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """All that an import does, in the order of the lines."""

    members: tuple[MemberChange, ...]
    contacts: tuple[ContactChange, ...]
    refused: tuple[RefusedLine, ...]
    remarks: tuple[Remark, ...]
    #: Lines that change nothing.
    unchanged: int
    #: Enterprises that are known and not in the roster: not touched.
    absent: tuple[str, ...]
    unknown_headings: tuple[str, ...]
    #: Enterprises whose membership holds before the import.
    active: int

    @property
    def is_empty(self) -> bool:
        """Whether applying it would change nothing."""
        return not (self.members or self.contacts)

    @property
    def ended(self) -> int:
        """Enterprises whose membership ends."""
        return sum(m.kind is Kind.ENDED for m in self.members)

    @property
    def ends_many(self) -> bool:
        """Whether it ends more than a roster does by habit: a wrong column may be to blame."""
        return self.ended > 1 and self.ended > self.active * MOST_ENDED


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownMember:
    """An enterprise as it is."""

    id: int
    name: str
    telephone: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownContact:
    """A contact as it is."""

    id: int
    #: The enterprise's.
    key: str
    enterprise: str
    name: str
    #: None where no subscription lives.
    wishes: Wishes | None
    #: The latest, live or ended.
    last_wishes: Wishes | None
    origin: Origin | None
    #: Basis, evidence and first moment of every consent that is not over, the first begun first.
    consents: tuple[tuple[str, str, datetime], ...]
    #: Whether one of them holds now.
    may_be_written_to: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What a roster is compared with."""

    #: By key.
    members: Mapping[str, KnownMember]
    #: Live contacts by address.
    contacts: Mapping[str, KnownContact]
    #: Contacts that were removed, the latest of each, by enterprise and address.
    gone: Mapping[tuple[str, str], KnownContact]
    #: Addresses whose reader unsubscribed, contacts that are gone included.
    left: frozenset[str]
    #: By enterprise and address of a contact that was merged: the kept one's address.
    merged: Mapping[tuple[str, str], str]
