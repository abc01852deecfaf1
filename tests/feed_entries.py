"""One entry of a made feed, read."""

from __future__ import annotations

from datetime import UTC, datetime

from sources import feed
from sources.release import Fault, PassedOver, Release
from tests.wordpress import Post, rss

TEN = datetime(2025, 10, 2, 14, tzinfo=UTC)


def read_one(post: Post, **channel: str) -> Release | Fault | PassedOver:
    (result,) = feed.read(rss([post], **channel))
    return result


def read_call(post: Post, **channel: str) -> Release:
    result = read_one(post, **channel)
    assert isinstance(result, Release), result
    return result
