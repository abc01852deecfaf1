"""A message from outside, read within limits: whatever it holds, it is read or given up.

Headers come as the old policy of `email` gives them, because the new one raises on some
malformed headers only when they are looked at.
"""

from __future__ import annotations

import base64
import binascii
import quopri
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from base.text import clean

#: Octets that are read, levels of parts, parts, and octets of one text.
LARGEST, DEEPEST, MOST_PARTS, LONGEST_TEXT = 262_144, 10, 50, 65_536


def read(content: bytes) -> Message | None:
    """The message in the first `LARGEST` octets; None where it is nested beyond reason."""
    head = content[:LARGEST]
    lowered = head.lower()
    if lowered.count(b"message/rfc822") > DEEPEST or lowered.count(b"boundary") > MOST_PARTS:
        return None
    try:
        return message_from_bytes(head)
    except RecursionError:
        return None


def parts(message: Message) -> Iterator[Message]:
    """The message's own parts, in order; a message that it carries is one part, not opened."""
    waiting = [(message, 0)]
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        part, depth = waiting.pop(0)
        yield part
        inner = part.get_payload()
        opened = part.get_content_maintype() == "multipart" and depth < DEEPEST
        if opened and isinstance(inner, list):
            waiting[:0] = [(one, depth + 1) for one in inner if isinstance(one, Message)]


def header(message: Message, name: str) -> str:
    """All headers of that name, decoded, one line; "" where there is none."""
    wanted = name.lower()
    found = (str(value) for key, value in message.raw_items() if key.lower() == wanted)
    return clean(" ".join(_decoded(value) for value in found))[:2000]


def text(part: Message) -> str:
    """A part's text whatever its charset; what cannot be decoded is replaced."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    octets = payload[:LONGEST_TEXT]
    try:
        return octets.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")


def groups(part: Message) -> list[Message]:
    """The groups of fields of a message/delivery-status or message/feedback-report part."""
    inner = part.get_payload()
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if isinstance(inner, str):
        octets = inner.encode("utf-8", "surrogateescape")
    else:
        octets = b"\n\n".join(_raw(one) for one in inner if isinstance(one, Message))
    if encoding in {"base64", "quoted-printable"}:
        octets = _transferred(octets, encoding)
    blocks = octets.replace(b"\r\n", b"\n").strip(b"\n").split(b"\n\n")
    return [message_from_bytes(block.lstrip(b"\n")) for block in blocks[:MOST_PARTS]]


def _raw(group: Message) -> bytes:
    """Its fields and what follows as they came; writing a malformed message out may raise."""
    rest = group.get_payload()
    lines = [f"{name}: {value}" for name, value in group.raw_items()]
    text = "\n".join([*lines, "", rest if isinstance(rest, str) else ""])
    return text.encode("utf-8", "surrogateescape").strip(b"\n")


def _transferred(octets: bytes, encoding: str) -> bytes:
    """RFC 3464 forbids encoding these parts; some hosts do it all the same."""
    try:
        return base64.b64decode(octets) if encoding == "base64" else quopri.decodestring(octets)
    except binascii.Error:
        return octets


def _decoded(value: str) -> str:
    """Encoded-words, and octets that stand there bare, which are UTF-8 or Latin."""
    octets = value.encode("utf-8", "surrogateescape")
    try:
        value = octets.decode("utf-8")
    except UnicodeDecodeError:
        value = octets.decode("cp1252", "replace")
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError, TypeError):
        return value
