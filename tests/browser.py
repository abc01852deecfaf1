"""Debian's Chromium for tests, and axe-core within it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser without network services of its own."""
    with sync_playwright() as play:
        path = str(CHROMIUM)
        opened = play.chromium.launch(executable_path=path, chromium_sandbox=False, args=ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


def needs_chromium() -> None:
    """Skip a test loudly where there is no browser; fail it where skips are forbidden."""
    if not CHROMIUM.exists():
        if os.environ.get("FORBID_SKIPS") == "1":
            pytest.fail(f"no browser at {CHROMIUM}, and skips are forbidden")
        pytest.skip(f"NO BROWSER at {CHROMIUM}: nothing was tried in one")


def violations(page: Page) -> list[tuple[str, str]]:
    """What axe finds serious or critical on the page: rule and element."""
    page.evaluate(AXE.read_text("utf-8"))
    report: dict[str, Any] = page.evaluate("() => axe.run()")
    return [
        (found["id"], node["html"][:120])
        for found in report["violations"]
        if found["impact"] in {"serious", "critical"}
        for node in found["nodes"]
    ]
