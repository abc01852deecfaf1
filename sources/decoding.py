"""An answer's content encoding undone piece by piece, and whether all of it came. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

#: Bytes that come out at once: a bomb gives a thousand times what goes in.
_AT_ONCE = 1024 * 1024
_GZIP = b"\x1f\x8b"


class Decoding(Protocol):
    """What undoes an encoding."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What the next piece of the answer says. Raises zlib.error where it is damaged."""

    @property
    def is_whole(self) -> bool:
        """Whether what came so far ends where it may end."""


class Identity:
    """No encoding: what its end is, the length that was announced says."""

    is_whole = True

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The piece itself."""
        yield piece


class Gzip:
    """One member of gzip after the other (RFC 1952); what follows the last is dropped."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._started = False
        self._held = b""

    @property
    def is_whole(self) -> bool:
        """Whether the last member came to its end and its checksum is right."""
        return self._member.eof or not self._started

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """At most a megabyte at once, so that the caller can stop. Raises zlib.error."""
        piece, self._held = self._held + piece, b""
        while piece:
            if self._member.eof and not self._begins(piece):
                return
            self._started = True
            yield self._member.decompress(piece, _AT_ONCE)
            piece = self._member.unconsumed_tail or self._member.unused_data

    def _begins(self, piece: bytes) -> bool:
        """Whether another member begins; a first byte alone is held until the second comes."""
        if piece == _GZIP[:1]:
            self._held = piece
        elif piece.startswith(_GZIP):
            self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            return True
        return False
