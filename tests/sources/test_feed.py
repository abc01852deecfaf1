"""Feeds of municipal sites: which entries are calls, what they say, how they are known again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sources import feed
from sources.release import PassedOver, Release, Status
from tests.feed_entries import TEN, read_call, read_one
from tests.wordpress import SITE, SNOW, TOWN, Post, atom, rss

DATA = Path(__file__).parent / "data" / "feeds"


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
