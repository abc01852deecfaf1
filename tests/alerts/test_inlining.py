"""Inlining leaves Jinja's tags alone and does what premailer does on a rendered letter."""

from __future__ import annotations

import lxml.html
import pytest

from alerts import templates
from alerts.inlining import inlined
from tests.coop import AT
from tests.emails import oracle
from tests.emails.gallery import CASES, LINKS, SENDER


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


def test_statements_around_the_document_stay_around_it() -> None:
    source = "{% block a %}\n<!DOCTYPE html><html><body><p>x</p></body></html>\n{% endblock %}"
    done = inlined(source)
    assert done.startswith("{% block a %}\n<!DOCTYPE html>")
    assert done.endswith("</html>\n{% endblock %}")


def test_a_sheet_that_is_marked_stays_and_is_not_inlined() -> None:
    done = inlined(
        '<html><head><style data-premailer="ignore">p{color:#111}</style>'
        "<style>p{margin:0}</style></head><body><p>x</p></body></html>"
    )
    assert "<style>p{color:#111}</style>" in done
    assert '<p style="margin:0">x</p>' in done
    assert done.count("<style>") == 1


@pytest.mark.parametrize("name", ["un-avis", "un-peu-de-tout", "titres-hostiles"])
def test_the_inlined_template_rendered_is_the_rendered_letter_inlined(name: str) -> None:
    digest = CASES[name]()
    words = oracle.words(SENDER, digest, LINKS, AT, cards=len(digest.notices), lines=0)
    assert _dom(oracle.html_of(words)) == _dom(oracle.styled(oracle.plain_template().render(words)))


@pytest.mark.parametrize("name", sorted(p.name for p in (templates.ROOT / "emails").iterdir()))
def test_every_template_that_is_inlined_keeps_its_doctype_and_dark_colours(name: str) -> None:
    if name.startswith("_"):
        return
    done = inlined(templates.source(f"emails/{name}/body.html"))
    assert done.lstrip().removeprefix("{% block top %}").lstrip().startswith("<!DOCTYPE html>")
    assert "@media (prefers-color-scheme: dark)" in done
    assert '<div class="page" lang="fr-CA" dir="ltr" style=' in done


def _dom(html: str) -> list[tuple[str, dict[str, str], str, str]]:
    root = lxml.html.document_fromstring(html)
    return [
        (str(e.tag), dict(e.attrib), (e.text or "").strip(), (e.tail or "").strip())
        for e in root.iter()
    ]
