"""What can go wrong between a tender and a mailbox.

* AlertError
  + LetterUnwritable    one letter cannot be composed: quarantined, a person must look
  + RelayUnreachable    no connection, or the relay is not ready: try again later
  + RelayMisconfigured  certificate, STARTTLS, AUTH or sender refused: a person must look
  + MailboxUnreadable   the bounce mailbox cannot be opened: a person must look

What the relay answers about one letter is a `Receipt` (alerts.delivery), not an error.
"""

from __future__ import annotations


class AlertError(Exception):
    """A letter could not be written or handed over."""


class LetterUnwritable(AlertError, ValueError):
    """One letter cannot be composed; the others go on."""


class RelayUnreachable(AlertError, ConnectionError):
    """The relay cannot be reached or asks to come back later; no letter is concerned."""


class RelayMisconfigured(AlertError):
    """The relay refuses us whatever the letter, or cannot be trusted."""


class MailboxUnreadable(AlertError):
    """The mailbox of what comes back is absent, refuses us, or cannot be trusted."""
