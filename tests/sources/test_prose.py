"""HTML made lines of text."""

from __future__ import annotations

import pytest

from sources import prose


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ("<p>Un</p><p>Deux</p>", ["Un", "Deux"]),
        ("<ul><li>Un</li><li>Deux</li></ul>", ["Un", "Deux"]),
        ("Un<br>Deux<br/>Trois", ["Un", "Deux", "Trois"]),
        ("<table><tr><td>Clôture</td><td>11 h</td></tr></table>", ["Clôture", "11 h"]),
        ("Un\nDeux\r\n\r\nTrois", ["Un", "Deux", "Trois"]),
        ("<b>U</b>n <i>mot</i>", ["Un mot"]),
        ("l&#8217;été&nbsp;: 5&nbsp;%", ["l’été\u00a0: 5\u00a0%"]),
        ("&amp;eacute;t&amp;eacute;", ["été"]),
        ("&lt;p&gt;Un&lt;/p&gt;&lt;p&gt;Deux&lt;/p&gt;", ["Un", "Deux"]),
        ("a < b & c > d", ["a < b & c > d"]),
        ("<!-- dit --><p>Un</p>", ["Un"]),
        ("<p>Un", ["Un"]),
        ("Un</p></div>", ["Un"]),
        ("<script>x</script>", []),
        ("", []),
        (None, []),
        (7, []),
        ({"a": 1}, []),
    ],
)
def test_a_block_is_a_line_and_nothing_else_is_left_of_html(
    written: object, lines: list[str]
) -> None:
    assert prose.lines(written) == lines


def test_a_text_on_one_line_is_cut_with_an_ellipsis() -> None:
    assert prose.text("<p>Un</p><p>Deux</p>", 4) == "Un…"
    assert prose.text("<p>Un</p><p>Deux</p>") == "Un Deux"


def test_fifty_million_characters_are_cut_before_they_are_read() -> None:
    assert len(prose.text("x" * 50_000_000)) == 20_000
