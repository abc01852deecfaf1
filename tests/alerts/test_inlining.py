"""Inlining leaves Jinja's tags alone and does what premailer does on a rendered letter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import lxml.html
import pytest

from alerts import templates
from alerts.digest import Digest, Notice, Period, Reason
from alerts.inlining import inlined
from alerts.letter import ReaderLinks, Sender

AT = datetime(2026, 9, 21, 12, tzinfo=UTC)
SENDER = Sender(
    tenant_name="Coop fictive de l’Économie sociale",
    postal_address="1, rue Fictive, Trois-Rivières (Québec)",
    contact_email="info@exemple.quebec",
    privacy_officer="Direction générale, vie-privee@exemple.quebec",
    public_url="https://alertes.exemple.quebec",
    author_email="alertes@exemple.quebec",
    list_domain="alertes.exemple.quebec",
)
NOTICE = Notice(
    cluster_id=1,
    revision_id=1,
    number="20169865",
    title="Déneigement des stationnements",
    buyer="Ville fictive",
    place="",
    place_to_check=True,
    category="Services",
    method="Avis d’appel d’offres",
    closes_at=datetime(2026, 9, 28, 15, tzinfo=UTC),
    uri="https://seao.gouv.qc.ca/avis?ItemId=1&x=2",
    source="SEAO",
    reasons=(Reason("d", "Déneigement", "« déneigement » dans le titre"),),
)
DIGEST = Digest(
    contact_name="Ariane Fictive",
    member_name="Coop fictive du Déneigement",
    stream="weekly",
    period=Period(AT - timedelta(days=7, hours=8), AT - timedelta(hours=8)),
    notices=(NOTICE,),
    sectors=("Déneigement",),
)


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


def test_the_inlined_template_rendered_is_the_rendered_letter_inlined() -> None:
    words = {
        "digest": DIGEST,
        "links": ReaderLinks("https://exemple.quebec/d?a=1&b=2", "https://exemple.quebec/p"),
        "sender": SENDER,
        "at": AT,
        "total": 1,
        "subject": "Sujet",
        "sectors": "Déneigement",
        "cards": (NOTICE, NOTICE),
        "lines": (NOTICE,),
        "rest": 3,
    }
    name = "emails/digest/body.html"
    once = templates.template(name).render(words)
    plain = templates._environment(templates.source, html=True).get_template(name).render(words)
    each = inlined(plain)
    assert _dom(once) == _dom(each)


def _dom(html: str) -> list[tuple[str, dict[str, str], str, str]]:
    root = lxml.html.document_fromstring(html)
    return [
        (str(e.tag), dict(e.attrib), (e.text or "").strip(), (e.tail or "").strip())
        for e in root.iter()
    ]
