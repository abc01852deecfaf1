"""Real titles find their sectors: words in any spelling, codes as evidence, the place apart."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.classification import THRESHOLD, Classified, Facts, Lexicon, classify
from alerts.evidence import Where
from subscriptions import sectors

LEXICON = Lexicon.of(sectors.load())


def told(title: str, *codes: str, **more: object) -> set[str]:
    facts = Facts(title=title, codes=codes, **more)  # type: ignore[arg-type]
    return {one.sector for one in classify(facts, LEXICON)}


def found(title: str, *codes: str) -> tuple[Classified, ...]:
    return classify(Facts(title=title, codes=codes), LEXICON)


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("Services d’entretien ménager", id="curly apostrophe"),
        pytest.param("SERVICES D'ENTRETIEN MENAGER", id="capitals without accents"),
        pytest.param("Entretiens ménagers", id="plural"),
        pytest.param("Travaux ménagers d'entretien", id="plural of the other phrase"),
        pytest.param("Entretient ménagé", id="as it is heard"),
        pytest.param("Conciegerie des édifices", id="a letter left out"),
        pytest.param("Conciergreie des édifices", id="letters exchanged"),
        pytest.param("entretien\u00a0ménager", id="no-break space"),
        pytest.param("entretien me\u0301nager", id="decomposed accent"),
    ],
)
def test_cleaning_is_known_however_it_is_written(title: str) -> None:
    assert "entretien-menager" in told(title)


@pytest.mark.parametrize(
    ("title", "codes", "expected"),
    [
        pytest.param("Entretien ménager du CPE Les Lutins", (), {"entretien-menager"}, id="a CPE"),
        pytest.param("Déneigement de l'écocentre", (), {"deneigement"}, id="an écocentre"),
        pytest.param("Déménagement pour le centre culturel", (), {"demenagement-livraison"},
                     id="a cultural centre"),
        pytest.param("Réfection du plancher de la bibliothèque", ("SEAO:C01",),
                     {"construction-renovation"}, id="works in a library"),
        pytest.param("Exploitation du centre culturel", (), {"culture-patrimoine"},
                     id="but a place that is run"),
        pytest.param("Entente avec la maison des jeunes", ("SEAO:O1",), {"loisir-sport"},
                     id="or that an agreement is with"),
    ],
)  # fmt: skip
def test_the_place_is_not_the_sector(
    title: str, codes: tuple[str, ...], expected: set[str]
) -> None:
    assert told(title, *codes) == expected


@pytest.mark.parametrize(
    "title",
    [
        "Services professionnels en architecture pour la rénovation intérieure d'un centre",
        "Plans et devis pour l'aménagement paysager du parc",
        "Surveillance des travaux de peinture intérieure",
    ],
)
def test_design_and_supervision_are_not_works(title: str) -> None:
    assert told(title, "SEAO:S3") == set()


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Fourniture de bacs roulants pour matières organiques", "SEAO:G13"),
        ("Acquisition d'un camion pour la collecte des ordures", "SEAO:G28"),
        ("Achat de sel de déglaçage", "SEAO:G4"),
        ("Acquisition d'équipement de buanderie", "SEAO:G18"),
    ],
)
def test_goods_bought_are_not_services(title: str, code: str) -> None:
    assert told(title, code) == set()


def test_an_exclusion_that_holds_the_keyword_takes_that_one_away_only() -> None:
    assert told("Fourniture de sel de déglaçage") == set()
    assert told("Déneigement des stationnements, sel de déglaçage inclus") == {"deneigement"}


def test_an_exclusion_elsewhere_takes_the_sector_away() -> None:
    assert told("Déneigement du réseau routier local") == set()


def test_a_part_of_a_longer_keyword_excludes_nothing() -> None:
    assert told("Déneigement des chemins piétonniers") == {"deneigement"}


def test_an_exclusion_mutes_the_code_of_its_sector() -> None:
    assert told("Déneigement des rues", "UNSPSC:72102901", "SEAO:S14") == set()


def test_a_title_that_names_another_sector_weakens_a_code() -> None:
    code = ("UNSPSC:70110000", "SEAO:S14")  # horticulture
    assert told("Contrat 2026-17", *code) == {"espaces-verts"}
    assert told("Déneigement des stationnements", *code) == {"deneigement"}


def test_what_a_keyword_is_of_qualifies_it_however_far() -> None:
    assert told("Impression du guide des loisirs", "SEAO:S15") == {"imprimerie-graphisme"}
    assert "loisir-sport" in told("Impression du guide et activités de loisirs", "SEAO:S15")


def test_a_word_of_works_after_a_keyword_that_it_qualifies_tells_no_works() -> None:
    title = "Numérisation des dossiers de permis de construction"
    assert told(title, "SEAO:S4") == {"gestion-documentaire"}
    assert told("Construction du centre de numérisation", "SEAO:C01") == set()


@pytest.mark.parametrize(
    ("title", "codes"),
    [
        pytest.param("Contrat 2026-17", ("UNSPSC:72102901", "SEAO:S14"), id="a code alone"),
        pytest.param("Déneigement des stationnements", (), id="words alone"),
        pytest.param("Déneigement des stationnements", ("UNSPSC:43211500",), id="a wrong code"),
        pytest.param("Déneigement des stationnements", ("SEAO:O1",), id="no category chosen"),
    ],
)
def test_codes_are_evidence_and_never_a_gate(title: str, codes: tuple[str, ...]) -> None:
    assert told(title, *codes) == {"deneigement"}


def test_a_broad_code_says_nothing_by_itself() -> None:
    assert told("Contrat 2026-17", "UNSPSC:83000000") == set()


def test_evidence_adds_up() -> None:
    words = found("Déneigement des stationnements")[0].score
    both = found("Déneigement des stationnements", "UNSPSC:72102901", "SEAO:S14")[0].score
    assert THRESHOLD < words < both < 1


def test_every_sector_told_says_what_was_seen_as_published() -> None:
    one = found("SERVICES DE DÉNEIGEMENT", "UNSPSC:72102901")[0]
    seen = {(evidence.where, evidence.text) for evidence in one.evidence}
    assert seen == {(Where.TITLE, "DÉNEIGEMENT"), (Where.CODE, "72102901")}


def test_labels_and_description_speak_where_the_title_does_not() -> None:
    label, text = "Services d'élagage des arbres", "Élagage et émondage d’arbres de rues."
    assert told("Contrat 2026-17") == set()
    assert told("Contrat 2026-17", labels=(label,), description=text) == {"espaces-verts"}


def test_a_label_of_seaos_categories_is_no_evidence() -> None:
    label = "S17 - Services de transport, de voyage et de déménagement"
    facts = Facts(title="Contrat 2026-17", codes=("SEAO:S17",), labels=(label,))
    assert classify(facts, LEXICON, least=0.01) == ()


def test_two_words_of_a_keyword_stand_in_either_order() -> None:
    assert told("Adapté, transport, été 2026") == {"transport-collectif-adapte"}


def test_a_weak_word_needs_a_category_or_a_code() -> None:
    assert told("Nettoyage") == set()
    assert told("Nettoyage", "SEAO:S9") == {"entretien-menager"}


def test_a_weak_word_yields_to_another_sectors_keyword() -> None:
    assert told("Nettoyage et désherbage des aires", "SEAO:S9") == {"espaces-verts"}


def test_an_acronym_counts_in_capitals_only() -> None:
    assert told("Services d'aide, EÉSAD de la MRC") == {"aide-domicile"}
    assert told("eésad") == set()


def test_letters_in_an_order_of_many_codes_change_nothing() -> None:
    codes = ["UNSPSC:72102901", "SEAO:S14", "UNSPSC:83000000", "UNSPSC:00000000"]
    expected = found("Déneigement et élagage", *codes)
    for _ in range(5):
        random.shuffle(codes)
        assert found("Déneigement et élagage", *codes) == expected


@pytest.mark.parametrize(
    "title",
    [
        "",
        " ",
        "0123456789",
        "12 34",
        "\x00\x01\x1b[31m",
        "\u202e\u200b",
        "de la",
        "!?;:",
        "—",
        "💧",
    ],
    ids=repr,
)
def test_a_title_that_says_nothing_has_no_sector(title: str) -> None:
    assert told(title) == set()


@pytest.mark.parametrize(
    "title",
    [
        "Snow removal and landscaping services",
        "Supply of janitorial products",
        "Request for proposals: day camp management",
    ],
)
def test_an_english_title_is_read_without_a_fault(title: str) -> None:
    assert told(title) == set()


def test_a_bilingual_title_is_known_by_its_french() -> None:
    assert told("Snow removal / Déneigement") == {"deneigement"}


@pytest.mark.parametrize(
    "title",
    [
        "a" * 5_000_000,
        "éco-" * 1_250_000,
        "déneigement " * 450_000,
        "-" * 5_000_000,
        " " * 5_000_000,
        "\u0301" * 2_500_000,
    ],
    ids=["a word", "prefixes", "a keyword", "hyphens", "blanks", "accents"],
)
def test_five_megabytes_are_read_no_further_than_needed(title: str) -> None:
    assert len(told(title)) <= 1


def test_what_comes_first_in_five_megabytes_is_read() -> None:
    assert told("Déneigement " + "x" * 5_000_000) == {"deneigement"}


@pytest.mark.parametrize(
    "code",
    ["UNSPSC:7210 2901", "UNSPSC: 72102901 ", "UNSPSC:72.10.29.01", "UNSPSC:7210290100"],
)
def test_a_code_is_known_with_blanks_points_or_its_ten_digits(code: str) -> None:
    assert told("Contrat 2026-17", code, "SEAO:S14") == {"deneigement"}


@pytest.mark.parametrize(
    "code",
    ["UNSPSC:", "UNSPSC:7", "UNSPSC:72102901000", "UNSPSC:99999999", "UNSPSC:abc", "72102901",
     "GSIN:72102901", "UNSPSC:７２１０２９０１", "SEAO:", "SEAO:s14", ":", "", "\x00"],
)  # fmt: skip
def test_an_unknown_code_says_nothing(code: str) -> None:
    assert told("Contrat 2026-17", code) == set()


@given(title=st.text(max_size=200), codes=st.lists(st.text(max_size=20), max_size=4))
def test_nothing_makes_it_fail_or_leave_the_catalogue(title: str, codes: list[str]) -> None:
    slugs = {sector.slug for sector in LEXICON.catalogue}
    for one in found(title, *codes):
        assert one.sector in slugs
        assert THRESHOLD <= one.score <= 1
        assert one.evidence
