"""What can go wrong with members and what they asked for.

* SubscriptionError
  + RosterUnreadable    the whole file: a person must look
  + CatalogueInvalid    the sector catalogue: a person must look
  + ContactUnknown      no such contact
  + LinkRefused         a link that was not signed by us, or for another purpose, or too old

What concerns one line of a roster is a `RefusedLine` (subscriptions.roster), not an error.
"""

from __future__ import annotations


class SubscriptionError(Exception):
    """Members, subscriptions or links are not as they must be."""


class RosterUnreadable(SubscriptionError, ValueError):
    """The file is no roster: wrong type, no header, or damaged."""


class CatalogueInvalid(SubscriptionError, ValueError):
    """The sector catalogue cannot be used."""


class ContactUnknown(SubscriptionError, LookupError):
    """No contact answers to that name, number or address."""


class LinkRefused(SubscriptionError):
    """A link that we did not sign for this purpose, or that is too old."""
