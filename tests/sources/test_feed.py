"""Feeds of municipal sites: which entries are calls, what they say, how they are known again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sources import feed
from sources.release import Fault, PassedOver, Release, Status
from tests.wordpress import SITE, SNOW, TOWN, Post, atom, rss

DATA = Path(__file__).parent / "data" / "feeds"
TEN = datetime(2025, 10, 2, 14, tzinfo=UTC)


def read_one(post: Post, **channel: str) -> Release | Fault | PassedOver:
    (result,) = feed.read(rss([post], **channel))
    return result


def read_call(post: Post, **channel: str) -> Release:
    result = read_one(post, **channel)
    assert isinstance(result, Release), result
    return result


@pytest.mark.parametrize("made", [rss([SNOW]), atom([SNOW])], ids=["rss", "atom"])
def test_a_wordpress_call_is_read_field_by_field(made: bytes) -> None:
    (read,) = feed.read(made)
    assert isinstance(read, Release)
    assert read.title == "APPEL D’OFFRES S2025-02 – Damage et entretien hivernal d’un tronçon"
    assert read.buyer == TOWN
    assert read.reference == "S2025-02"
    assert read.closes_at == TEN
    assert read.closing_evidence == (
        "Les soumissions doivent être reçues avant 10h00, le 2 octobre 2025, à l’hôtel de ville."
    )
    assert read.published_at == datetime(2025, 9, 10, 13, 30, tzinfo=UTC)
    assert read.status is Status.ACTIVE
    assert read.uri == f"{SITE}/appel-doffres-s2025-02/"
    assert read.description.startswith(f"La {TOWN} demande des soumissions")
    assert "est apparu en premier sur" not in read.description
    assert "<" not in read.description


def test_rss_and_atom_of_one_site_know_an_entry_by_the_same_name() -> None:
    (one,), (other,) = feed.read(rss([SNOW])), feed.read(atom([SNOW]))
    assert isinstance(one, Release)
    assert isinstance(other, Release)
    assert one.ocid == other.ocid


NEWS = Post(title="La fête au parc", paragraphs=("Le 2 octobre 2025 à 11 h, venez nombreux!",))


@pytest.mark.parametrize(
    ("post", "is_call"),
    [
        pytest.param(SNOW, True, id="in the title"),
        pytest.param(
            replace(SNOW, title="Demande de soumissions: toiture"), True, id="soumissions"
        ),
        pytest.param(replace(SNOW, title="Demande de prix – Peinture"), True, id="prix"),
        pytest.param(replace(SNOW, title="Invitation à soumissionner"), True, id="invitation"),
        pytest.param(replace(SNOW, title="Appel de propositions 2025"), True, id="propositions"),
        pytest.param(replace(NEWS, categories=("Appels d&#8217;offres",)), True, id="category"),
        pytest.param(replace(SNOW, title="Avis public"), True, id="in the text, with a moment"),
        pytest.param(NEWS, False, id="news with a date"),
        pytest.param(
            replace(NEWS, paragraphs=("Un appel d’offres suivra.",)), False, id="no moment"
        ),
        pytest.param(
            replace(SNOW, title="Résultats de l’appel d’offres S2025-02"), False, id="results"
        ),
        pytest.param(replace(SNOW, title="Octroi du contrat S2025-02"), False, id="awarded"),
        pytest.param(replace(SNOW, title="[FERMÉ] Appel d’offres S2025-02"), False, id="closed"),
        pytest.param(replace(SNOW, title="Ouverture des soumissions"), False, id="opening"),
    ],
)
def test_a_call_is_told_from_news(post: Post, is_call: bool) -> None:
    assert isinstance(read_one(post), Release) is is_call


def test_all_entries_of_a_channel_of_calls_are_calls() -> None:
    read = read_call(NEWS, title="Appels d’offres – Ville de Prévost")
    assert read.buyer == "Ville de Prévost"


@pytest.mark.parametrize(
    ("title", "channel", "buyer"),
    [
        (
            "Avis public - MRC des Laurentides - APPEL D'OFFRES S2025-02",
            "Infos du Nord",
            "MRC des Laurentides",
        ),
        (
            "Appel d’offres",
            "Appels d’offres | Municipalité de Val-des-Lacs",
            "Municipalité de Val-des-Lacs",
        ),
        (
            "Appel d’offres",
            "Archives des Appels d’offres – Ville de Sainte-Agathe-des-Monts",
            "Ville de Sainte-Agathe-des-Monts",
        ),
        ("Appel d’offres", "MRC d’Argenteuil", "MRC d’Argenteuil"),
        (
            "Appel d’offres",
            "Office municipal d’habitation de Saint-Jérôme",
            "Office municipal d’habitation de Saint-Jérôme",
        ),
        ("Appel d’offres", "Appels d’offres - CDC Exemple", "CDC Exemple"),
        ("Appel d’offres", "Appels d’offres", ""),
    ],
)
def test_the_buyer_is_who_is_named(title: str, channel: str, buyer: str) -> None:
    post = Post(title=title, paragraphs=("Les offres avant 10 h le 2 octobre 2025",))
    assert read_call(post, title=channel).buyer == buyer


@pytest.mark.parametrize(
    "title", ["ANNULÉ – Appel d’offres S2025-02", "Annulation de l’appel d’offres"]
)
def test_a_title_that_says_so_cancels(title: str) -> None:
    assert read_call(replace(SNOW, title=title)).status is Status.CANCELLED


def test_an_annual_call_is_not_a_cancelled_one() -> None:
    assert read_call(replace(SNOW, title="Appel d’offres annuel")).status is Status.ACTIVE


def test_a_number_of_seao_is_read_where_the_text_says_that_it_is_one() -> None:
    seao = "Documents sur SEAO sous le numéro 20169865, téléphone 4505550100."
    assert read_call(replace(SNOW, paragraphs=(*SNOW.paragraphs, seao))).number == "20169865"
    assert read_call(SNOW).number == ""


def test_files_and_the_page_on_seao_are_its_documents_and_other_links_are_not() -> None:
    page = "https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId=0d2661a7-edc6-42ff"
    links = (
        '<a href="/wp-content/uploads/devis.pdf">Devis</a> <a href="javascript:alert(1)">x</a>',
        f'<a href="{page}&amp;x=1">SEAO</a> <a href="https://exemple.quebec/nouvelles">Nouvelles</a>',
        '<a href="/wp-content/uploads/devis.pdf">Devis</a>',
    )
    read = read_call(replace(SNOW, paragraphs=(*SNOW.paragraphs, *links)))
    assert read.documents == (f"{SITE}/wp-content/uploads/devis.pdf", f"{page}&x=1")


# Known again.


def ocids(*posts: Post) -> list[str]:
    results = feed.read(rss(posts, title="Appels d’offres"))
    return [one.ocid for one in results if isinstance(one, Release)]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(SNOW, number=99), id="another guid"),
        pytest.param(replace(SNOW, instead={"guid": ""}), id="no guid"),
        pytest.param(replace(SNOW, instead={"guid": f"<guid>{SNOW.title}</guid>"}), id="the title"),
        pytest.param(replace(SNOW, title="Appel d’offres S2025-02 (ADDENDA)"), id="another title"),
        pytest.param(replace(SNOW, published=datetime(2025, 9, 20, tzinfo=UTC)), id="another day"),
        pytest.param(
            replace(
                SNOW, instead={"link": f"<link>{SNOW.link}?utm_source=rss&amp;utm_medium=x</link>"}
            ),
            id="a tracker",
        ),
        pytest.param(
            replace(
                SNOW,
                instead={"link": f"<link>{SNOW.link.replace('https://www.', 'http://')}#a</link>"},
            ),
            id="http, no www, fragment",
        ),
        pytest.param(
            replace(SNOW, instead={"link": f"<link>\n{SNOW.link[:-1]}\n</link>"}), id="blanks"
        ),
        pytest.param(
            replace(SNOW, instead={"link": "<link>/appel-doffres-s2025-02/</link>"}), id="relative"
        ),
    ],
)
def test_an_entry_is_known_again_by_its_address(changed: Post) -> None:
    assert ocids(SNOW) == ocids(changed)


def test_an_entry_without_address_is_known_by_its_guid_if_that_is_one_else_by_its_title() -> None:
    bare = replace(SNOW, instead={"link": ""})
    assert ocids(bare) == ocids(replace(bare, title="Appel d’offres S2025-02 (ADDENDA)"))
    named = replace(SNOW, instead={"link": "", "guid": "<guid>a8f0</guid>"})
    again = replace(SNOW, instead={"link": "", "guid": "<guid>77b1</guid>"})
    assert ocids(named) == ocids(again)
    assert ocids(named) != ocids(replace(named, title="Appel d’offres S2025-03"))


def test_calls_that_share_one_page_are_told_apart_by_their_titles() -> None:
    page = {"link": f"<link>{SITE}/appels-doffres/</link>"}
    snow, roof = replace(SNOW, instead=page), replace(SNOW, title="Toiture", instead=page)
    assert len(set(ocids(snow, roof))) == 2
    assert ocids(snow, roof) == ocids(roof, snow)[::-1]
    home = {"link": f"<link>{SITE}</link>"}
    alone = ocids(replace(SNOW, instead=home))
    assert alone != ocids(replace(SNOW, title="Toiture", instead=home))


def test_a_feed_that_empties_is_a_feed_with_nothing_to_say() -> None:
    assert list(feed.read(rss([]))) == []
    assert list(feed.read(atom([]))) == []


def test_only_atom_says_when_an_entry_changed() -> None:
    (read,) = feed.read(atom([replace(SNOW, updated=datetime(2025, 9, 15, 8, tzinfo=UTC))]))
    assert isinstance(read, Release)
    assert read.release_id == "20250915080000"
    assert read_call(SNOW).release_id == ""


# Single fields.


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


# Real feeds: none has a call for tenders, so each entry is news that is passed over.


@pytest.mark.parametrize("path", sorted(DATA.glob("*.*")), ids=lambda path: path.name)
def test_every_entry_of_a_real_feed_is_read(path: Path) -> None:
    kinds = Counter(type(one) for one in feed.read(path.read_bytes()))
    assert kinds == {PassedOver: 3}


def test_a_real_feed_in_gb2312_keeps_its_characters() -> None:
    made = (DATA / "kc0011.rss").read_bytes()
    call = "<title>Appel d'offres</title>".encode("gb2312")
    start = made.index(b"<title>", made.index(b"<item>"))
    end = made.index(b"</title>", start) + len(b"</title>")
    read = next(
        one for one in feed.read(made[:start] + call + made[end:]) if isinstance(one, Release)
    )
    assert any("\u4e00" <= character <= "\u9fff" for character in read.description)
