"""The links in each letter: signed, short, and without personal data.

Token: contact (8 bytes), link version (2), day issued (2), then HMAC-SHA-256 cut to 16 bytes
(RFC 2104, section 5, allows half); in base64url. The format must live: a link to leave works as
long as its key is kept (S.C. 2010, c. 23, s. 11(2) asks for 60 days; we keep keys 400).
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.signer import SigningAlgorithm

from base.clock import quebec_day
from subscriptions.errors import LinkRefused

EPOCH = date(2020, 1, 1)
#: How long a link to change preferences works, in days.
CHANGE_DAYS = 30
_PAYLOAD = struct.Struct(">8sHH")
_SIGNATURE = 16
#: Base64url of the payload, the separator, base64url of the signature.
_LENGTH = 16 + 1 + 22


class Purpose(StrEnum):
    """What a link may do; also its path. A token of one purpose never serves another."""

    LEAVE = "d"
    CHANGE = "p"
    #: These three are of an event, not of a contact; the event's row says until when.
    UNDO = "u"
    MOVE = "a"
    CONFIRM = "c"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link says: whose it is, of which version, and the day in Québec it was made."""

    public_id: str
    version: int
    issued_on: date


class _ShortHmac(SigningAlgorithm):
    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha256")[:_SIGNATURE]


@dataclass(frozen=True)
class Links:
    """Makes and reads links; `keys` oldest first: the last one signs, all verify."""

    keys: Sequence[str] = field(repr=False)
    public_url: str

    def leave(self, public_id: str, version: int, at: datetime) -> str:
        """The link that unsubscribes; it never expires."""
        return self._url(Purpose.LEAVE, public_id, version, at)

    def change(self, public_id: str, version: int, at: datetime) -> str:
        """The link to the preferences, for `CHANGE_DAYS` or until the version rises."""
        return self._url(Purpose.CHANGE, public_id, version, at)

    def event(self, purpose: Purpose, public_id: str, at: datetime) -> str:
        """The link that undoes or confirms an event (subscriptions.events), by its public id."""
        return self._url(purpose, public_id, 0, at)

    def read(
        self, purpose: Purpose, token: object, at: datetime, *, expired: bool = False
    ) -> Ticket:
        """What `token` says; the version of a link to change is the caller's to compare.

        `expired` reads one that is too old as well: it still says where a fresh one may go.

        Raises:
            LinkRefused: whatever is wrong, for any input.
        """
        if not isinstance(token, str) or len(token) != _LENGTH or not token.isascii():
            raise LinkRefused("no token")
        try:
            payload = base64_decode(self._signer(purpose).unsign(token))
            public_id, version, days = _PAYLOAD.unpack(payload)
        except (BadData, struct.error) as error:
            raise LinkRefused("not signed by us for this") from error
        ticket = Ticket(public_id.hex(), version, EPOCH + timedelta(days=days))
        if not _canonical(token, payload):
            raise LinkRefused("another spelling")
        age = quebec_day(at) - ticket.issued_on
        if purpose is Purpose.CHANGE and not expired and age > timedelta(days=CHANGE_DAYS):
            raise LinkRefused("too old")
        return ticket

    def seal(self, token: str) -> str:
        """A value for the form that `token` opened: who only knows an address cannot post it."""
        return self._signer("form").get_signature(token).decode("ascii")

    def sealed(self, token: str, seal: str) -> bool:
        """Whether `seal` is of this token's form; any text is answered."""
        return seal.isascii() and self._signer("form").verify_signature(token, seal)

    def _url(self, purpose: Purpose, public_id: str, version: int, at: datetime) -> str:
        days = (quebec_day(at) - EPOCH).days
        payload = _PAYLOAD.pack(bytes.fromhex(public_id), version, days)
        token = self._signer(purpose).sign(base64_encode(payload)).decode("ascii")
        return f"{self.public_url}/{purpose}/{token}"

    def _signer(self, purpose: str) -> Signer:
        return _signer(tuple(self.keys), purpose)


@lru_cache(maxsize=100)
def _signer(keys: tuple[str, ...], purpose: str) -> Signer:
    """Its keys are derived here, once, as itsdangerous does by "hmac" at each signature."""
    salt = f"alertes.link.{purpose}".encode()
    derived = [hmac.digest(key.encode(), salt, "sha256") for key in keys]
    return Signer(derived, key_derivation="none", algorithm=_ShortHmac())


def _canonical(token: str, payload: bytes) -> bool:
    """Whether each part is in its one canonical base64url: spare bits zero, no padding."""
    signed, _, signature = token.rpartition(".")
    canonical = base64_encode(base64_decode(signature)).decode("ascii")
    return signed == base64_encode(payload).decode("ascii") and signature == canonical
