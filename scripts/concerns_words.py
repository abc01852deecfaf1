"""The French of what a person must look at: one sentence a cause, with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Each cause's sentence; names in braces are members of its detail.
SENTENCES: dict[str, str] = {}


def sentence(cause: str, detail: Mapping[str, Any]) -> str:
    """What it is and what to do, in one or two sentences."""
    words = SENTENCES.get(cause)
    if words is None:
        return f"{cause} {dict(detail)}"
    return words.format_map(detail)
