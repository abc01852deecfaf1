"""Addresses as they are stored and compared: one mailbox, one spelling."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from email_validator import EmailNotValidError, EmailSyntaxError, validate_email

from base.text import clean
from subscriptions.errors import AddressRefused

#: Letters that a Québec domain name may hold besides ASCII; all others could be look-alikes.
_FRENCH = frozenset("àâäæçéèêëîïôöœùûüÿ")
#: Mailboxes that RFC 2142 keeps for complaints about mail, and those that nobody reads.
_NO_READER = frozenset({"abuse", "postmaster", "mailer-daemon", "noreply", "no-reply"})
#: RFC 5321, 4.5.3.1.3: a path has 256 octets, its two brackets included.
LONGEST = 254


class Fault(StrEnum):
    """Why an address is refused."""

    MALFORMED = "malformed"
    #: Letters outside ASCII before the @ need SMTPUTF8 (RFC 6531), which few relays have.
    NOT_ASCII = "not ascii"
    #: A letter of another alphabet that looks like one of ours.
    LOOK_ALIKE = "look-alike"
    #: "abuse@", "noreply@": no member reads there.
    NO_READER = "no reader"
    TOO_LONG = "too long"


def normalised(value: str) -> str:
    """The address in lower case, its domain as A-label; unseen characters and blanks dropped.

    The local part is compared without case, though RFC 5321 lets a host tell cases apart:
    none that members use does, and «Anne@» and «anne@» must not both be written to.

    Raises:
        AddressRefused: with a Fault and what was found.
    """
    text = clean(value).strip("\u00a0 ").lower()
    local, _, domain = text.rpartition("@")
    strange = [c for c in text if not c.isascii() and c not in _FRENCH]
    if strange:
        raise AddressRefused(Fault.LOOK_ALIKE, _named(strange[0]))
    if not local.isascii():
        raise AddressRefused(Fault.NOT_ASCII, "".join(c for c in local if not c.isascii()))
    if len(text) > LONGEST:
        raise AddressRefused(Fault.TOO_LONG, str(LONGEST))
    if local in _NO_READER:
        raise AddressRefused(Fault.NO_READER, f"{local}@")
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except (EmailSyntaxError, EmailNotValidError) as error:
        raise AddressRefused(Fault.MALFORMED, text[:80]) from error
    # ascii_email is None only where SMTPUTF8 is allowed.
    return (found.ascii_email or f"{local}@{domain}").lower()


def _named(character: str) -> str:
    """«е (CYRILLIC SMALL LETTER IE)»."""
    return f"{character} ({unicodedata.name(character, f'U+{ord(character):04X}')})"
