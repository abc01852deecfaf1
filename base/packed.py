"""Octets kept compressed in the database: a letter is much the same line again and again.

Measured on letters of 20 notices (benchmarks/handing.py): a sixth of the octets, for less time
than the database takes to write the other five.
"""

from __future__ import annotations

import threading

import zstandard
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

#: The level above which it takes more time than it spares.
_LEVEL = 1


class _OfThread(threading.local):
    """What compresses and what takes apart: dear to make, and one thread's at a time."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_OURS = _OfThread()


class Packed(TypeDecorator[bytes]):
    """Octets, compressed in the column (RFC 8878); what was written plain is read as it is."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(
        self,
        value: bytes | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> bytes | None:
        return None if value is None else _OURS.compress(value)

    def process_result_value(
        self,
        value: bytes | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> bytes | None:
        return None if value is None else unpacked(value)


def unpacked(value: bytes) -> bytes:
    """The octets that stand for themselves, or that were compressed."""
    packed = value.startswith(zstandard.FRAME_HEADER)
    return _OURS.decompress(value) if packed else value
