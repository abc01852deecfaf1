"""Gzip undone piece by piece: the same as at once, however it is cut, and never too much."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from sources.decoding import Gzip

NOISE = random.Random(5).randbytes(3 * 1024 * 1024)  # noqa: S311, noise for a test


def undone(encoded: bytes, size: int) -> bytes:
    decoding = Gzip()
    whole = b"".join(
        piece
        for start in range(0, len(encoded), size)
        for piece in decoding.feed(encoded[start : start + size])
    )
    assert decoding.is_whole
    return whole


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 10**9])
@pytest.mark.parametrize("members", [1, 2, 3])
def test_it_is_the_same_however_it_is_cut(size: int, members: int) -> None:
    parts = [f"avis {n} ".encode() * 50 for n in range(members)]
    assert undone(b"".join(map(gzip.compress, parts)), size) == b"".join(parts)


@pytest.mark.parametrize("data", [NOISE, b"\0" * len(NOISE), NOISE[:-1], b"\0" * (2**20), b""])
def test_nothing_is_left_within_when_a_megabyte_came_out(data: bytes) -> None:
    assert undone(gzip.compress(data), 65536) == data


def test_a_bomb_comes_out_a_megabyte_at_once() -> None:
    pieces = Gzip().feed(gzip.compress(b"\0" * 50_000_000))
    assert max(map(len, pieces)) == 1024 * 1024


@pytest.mark.parametrize("kept", [1, 5, 10, -8, -1])
def test_what_is_cut_short_is_not_whole(kept: int) -> None:
    decoding = Gzip()
    for _ in decoding.feed(gzip.compress(b"avis" * 99)[:kept]):
        pass
    assert not decoding.is_whole


def test_a_second_member_cut_short_is_not_whole() -> None:
    decoding = Gzip()
    for _ in decoding.feed(gzip.compress(b"un") + gzip.compress(b"deux")[:-3]):
        pass
    assert not decoding.is_whole


def test_a_wrong_checksum_is_an_error() -> None:
    encoded = bytearray(gzip.compress(b"avis"))
    encoded[-6] ^= 1
    with pytest.raises(zlib.error):
        list(Gzip().feed(bytes(encoded)))
