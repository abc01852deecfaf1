"""Single fields of a feed's entries, right and wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sources import feed
from tests.feed_entries import TEN, read_call
from tests.wordpress import SITE, SNOW, Post, rss


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<pubDate>mer., 10 sept. 2025 13:30:00 +0000</pubDate>", "2025-09-10"),
        ("<pubDate>10 septembre 2025</pubDate>", "2025-09-10"),
        ("<pubDate>2025-09-10T13:30:00Z</pubDate>", "2025-09-10"),
        ("<pubDate>Wed, 10 Sep 2025 13:30:00 -0400</pubDate>", "2025-09-10"),
        ("<pubDate>Sat, 10 Sep 2050 13:30:00 +0000</pubDate>", "2050-09-10"),
        ("<pubDate>Fri, 31 Feb 2025 25:61:00 +0000</pubDate>", ""),
        ("<pubDate>Thu, 01 Jan 1970 00:00:00 +0000</pubDate>", ""),
        ("<pubDate>hier</pubDate>", ""),
        ("<pubDate></pubDate>", ""),
        (f"<pubDate>{'9' * 5000}</pubDate>", ""),
        ("", ""),
    ],
)
def test_a_call_is_kept_whatever_its_day(written: str, read: str) -> None:
    published = read_call(replace(SNOW, instead={"pubDate": written})).published_at
    assert (published.date().isoformat() if published else "") == read


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java&#9;script:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "https://seao.gouv.qc.ca@evil.test/",
        "https://evil.test:8080/",
        "https://ev il.test/",
        'https://evil.test/"onmouseover=x',
        "https://exemple.quebec/&lt;script&gt;",
        "https://www.\u0435xemple.quebec/",
        "https:evil",
        "\\\\evil",
        "https://127.0.0.1/",
        "https://exemple.quebec/" + "a" * 10_000,
        "http://[::1",
    ],
)
def test_a_link_that_may_not_be_followed_is_left_out_and_the_call_kept(link: str) -> None:
    read = read_call(replace(SNOW, instead={"link": f"<link>{link}</link>"}))
    assert read.uri == "" or read.uri.startswith(SITE)
    assert read.closes_at == TEN


def test_an_address_with_accents_and_plus_signs_stays_as_written() -> None:
    link = f"{SITE}/d%C3%A9neigement+2025/?q=é"
    assert read_call(replace(SNOW, instead={"link": f"<link>{link}</link>"})).uri == link


@pytest.mark.parametrize(
    ("body", "kept", "gone"),
    [
        ("<script>alert(1)</script>Texte", "Texte", "alert"),
        ("<img src=x onerror=alert(1)>Texte", "Texte", "onerror"),
        ("<iframe src='https://evil.test'>dedans</iframe>Texte", "Texte", "dedans"),
        ("<style>p{color:red}</style>Texte", "Texte", "color"),
        ("l&amp;eacute;t&amp;eacute;", "lété", "&"),
        ("&lt;b&gt;gras&lt;/b&gt;", "<b>gras</b>", "&lt;"),
        ("Un\u0000 Deux\u202e", "Deux", "\u202e"),
        ("{{7*7}} ${7*7} {% include x %}", "{{7*7}} ${7*7} {% include x %}", "49"),
        ("<a href='https://x' onclick='y'>lien</a>", "lien", "onclick"),
        ("x < 5 et y > 3", "x < 5 et y > 3", "&lt;"),
    ],
)
def test_html_is_text_when_it_is_read(body: str, kept: str, gone: str) -> None:
    encoded = f"<content:encoded><![CDATA[<p>{body.replace(chr(0), '')}</p>]]></content:encoded>"
    read = read_call(replace(SNOW, instead={"content:encoded": encoded, "description": ""}))
    assert kept in read.description
    assert gone not in read.description


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("<title></title>", ""),
        ("", ""),
        ("<title>   </title>", ""),
        (f"<title>Appel d'offres {'x' * 10_000}</title>", f"Appel d'offres {'x' * 1984}…"),
        ("<title>Toiture\r\nBcc: x@exemple.invalid</title>", "Toiture Bcc: x@exemple.invalid"),
        ("<title>DÃ©neigement</title>", "Déneigement"),
        ("<title>l\x92hiver</title>", "l’hiver"),
        ("<title>E\u0301cole\u200b</title>", "École"),
        ("<title>=HYPERLINK(1)</title>", "=HYPERLINK(1)"),
        ("<title>'); DROP TABLE tender;--</title>", "'); DROP TABLE tender;--"),
    ],
)
def test_a_call_is_kept_whatever_its_title(title: str, read: str) -> None:
    post = replace(SNOW, instead={"title": title})
    assert read_call(post, title="Appels d’offres").title == read


def test_two_thousand_entries_are_read_and_no_more() -> None:
    posts = [Post(title=f"Nouvelle {n}", slug=f"n{n}", number=n) for n in range(2100)]
    assert len(list(feed.read(rss(posts)))) == 2000
