"""The bytes of a message: ASCII, CRLF, headers folded here, parts quoted-printable."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from email.header import Header
from hashlib import sha256

from alerts.errors import LetterUnwritable

_ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]+@[A-Za-z0-9.-]+")


def address(value: str) -> str:
    """The address as it is, where it may stand in a header.

    Raises:
        LetterUnwritable: line ends, brackets, blanks or anything beyond ASCII.
    """
    if len(value) > 254 or not _ADDRESS.fullmatch(value):
        # Not the value: it would be in a log.
        raise LetterUnwritable("not an address for a header")
    return value


def words(name: str, value: str) -> str:
    """A header of free text as RFC 2047 encoded-words, each line at most 76 characters."""
    encoded = Header(value, "utf-8", maxlinelen=76, header_name=name).encode(linesep="\r\n")
    return f"{name}: {encoded}"


def mailbox(name: str, display: str, addr: str) -> str:
    """A header of one address with its display name, the address on a line of its own."""
    return f"{words(name, display)}\r\n <{address(addr)}>"


def raw(name: str, value: str) -> str:
    """A header that stays literal on its line, as List-* must (RFC 2369, RFC 8058).

    Raises:
        LetterUnwritable: anything but printable ASCII, or a line of more than 998 octets.
    """
    line = f"{name}: {value}"
    if not re.fullmatch(r"[ -~]{1,998}", line):
        raise LetterUnwritable(f"{name} cannot stand on one line of ASCII")
    return line


def quoted(text: str) -> bytes:
    """Quoted-printable with CRLF, lines of at most 76 octets, no line that begins with a dot."""
    body = binascii.b2a_qp(text.replace("\r\n", "\n").encode(), istext=True)
    return re.sub(rb"(?m)^\.", b"=2E", body).replace(b"\n", b"\r\n")


def alternative(headers: Sequence[str], text: str, html: str, *, boundary: str) -> bytes:
    """A multipart/alternative message, the text first."""
    top = [*headers, "MIME-Version: 1.0"]
    top.append(f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"')
    parts = ["\r\n".join(top).encode("ascii"), b"\r\n"]
    for subtype, body in (("plain", text), ("html", html)):
        parts.append(
            f'\r\n--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode("ascii")
        )
        parts.append(quoted(body))
    parts.append(f"\r\n--{boundary}--\r\n".encode("ascii"))
    return b"".join(parts)


def digits(key: str) -> str:
    """32 hexadecimal digits that follow from the key and do not show it."""
    return sha256(key.encode()).hexdigest()[:32]
