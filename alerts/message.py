"""The bytes of a message: ASCII, CRLF, headers folded here, parts quoted-printable."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from email.header import Header
from functools import lru_cache
from hashlib import sha256

from alerts.errors import LetterUnwritable

#: What a slot's name stands between; `base.text.clean` leaves neither in what was published.
_OPEN, _CLOSE = "\x02", "\x03"
_SLOT = re.compile(f"{_OPEN}([a-z]+){_CLOSE}")
#: Octets of a line of quoted-printable (RFC 2045, 6.7).
_LINE = 76
#: A line break of quoted-printable alone, that no reader sees.
_SOFT = b"=\r\n"
#: A short line of ASCII that is the same quoted: most links.
_ITSELF = re.compile(r"[!-\-/-<>-~][!-<>-~]{0,74}")
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


@lru_cache(maxsize=10_000)
def words(name: str, value: str) -> str:
    """A header of free text as RFC 2047 encoded-words, each line at most 76 characters."""
    encoded = Header(value, "utf-8", maxlinelen=76, header_name=name).encode(linesep="\r\n")
    return f"{name}: {encoded}"


@lru_cache(maxsize=100)
def mailbox(name: str, display: str, addr: str) -> str:
    """A header of one address with its display name, the address on a line of its own."""
    return f"{words(name, display)}\r\n <{address(addr)}>"


def raw(name: str, value: str) -> str:
    """A header that stays literal on its line, as List-* must (RFC 2369, RFC 8058).

    Raises:
        LetterUnwritable: anything but printable ASCII, or a line of more than 998 octets.
    """
    line = f"{name}: {value}"
    if not (line.isascii() and line.isprintable() and len(line) <= 998):
        raise LetterUnwritable(f"{name} cannot stand on one line of ASCII")
    return line


def quoted(text: str) -> bytes:
    """Quoted-printable with CRLF, lines of at most 76 octets, no line that begins with a dot."""
    if _ITSELF.fullmatch(text):
        return text.encode("ascii")
    body = binascii.b2a_qp(text.replace("\r\n", "\n").encode(), istext=True)
    if body.startswith(b".") or b"\n." in body:
        body = re.sub(rb"(?m)^\.+", lambda dots: b"=2E=\n" * len(dots[0]), body)
    return body.replace(b"\n", b"\r\n")


def slot(name: str) -> str:
    """What stands in a text for what only the reader's own letter says there."""
    return f"{_OPEN}{name}{_CLOSE}"


def piece(text: str) -> bytes:
    """The text quoted for the wire, to be filled with `%`: its slots are b"%(name)b".

    It ends where a line ends, softly unless the text ends a line itself, and so does each value
    of a slot (see `ended`): any may follow any other.
    """
    parts = _SLOT.split(text)
    return b"".join(
        b"%%(%b)b" % part.encode("ascii") if place % 2 else ended(part).replace(b"%", b"%%")
        for place, part in enumerate(parts)
    )


def ended(text: str) -> bytes:
    """The text quoted, ending where a line ends."""
    made = quoted(text)
    if not text or text.endswith("\n"):
        return made
    if len(made) - (made.rfind(b"\n") + 1) < _LINE:
        return made + _SOFT
    # No room for the break: what stands last begins a line of its own.
    last = made[-3:] if made[-3:-2] == b"=" else made[-1:]
    return made[: -len(last)] + _SOFT + last.replace(b".", b"=2E") + _SOFT


_PART = (
    '\r\nContent-Type: text/%s; charset="utf-8"\r\n'
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)


def alternative(headers: Sequence[str], *, boundary: str) -> tuple[bytes, bytes, bytes]:
    """What stands before the text, between it and the HTML, and after both, in one message."""
    head = "\r\n".join(
        (
            *headers,
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"',
            "",
        )
    )
    mark = f"\r\n--{boundary}"
    text, html = f"{mark}{_PART % 'plain'}", f"{mark}{_PART % 'html'}"
    return (head + text).encode("ascii"), html.encode("ascii"), f"{mark}--\r\n".encode("ascii")


def digits(key: str) -> str:
    """32 hexadecimal digits that follow from the key and do not show it."""
    return sha256(key.encode()).hexdigest()[:32]
