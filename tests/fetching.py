"""Asking a local server as the service asks its sources."""

from __future__ import annotations

from typing import Any

import pytest

from sources import fetch
from sources.errors import SourceMalformed
from sources.fetch import Fetched, Limits, Unchanged
from sources.reasons import Reason, parted

QUICK = Limits(connect=0.5, read=0.5, total=2)


def get(url: str, *, limits: Limits = QUICK, **options: Any) -> Fetched | Unchanged:
    return fetch.get("source", url, limits=limits, loopback=True, **options)


def body(answer: Fetched | Unchanged) -> bytes:
    assert isinstance(answer, Fetched)
    with answer.file:
        return answer.file.read()


def refusal(url: str, *, loopback: bool = False, limits: Limits = QUICK) -> Reason | None:
    """Why an address or its answer is refused."""
    with pytest.raises(SourceMalformed) as refused:
        fetch.get("source", url, limits=limits, loopback=loopback)
    return parted(refused.value.reason)[0]
