"""Feeds that are broken or hostile: entries, nothing, or one clear fault; never an exception."""

from __future__ import annotations

import gzip
import resource
from pathlib import Path

import pytest

from sources import feed, feed_guard
from sources.errors import SourceMalformed
from sources.reasons import Reason, parted
from sources.release import Fault, PassedOver, Release
from tests.wordpress import SNOW, atom, rss

CORPUS = Path(__file__).parent / "data" / "feeds" / "feedparser"
GOOD = rss([SNOW])


def outcome(document: bytes) -> str:
    """The kinds of what is read, or the reason of the refusal."""
    try:
        return " ".join(type(one).__name__ for one in feed.read(document))
    except SourceMalformed as error:
        reason, _ = parted(error.reason)
        assert reason is not None
        return reason.name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aaa_illformed.xml", "NOT_A_FEED"),
        ("always_strip_doctype.xml", ""),
        ("bozo_bogus_encoding.xml", "NOT_A_FEED"),
        ("bozo_linenoise.xml", "PassedOver"),
        ("demoronize-1.xml", "PassedOver"),
        ("double-encoded-html.xml", "Fault"),
        ("http_high_bit_date.xml", ""),
        ("http_text_xml_default.xml", ""),
        ("rss_empty_document.xml", "NOT_A_FEED"),
        ("undeclared_namespace.xml", "NOT_A_FEED"),
        ("utf-16le-bom.xml", ""),
        ("utf-8-bom.xml", ""),
    ],
)
def test_feedparsers_own_broken_feeds_give_entries_or_a_clear_fault(
    name: str, expected: str
) -> None:
    assert outcome((CORPUS / name).read_bytes()) == expected


def test_the_corpus_is_all_there() -> None:
    assert len(list(CORPUS.glob("*.xml"))) == 12


def entity(declarations: str, used: str = "&a;") -> bytes:
    body = f"<rss version='2.0'><channel><item><title>{used}</title></item></channel></rss>"
    return f"<?xml version='1.0'?><!DOCTYPE rss [{declarations}]>{body}".encode()


LAUGHS = "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' if n else '<!ENTITY a0 "ha">' for n in range(10)
)

REFUSED = [
    pytest.param(b"", Reason.EMPTY, id="nothing"),
    pytest.param(b" \r\n\t", Reason.EMPTY, id="blanks"),
    pytest.param(b"\xef\xbb\xbf", Reason.EMPTY, id="a mark alone"),
    pytest.param(b"\0" * 100, Reason.EMPTY, id="NUL"),
    pytest.param(b"<!DOCTYPE html><html><body>Connexion</body></html>", Reason.HTML, id="a page"),
    pytest.param(b"\n<!-- x --><html lang='fr'></html>", Reason.HTML, id="a page after a comment"),
    pytest.param(b"{}", Reason.NOT_A_FEED, id="JSON object"),
    pytest.param(b"[]", Reason.NOT_A_FEED, id="JSON list"),
    pytest.param(b"null", Reason.NOT_A_FEED, id="null"),
    pytest.param(b"42", Reason.NOT_A_FEED, id="number"),
    pytest.param(b"Maintenance", Reason.NOT_A_FEED, id="words"),
    pytest.param(b"<xsl:stylesheet xmlns:xsl='x'/>", Reason.NOT_A_FEED, id="a stylesheet"),
    pytest.param(b"<opml><body/></opml>", Reason.NOT_A_FEED, id="OPML"),
    pytest.param(gzip.compress(GOOD), Reason.NOT_A_FEED, id="gzip within gzip"),
    pytest.param(b"PK\x03\x04" + b"\0x" * 99, Reason.NOT_A_FEED, id="a ZIP file"),
    pytest.param(GOOD[: len(GOOD) // 2], Reason.CUT_SHORT, id="half"),
    pytest.param(GOOD[: GOOD.index(b"</item>") + 7], Reason.CUT_SHORT, id="after the last entry"),
    pytest.param(atom([SNOW])[:-20], Reason.CUT_SHORT, id="atom cut"),
    pytest.param(entity(LAUGHS, "&a9;"), Reason.ENTITIES, id="billion laughs"),
    pytest.param(
        entity(f'<!ENTITY a "{"x" * 50_000}">', "&a;" * 50_000), Reason.ENTITIES, id="quadratic"
    ),
    pytest.param(entity('<!ENTITY a SYSTEM "file:///etc/passwd">'), Reason.ENTITIES, id="a file"),
    pytest.param(entity('<!ENTITY a SYSTEM "http://127.0.0.1/">'), Reason.ENTITIES, id="a server"),
    pytest.param(
        entity('<!ENTITY % a SYSTEM "http://x.test/a"> %a;'), Reason.ENTITIES, id="parameter"
    ),
    pytest.param(entity('<!ENTITY\n a\n "\\x">'), Reason.ENTITIES, id="a backslash (issue 599)"),
    pytest.param(entity('<!EnTiTy a "x">'), Reason.ENTITIES, id="mixed case"),
    pytest.param(entity(LAUGHS, "&a9;").decode().encode("utf-16"), Reason.ENTITIES, id="in UTF-16"),
    pytest.param(entity(LAUGHS, "&a9;").decode().encode("utf-32"), Reason.ENTITIES, id="in UTF-32"),
    pytest.param(
        entity('<!ENTITY xhtml "http://www.w3.org/1999/xhtml">', "&xhtml;" * 101),
        Reason.ENTITIES,
        id="a namespace used too often",
    ),
    pytest.param(
        b"<?xml version='1.0' encoding='utf-7'?>+ADw-rss+AD4-",
        Reason.NOT_A_FEED,
        id="UTF-7",
    ),
    pytest.param(
        b"<?xml version='1.0' encoding='unicode_escape'?><rss/>", Reason.NOT_A_FEED, id="escapes"
    ),
    pytest.param(b"<?xml version='1.0' encoding=''?><rss/>", Reason.NOT_A_FEED, id="no encoding"),
    pytest.param(b"<rss><channel>" + b"<a>" * 100_000, Reason.TOO_DEEP, id="100,000 elements deep"),
    pytest.param(b"<rss>" + b" " * feed_guard.LARGEST, Reason.TOO_LARGE, id="large"),
]


@pytest.mark.parametrize(("document", "reason"), REFUSED)
def test_what_is_no_feed_is_refused_whole_with_its_reason(document: bytes, reason: Reason) -> None:
    assert outcome(document) == reason.name


def test_no_refusal_takes_more_than_256_megabytes() -> None:
    """Kilobytes of this process at its largest; it has read all the bombs above by now."""
    for case in REFUSED:
        outcome(case.values[0])  # type: ignore[arg-type]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 400 * 1024


NETSCAPE = (
    b'<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
    b'"http://my.netscape.com/publish/formats/rss-0.91.dtd">'
)
XHTML = b'<!DOCTYPE feed [<!ENTITY xhtml "http://www.w3.org/1999/xhtml">]>'
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(GOOD, id="as made"),
        pytest.param(b"\xef\xbb\xbf" + GOOD, id="byte order mark"),
        pytest.param(b"\n\n" + GOOD, id="blank lines first"),
        pytest.param(GOOD.replace(DECLARATION, b""), id="no declaration"),
        pytest.param(
            GOOD.replace(DECLARATION, DECLARATION + NETSCAPE), id="Netscape's document type"
        ),
        pytest.param(
            GOOD.replace(DECLARATION, DECLARATION + XHTML).replace(
                b"rss version", b"rss x='&xhtml;' version"
            ),
            id="the entity of a namespace",
        ),
        pytest.param(GOOD + b"\n<!-- Cached by WP Super Cache -->", id="a comment after the end"),
        pytest.param(GOOD + b"<script>x</script>", id="junk after the end"),
        pytest.param(GOOD.replace(b"<channel>", b"<channel><a:b>x</a:b>"), id="undeclared prefix"),
        pytest.param(GOOD.replace(b"Site officiel", b"Lacs & montagnes"), id="a raw ampersand"),
        pytest.param(
            GOOD.replace(b"Site officiel", b"&nbsp;&eacute;&inconnu;"), id="HTML entities"
        ),
        pytest.param(
            GOOD.replace(b"Site officiel", b"&#0;&#1114112;&#xd800;"), id="no such characters"
        ),
        pytest.param(GOOD.replace(b"Site officiel", b"a\x00b\x08c"), id="control characters"),
        pytest.param(GOOD.replace(b"Site officiel", b"<br>" * 2000), id="2,000 unclosed elements"),
        pytest.param(GOOD.decode().replace("UTF-8", "utf-16").encode("utf-16"), id="UTF-16"),
        pytest.param(
            GOOD.decode()
            .replace("UTF-8", "iso-8859-1")
            .replace("’", "'")
            .replace("–", "-")
            .encode("latin-1"),
            id="ISO-8859-1",
        ),
        pytest.param(
            GOOD.decode().encode("cp1252", "xmlcharrefreplace"), id="cp1252 declared UTF-8"
        ),
        pytest.param(
            GOOD.decode().replace("UTF-8", "us-ascii").encode(), id="UTF-8 declared ASCII"
        ),
        pytest.param(GOOD.replace(b"\n", b"\r\n"), id="CRLF"),
    ],
)
def test_a_call_is_read_from_a_feed_that_is_only_a_little_wrong(document: bytes) -> None:
    (read,) = feed.read(document)
    assert isinstance(read, Release)
    assert read.reference == "S2025-02"
    assert read.closes_at is not None
    assert "Ã" not in read.title + read.description


def test_an_entry_that_says_nothing_is_a_fault_and_hides_no_other() -> None:
    empty = b"<item></item>"
    document = GOOD.replace(b"\t<item>", empty + b"\t<item>").replace(
        b"</channel>", empty + b"</channel>"
    )
    kinds = [type(one) for one in feed.read(document)]
    assert kinds == [Fault, Release, Fault]


@pytest.mark.parametrize(
    ("base", "uri"),
    [
        ("javascript:alert(1)//", "https://www.exemple-sur-lac.quebec/appel/"),
        ("https://www.exemple.quebec/avis/", "https://www.exemple.quebec/avis/appel/"),
        ("file:///etc/", ""),
        ("http://127.0.0.1/", ""),
        ("http://[::1]/", ""),
        ("https://u:p@exemple.quebec/", ""),
    ],
)
def test_a_base_address_leads_to_no_place_that_may_not_be_linked(base: str, uri: str) -> None:
    link = b"<link>appel/</link>"
    start = GOOD.index(b"<link>", GOOD.index(b"<item>"))
    document = GOOD[:start] + link + GOOD[GOOD.index(b"</link>", start) + 7 :]
    document = document.replace(b"<item>", f'<item xml:base="{base}">'.encode())
    (read,) = feed.read(document)
    assert isinstance(read, Release)
    assert read.uri == uri


@pytest.mark.parametrize("tag", ["b", "div", "p", "a href='x'", "rt", "li", "table", "svg", "font"])
def test_a_text_nested_a_hundred_thousand_times_is_read(tag: str) -> None:
    inside = f"<content:encoded><![CDATA[{f'<{tag}>' * 100_000}x]]></content:encoded>"
    start = GOOD.index(b"<content:encoded>")
    end = GOOD.index(b"</content:encoded>") + len(b"</content:encoded>")
    (read,) = feed.read(GOOD[:start] + inside.encode() + GOOD[end:])
    assert isinstance(read, Release | PassedOver)
