"""Letters in a real browser: readable by everybody, in both schemes, on a narrow phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import chromium, needs_chromium, violations
from tests.emails.gallery import LETTERS, SHAPES, html_of

pytestmark = pytest.mark.browser

#: For each element with a text of its own: the contrast of its colour with what is behind it.
CONTRASTS = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parts(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const own = element => [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  return [...document.body.querySelectorAll('*')].filter(own).map(element => {
    const [a, b] = [parts(getComputedStyle(element).color), behind(element)].map(light);
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.outerHTML.slice(0, 90)];
  });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    needs_chromium()
    with chromium() as opened:
        yield opened


def _pale(page: Page) -> list[tuple[float, str]]:
    found = page.evaluate(CONTRASTS)
    assert found
    return [(ratio, element) for ratio, element in found if ratio < 4.5]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SHAPES)
def test_axe_finds_nothing_serious_and_nothing_is_fetched(
    browser: Browser, name: str, scheme: str
) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(html_of(name))
    assert violations(page) == []
    assert asked == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(browser: Browser, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(html_of("un-peu-de-tout"))
    assert _pale(page) == []
    page.close()


def test_a_letter_without_its_style_sheet_is_still_readable(browser: Browser) -> None:
    """As Gmail's web page on a phone shows it: what is inlined, and the client's own links."""
    page = browser.new_page()
    page.set_content(re.sub(r"<style>.*?</style>", "", html_of("un-peu-de-tout"), flags=re.DOTALL))
    assert _pale(page) == []
    page.close()


@pytest.mark.parametrize("width", [320, 375, 600, 1200])
def test_no_width_scrolls_sideways(browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    for name in LETTERS:
        if name not in {"45-avis", "5000-avis"}:
            page.set_content(html_of(name))
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.close()


def test_headings_descend_one_level_at_a_time(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(html_of("un-peu-de-tout"))
    levels: list[int] = page.evaluate(
        "() => [...document.querySelectorAll('h1,h2,h3,h4')].map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    page.close()


def test_what_axe_would_find_is_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<html><body><p style='color:#ccc;background:#fff'>pâle</p></body></html>")
    found = {rule for rule, _ in violations(page)}
    assert {"color-contrast", "html-has-lang"} <= found
    assert [round(ratio, 1) for ratio, _ in _pale(page)] == [1.6]
    page.close()
