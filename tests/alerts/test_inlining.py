"""Inlining leaves Jinja's tags alone and does what premailer does on a rendered letter."""

from __future__ import annotations

import pytest

from alerts.inlining import inlined


def test_tags_stay_where_they_are_once_each() -> None:
    source = (
        "<!DOCTYPE html><html><head><style>td{color:#111}</style></head><body><table>"
        '{% for a in b %}<tr><td><a href="{{ a.u }}">{{ a.t }}</a></td></tr>{% endfor %}'
        "</table></body></html>"
    )
    done = inlined(source)
    assert done.startswith("<!DOCTYPE html>")
    assert "<table>{% for a in b %}<tr>" in done
    assert 'href="{{ a.u }}"' in done
    assert 'style="color:#111"' in done


def test_a_tag_in_the_markup_of_an_element_is_refused() -> None:
    with pytest.raises(ValueError, match="markup of an element"):
        inlined("<html><body><p {% if a %}hidden{% endif %}>x</p></body></html>")
