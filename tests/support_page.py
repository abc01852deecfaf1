"""docs/support-tasks.md read: what is typed, and what should be answered."""

from __future__ import annotations

import re
from collections.abc import Iterator

from base.database import ROOT

PAGE = (ROOT / "docs" / "support-tasks.md").read_text("utf-8")
_BLOCK = re.compile(r"(?ms)^```console\n(.*?)^```$")
_TYPED = re.compile(r"(?m)^\$ ")


def examples(page: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of the page's console blocks, and the lines that it should answer."""
    for block in _BLOCK.findall(page):
        for part in _TYPED.split(block)[1:]:
            command, *lines = part.splitlines()
            yield command, [line for line in lines if line.strip()]
