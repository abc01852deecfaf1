"""What a letter holds, within which size, and what hostile notices cannot do to it."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import premailer
import pytest

from alerts.digest import Digest, Notice, Period, Reason
from alerts.errors import LetterUnwritable
from alerts.letter import LIMIT, Composed, Press, ReaderLinks, Sender, compose
from alerts.templates import where

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
LINKS = ReaderLinks(
    f"https://alertes.exemple.quebec/d/{'a' * 300}", f"https://alertes.exemple.quebec/p/{'b' * 300}"
)
NOTICE = Notice(
    cluster_id=1,
    revision_id=1,
    number="20169865",
    title="Déneigement des stationnements",
    buyer="Ville fictive",
    place="",
    place_to_check=True,
    category="services",
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


def _letter(digest: Digest = DIGEST, recipient: str = "a@exemple.quebec") -> Composed:
    composed = compose(Press.of(SENDER), digest, LINKS, recipient=recipient, key="k", at=AT)
    check_wire(composed.content)
    return composed


def check_wire(content: bytes) -> None:
    """RFC 5322 and 5321 on bytes: CRLF only, short lines, ASCII without controls."""
    assert re.search(rb"[^\r]\n|\r[^\n]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", content) is None
    head, body = content.split(b"\r\n\r\n", 1)
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 78


def _parts(composed: Composed) -> tuple[EmailMessage, str, str]:
    parsed = email.message_from_bytes(composed.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not [part.defects for part in parsed.walk() if part.defects]
    assert not [value.defects for value in parsed.values() if value.defects]
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert text is not None
    assert html is not None
    return parsed, *(part.get_content().replace("\r\n", "\n") for part in (text, html))


def test_the_headers_say_who_what_and_how_to_leave() -> None:
    composed = _letter()
    parsed, _, _ = _parts(composed)
    assert parsed["Subject"] == composed.subject
    assert composed.subject.endswith("pour vous; il ferme le 28\u00a0septembre")
    assert parsed["From"].addresses[0].display_name == SENDER.tenant_name
    assert parsed["Message-ID"] == composed.message_id
    assert f"\r\nList-Unsubscribe: <{LINKS.leave}>\r\n".encode() in composed.content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in composed.content
    assert b"\r\nList-Id: <weekly.alertes.exemple.quebec>\r\n" in composed.content


@pytest.mark.parametrize("count", [1, 45, 5000])
def test_any_number_of_notices_stays_under_the_limit_with_the_footer(count: int) -> None:
    notices = tuple(
        replace(NOTICE, number=f"{20000000 + i}", title=f"{'É' * 290} {i}") for i in range(count)
    )
    composed = _letter(replace(DIGEST, notices=notices))
    _, text, html = _parts(composed)
    assert len(composed.content) <= LIMIT
    for part in (text, html):
        assert LINKS.leave in part
        assert LINKS.change in part
        assert f"{LINKS.change}/avis" in part
        assert SENDER.postal_address in part
    named = set(re.findall(r"20\d{6}", text))
    assert named == set(re.findall(r"20\d{6}", html))
    assert len(named) == count or "autres avis" in text
    assert ("autres avis" in text) == ("autres avis" in html) == (len(named) < count)


def test_personal_links_are_in_the_footer_only() -> None:
    _, text, html = _parts(_letter())
    for part, footer in ((text, "\n-- \n"), (html, 'class="foot"')):
        above = part[: part.index(footer)]
        assert LINKS.leave not in above
        assert LINKS.change not in above


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>",
        "{{7*7}} {% raw %}",
        "Avis\r\nBcc: tous@exemple.invalid",
        "a\u202eb\u200fc",
        "nul\x00 et \x92",
        "neige ❄️",
        "É" * 5000,
        "",
        ".",
        "=?utf-8?q?x?=",
    ],
    ids=repr,
)
def test_a_hostile_title_stays_text(title: str) -> None:
    digest = replace(DIGEST, notices=(replace(NOTICE, title=title),), contact_name=title)
    parsed, text, html = _parts(_letter(digest))
    assert parsed["Bcc"] is None
    assert "<script" not in html
    assert not re.search("[\x00\u202e\u200f]", text + html)
    if "7*7" in title:
        assert "{{7*7}}" in text
        assert "{{7*7}}" in html


@pytest.mark.parametrize(
    "uri",
    ["javascript:alert(1)", "//evil.test", "https://a@evil.test", "https://a b", "", "data:x"],
)
def test_what_is_no_web_address_is_not_linked(uri: str) -> None:
    _, text, html = _parts(_letter(replace(DIGEST, notices=(replace(NOTICE, uri=uri),))))
    assert html.count("<a ") == 3
    assert "20169865" in html
    assert "20169865" in text
    assert not uri or uri not in html


@pytest.mark.parametrize("recipient", ["a@b\r\nBcc: c@d", "élodie@exemple.quebec", "", "a@b>"])
def test_an_impossible_address_is_said(recipient: str) -> None:
    with pytest.raises(LetterUnwritable, match="address"):
        _letter(recipient=recipient)


def test_a_notice_without_date_says_to_check() -> None:
    _, text, html = _parts(_letter(replace(DIGEST, notices=(replace(NOTICE, closes_at=None),))))
    assert "Date limite à vérifier" in text
    assert "Date limite à vérifier" in html


def test_a_hundred_letters_call_premailer_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    press = Press.of(SENDER)
    monkeypatch.delattr(premailer.Premailer, "transform")
    letters = [
        compose(press, DIGEST, LINKS, recipient="a@exemple.quebec", key=str(number), at=AT)
        for number in range(100)
    ]
    assert len({letter.message_id for letter in letters}) == 100


@pytest.mark.parametrize(
    ("buyer", "place", "said"),
    [
        (
            "Ville de Mascouche",
            "Mascouche, MRC Les Moulins",
            "Ville de Mascouche · MRC Les Moulins",
        ),
        ("MRC de La Matanie", "MRC La Matanie", "MRC de La Matanie"),
        ("Ville de Sherbrooke", "Sherbrooke", "Ville de Sherbrooke"),
        (
            "Régie fictive",
            "Saint-Sylvère, MRC Bécancour",
            "Régie fictive · Saint-Sylvère, MRC Bécancour",
        ),
        ("", "Sainte-Sophie", "Sainte-Sophie"),
    ],
)
def test_a_place_that_the_buyer_names_is_said_once(buyer: str, place: str, said: str) -> None:
    assert where(replace(NOTICE, buyer=buyer, place=place)) == said
