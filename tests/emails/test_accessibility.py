"""Letters in a real browser: readable by everybody, in both schemes, on a narrow phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium, needs_chromium, violations
from tests.emails.gallery import LETTERS, html_of

pytestmark = pytest.mark.browser
#: The largest letters differ from these in length only.
SEEN = [name for name in LETTERS if name != "5000-avis"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    needs_chromium()
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SEEN)
def test_axe_finds_nothing_serious_and_nothing_is_fetched(
    browser: Browser, name: str, scheme: str
) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(html_of(name))
    assert violations(page) == []
    assert asked == []
    context.close()


@pytest.mark.parametrize("width", [320, 375, 600, 1200])
@pytest.mark.parametrize("name", ["titres-longs", "tous-les-avis-reels"])
def test_no_width_scrolls_sideways(browser: Browser, name: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.set_content(html_of(name))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_what_axe_would_find_is_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<html><body><p style='color:#ccc;background:#fff'>pâle</p></body></html>")
    found = {rule for rule, _ in violations(page)}
    assert {"color-contrast", "html-has-lang"} <= found
    page.close()
