"""The DKIM signature of a message (RFC 6376), where the relay makes none.

It is put before the frozen bytes as they are handed over: what waits is signed by the key of the
day it leaves on, and only who hands over needs the key (docs/decisions/0022).
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from alerts.errors import LetterUnwritable
from base.errors import SettingInvalid

#: What receivers advise; a key that we make ourselves has no reason to be shorter.
LEAST_BITS = 2048
#: Signed where they are there. RFC 8058, 4 asks for both List-Unsubscribe of them; dkimpy would
#: leave List-Unsubscribe-Post out.
SIGNED = (
    *("from", "to", "reply-to", "subject", "date", "message-id"),
    *("mime-version", "content-type", "content-transfer-encoding"),
    *("list-id", "list-help", "list-unsubscribe", "list-unsubscribe-post"),
    *("auto-submitted", "feedback-id"),
)
#: Signed once more than they are there: one that somebody adds breaks the signature.
SEALED = ("from", "to", "subject", "date", "list-unsubscribe", "list-unsubscribe-post")


@dataclass(frozen=True, kw_only=True, slots=True)
class Signer:
    """A key, and the name under which receivers find its public half."""

    #: That of the From header, so that DMARC counts the signature, however strict.
    domain: str
    selector: str
    key: bytes = field(repr=False)
    #: The public half (DER), as the DNS must have it.
    public: bytes = field(repr=False)

    @classmethod
    def of(cls, file: Path, *, selector: str, author: str) -> Self:
        """Read the key that signs for the author's domain.

        Raises:
            SettingInvalid: "key unreadable", "key open" to other users, or "key short".
        """
        key = _read(file)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        domain = author.rpartition("@")[2].lower()
        return cls(domain=domain, selector=selector, key=pem, public=public)

    def signed(self, content: bytes) -> bytes:
        """The message with its signature before it; takes some 10 ms of processor.

        Raises:
            LetterUnwritable: its headers cannot be told apart.
        """
        # Who lets the relay sign is spared its loading.
        import dkim  # noqa: PLC0415

        try:
            message = dkim.DKIM(content)
            there = {name.lower().decode("ascii") for name, _ in message.headers}
            header: bytes = message.sign(
                self.selector.encode("ascii"),
                self.domain.encode("ascii"),
                self.key,
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=[*(name for name in SIGNED if name in there), *SEALED],
            )
        except (dkim.DKIMException, UnicodeError) as error:
            raise LetterUnwritable(f"cannot be signed: {type(error).__name__}") from error
        return header + content


def _read(file: Path) -> RSAPrivateKey:
    try:
        mode, pem = stat.S_IMODE(file.stat().st_mode), file.read_bytes()
        key = load_pem_private_key(pem, None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        # Not what the library says: it may quote what it read.
        raise SettingInvalid("DKIM_KEY_FILE", "key unreadable") from None
    if not isinstance(key, RSAPrivateKey):
        raise SettingInvalid("DKIM_KEY_FILE", "key unreadable")
    if mode & 0o037:
        # Its group may read it: the file is root's where the service must not replace it.
        raise SettingInvalid("DKIM_KEY_FILE", "key open")
    if key.key_size < LEAST_BITS:
        raise SettingInvalid("DKIM_KEY_FILE", "key short")
    return key
