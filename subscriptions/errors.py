"""What can go wrong with members and what they asked for.

* SubscriptionError
  + RosterUnreadable    the whole file: a person must look
  + CatalogueInvalid    the sector catalogue: a person must look
  + ContactUnknown      no such contact, or several
  + MemberUnknown       no such enterprise, or several
  + ChangeRefused       what staff ask contradicts what is known
  + AddressRefused      no address that can be written to
  + Overtaken           another transaction changed the same rows: look again
  + LinkRefused         a link that was not signed by us, or for another purpose, or too old

What concerns one line of a roster is a `RefusedLine` (subscriptions.roster), not an error.
"""

from __future__ import annotations

from base.spreadsheet import SpreadsheetUnreadable


class SubscriptionError(Exception):
    """Members, subscriptions or links are not as they must be."""


class RosterUnreadable(SubscriptionError, SpreadsheetUnreadable):
    """The file is no roster: wrong type, no header, or damaged."""


class AddressRefused(SubscriptionError, ValueError):
    """No address that can be written to; `reason` is a subscriptions.addresses.Fault."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class CatalogueInvalid(SubscriptionError, ValueError):
    """The sector catalogue cannot be used."""


class ContactUnknown(SubscriptionError, LookupError):
    """No contact, or more than one, answers to that name, number or address."""

    def __init__(self, key: str, found: tuple[str, ...] = ()) -> None:
        self.key = key
        #: The contacts that answer to it, where there are several.
        self.found = found
        super().__init__(f"{key}: {', '.join(found) or 'none'}")


class Overtaken(SubscriptionError):
    """What was to be changed is no longer what was looked at; nothing of it was done."""


class MemberUnknown(SubscriptionError, LookupError):
    """No enterprise, or more than one, answers to that name or number."""

    def __init__(self, key: str, found: tuple[str, ...] = ()) -> None:
        self.key = key
        #: The enterprises that answer to it, where there are several.
        self.found = found
        super().__init__(f"{key}: {', '.join(found) or 'none'}")


class ChangeRefused(SubscriptionError):
    """What staff ask contradicts what is known; `reason` is a subscriptions.editing.Refusal."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class LinkRefused(SubscriptionError):
    """A link that we did not sign for this purpose, or that is too old."""
