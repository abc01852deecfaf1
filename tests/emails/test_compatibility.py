"""Letters use only what mail clients support, but for a written list of graces."""

from __future__ import annotations

import pytest

from tests.emails.compat import unsupported, used
from tests.emails.gallery import LETTERS, html_of

#: Feature -> the clients where it may be missing. Nothing is lost there but what the comment says.
ALLOWED = {
    # Dark colours: without them the light letter shows, and its colours survive an inversion.
    "@media (prefers-color-scheme)": {"gmail", "outlook windows", "thunderbird macos", "yahoo"},
    "@media": {"gmail mobile-webmail", "outlook windows", "thunderbird macos"},
    "color-scheme meta tag": {"apple-mail ios", "gmail", "outlook", "yahoo"},
    # The style sheet holds the dark colours, and what a letter is readable without: margins,
    # the links' own colour. All else is inlined, and test_accessibility reads one without it.
    "<style> element": {"gmail mobile-webmail"},
    "Class selector": {"gmail mobile-webmail"},
    "Type selector": {"gmail mobile-webmail"},
    "Descendant combinator": {"gmail mobile-webmail"},
    # These put their own around the letter; its outermost div repeats lang, dir and colours.
    "<body> element": {"outlook macos", "yahoo android", "yahoo ios"},
    "HTML5 doctype": {"outlook windows", "thunderbird macos", "yahoo android"},
    # A table of 600 pixels stands around the letter for Outlook on Windows alone.
    "max-width": {"outlook windows"},
    # Long words are broken by one or the other.
    "word-break": {"yahoo"},
    "word-wrap": {"outlook"},
}


def _allowed(feature: str, client: str) -> bool:
    return any(client == one or client.startswith(f"{one} ") for one in ALLOWED.get(feature, ()))


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_uses_nothing_that_a_client_lacks(name: str) -> None:
    lacking = unsupported(used(html_of(name)))
    assert [one for one in sorted(lacking) if not _allowed(*one)] == []


def test_every_grace_is_needed() -> None:
    lacking = {one for name in LETTERS for one in unsupported(used(html_of(name)))}
    assert ALLOWED.keys() == {feature for feature, _ in lacking}


def test_what_clients_lack_is_seen() -> None:
    seen = used(
        '<!DOCTYPE html><div style="display:flex; gap: 4px; --x: 1; background: var(--x)">'
        "<svg></svg><style>@media (hover) { a:hover { color: red } }</style></div>"
    )
    assert {"display:flex", "gap, column-gap, row-gap", "Embedded <svg> image", ":hover"} <= seen
    assert ("display:flex", "outlook windows") in unsupported(seen)
    assert ("Embedded <svg> image", "gmail desktop-webmail") in unsupported(seen)
