"""Every French template keeps the typography of Québec."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

EMAILS = Path(__file__).parent.parent / "templates" / "emails"
WRITTEN = sorted(path for path in EMAILS.rglob("*") if path.suffix in {".txt", ".html"})


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(EMAILS)))
def test_a_template_is_in_quebec_typography(path: Path) -> None:
    copy = path.read_text("utf-8")
    prose = re.sub(r"<!--.*?-->|<style>.*?</style>|<[^>]*>", " ", copy, flags=re.DOTALL)
    assert not re.search(r"\w'\w", prose), "a straight apostrophe"
    assert not re.search(r"[ \u00a0][;!?](?!=)", prose), "a space before ; ! ?"
    assert not re.search(r"\w ?: ", prose), "no no-break space before a colon"
    assert not re.search(r"« | »", prose), "an ordinary space inside guillemets"
    assert not re.search(r"(?i)\be-?mail\b|\bmail\b", re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", prose))
