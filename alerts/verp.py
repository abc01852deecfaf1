"""The envelope's sender as a signed tag (VERP), so that what comes back names its letter.

    retours+{letter}-{signature}@exemple.quebec

The letter is its id in base 36; the signature is HMAC-SHA-256 over its Message-ID, cut to 16
octets (RFC 2104, section 5), in base32 and lower case: some hosts change the case of a local
part. It covers the Message-ID, so that an id used again in a restored database proves nothing.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAG = re.compile(r"(?<![0-9a-z])([0-9a-z]{1,6})-([a-z2-7]{26})(?![0-9a-z])")
#: Ids are 32-bit integers.
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Tag:
    """What a return path says; nothing is proven until `Verp.vouches`."""

    letter_id: int
    signature: str


@dataclass(frozen=True)
class Verp:
    """Makes and proves tags; `keys` oldest first: the last one signs, all verify."""

    keys: Sequence[str] = field(repr=False)
    #: BOUNCE_EMAIL.
    address: str

    def tag(self, letter_id: int, message_id: str) -> str:
        """The signed tag of one letter; the same for each attempt at it."""
        return f"{_base36(letter_id)}-{_signature(self.keys[-1], message_id)}"

    def sender(self, letter_id: int, message_id: str) -> str:
        """The envelope's sender of one letter."""
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{self.tag(letter_id, message_id)}@{domain}"

    def vouches(self, tag: Tag, message_id: str) -> bool:
        """Whether we signed that tag for the letter of that Message-ID."""
        given = tag.signature.encode()
        return any(
            hmac.compare_digest(_signature(key, message_id).encode(), given) for key in self.keys
        )


def find(text: str) -> Iterator[Tag]:
    """What looks like a tag in any text, in order."""
    for letter, signature in _TAG.findall(text.lower()):
        if (letter_id := int(letter, 36)) <= _LARGEST:
            yield Tag(letter_id, signature)


def _signature(key: str, message_id: str) -> str:
    purpose = hmac.digest(key.encode(), b"alertes.return", "sha256")
    digest = hmac.digest(purpose, message_id.encode(), "sha256")[:16]
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits
