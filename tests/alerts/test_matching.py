"""Matching: sectors, own words, what keeps a notice away, and the shelf that finds the same."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.classification import NEARLY, THRESHOLD, Classified, Facts, Lexicon, classify
from alerts.matching import Lacked, Match, NearMiss, Shelf, Wanted, match, matches
from alerts.own_words import looks_for_nothing
from alerts.window import Candidate
from sources.places import Place
from subscriptions import sectors
from tests.real import releases

LEXICON = Lexicon.of(sectors.load())
UNKNOWN = Place(municipality="", mrc="", region="", basis="unknown")
JEROME = Place(
    municipality="Saint-Jérôme", mrc="MRC La Rivière-du-Nord", region="Laurentides", basis="name"
)
SNOW = Wanted(sectors=frozenset({"deneigement"}))
PLOUGHING = Facts(title="Déneigement des stationnements de l’hôtel de ville", category="services")


def _matched(
    wanted: Wanted,
    facts: Facts = PLOUGHING,
    place: Place = UNKNOWN,
    days_left: int | None = None,
) -> Match | NearMiss:
    classified = classify(facts, LEXICON, least=NEARLY)
    return match(facts, classified, wanted, place=place, days_left=days_left)


def _lacked(made: Match | NearMiss) -> Lacked | None:
    return made.lacked if isinstance(made, NearMiss) else None


def test_a_sector_is_told_with_where_it_was_seen() -> None:
    made = _matched(SNOW)
    assert isinstance(made, Match)
    assert [reason.sector for reason in made.reasons] == ["deneigement"]
    assert made.reasons[0].evidence.startswith("«\u00a0Déneigement")
    assert made.reasons[0].evidence.endswith("\u00a0» dans le titre")


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("arénas", "Réfection de l’aréna municipal"),
        ("toiture ardoise", "Toitures en ardoise de l’église"),
        ('"toiture ardoise"', "Réparation de toiture ardoise"),
        ("« toiture ardoise »", "Réparation de toiture ardoise"),
        ("CPE", "Travaux au CPE des Érables"),
        ("déneige\u200fment", "Déneigement d’un stationnement"),
        ("(aréna|patinoire).*", "Réfection de l’aréna et de la patinoire"),
    ],
    ids=["plural", "phrase", "exact", "guillemets", "acronym", "RTL mark", "letters of a pattern"],
)
def test_own_words_find(typed: str, title: str) -> None:
    made = _matched(Wanted(own_words=(typed,)), Facts(title=title))
    assert isinstance(made, Match)
    assert made.reasons[0].label == "Vos mots-clés"


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ('"toitures ardoise"', "Réparation de toiture ardoise"),
        ('"toiture ardoise"', "Toiture neuve en ardoise"),
        ('"toiture ardoise"', "Toiture ardoisée"),
        ("CPE", "Travaux au cpe des Érables"),
        ("toiture ardoise", "Toiture - ardoise et autres"),
        (".*", "Déneigement"),
        ("[a-z]+", "Déneigement"),
        ("de", "Déneigement de la rue"),
        ("", "Déneigement"),
        ("\u200f", "Déneigement"),
        ("D.n.igement", "Déneigement de la rue"),
    ],
    ids=repr,
)
def test_own_words_do_not_find(typed: str, title: str) -> None:
    assert _lacked(_matched(Wanted(own_words=(typed,)), Facts(title=title))) is Lacked.SECTOR


@pytest.mark.parametrize("typed", ["de", ".*", "", "   ", "\u200f", "«»", "l’"], ids=repr)
def test_a_word_that_looks_for_nothing_is_known(typed: str) -> None:
    assert looks_for_nothing(typed)
    assert not looks_for_nothing("neige")


@pytest.mark.parametrize(
    ("change", "place", "days_left", "lacked"),
    [
        ({"excluded_words": ("hôtel de ville",)}, JEROME, 9, Lacked.EXCLUDED_WORD),
        ({"excluded_words": ("piscine", "de")}, JEROME, 9, None),
        ({"categories": frozenset({"goods", "works"})}, JEROME, 9, Lacked.CATEGORY),
        ({"categories": frozenset({"services"})}, JEROME, 9, None),
        ({"territory": frozenset({"Blainville"})}, JEROME, 9, Lacked.TERRITORY),
        ({"territory": frozenset({"Blainville"})}, UNKNOWN, 9, None),
        ({"territory": frozenset({"Blainville"})}, replace(JEROME, basis="to check"), 9, None),
        ({"minimum_days_left": 10}, JEROME, 9, Lacked.DAYS_LEFT),
        ({"minimum_days_left": 9}, JEROME, 9, None),
        ({"minimum_days_left": 10}, JEROME, None, None),
    ],
)
def test_what_keeps_a_notice_away(
    change: dict[str, object], place: Place, days_left: int | None, lacked: Lacked | None
) -> None:
    made = _matched(replace(SNOW, **change), place=place, days_left=days_left)  # type: ignore[arg-type]
    assert _lacked(made) is lacked


def test_an_unknown_category_keeps_nothing_away() -> None:
    wanted = replace(SNOW, categories=frozenset({"works"}))
    assert isinstance(_matched(wanted, replace(PLOUGHING, category="")), Match)


@pytest.mark.parametrize(
    "named",
    [
        "saint-jerome", "St-Jérôme", "Ville de Saint-Jérôme", "La Rivière-du-Nord",
        "MRC de La Rivière-du-Nord", "laurentides", "Région des Laurentides",
    ],
)  # fmt: skip
def test_a_territory_is_named_as_people_write_it(named: str) -> None:
    made = _matched(replace(SNOW, territory=frozenset({named})), place=JEROME)
    assert isinstance(made, Match)


@pytest.mark.parametrize("named", ["MRC des Laurentides", "Ville de Laurentides", "Jérôme"])
def test_a_name_of_another_kind_is_another_place(named: str) -> None:
    made = _matched(replace(SNOW, territory=frozenset({named})), place=JEROME)
    assert _lacked(made) is Lacked.TERRITORY


@pytest.mark.parametrize(
    ("delivery", "lacked"),
    [
        (("Longueuil",), Lacked.TERRITORY),
        (("Longueuil", "Laurentides"), None),
        (("Blainville",), None),
        (("MONTRÉAL", "St-Jérôme"), None),
        (("Longueuil", "Canada"), None),
        (("Québec",), None),
        (("Quebec (except NCR)",), None),
        (("UKM82",), None),
        ((), None),
    ],
)
def test_where_it_delivers_decides_for_a_buyer_of_everywhere(
    delivery: tuple[str, ...], lacked: Lacked | None
) -> None:
    everywhere = replace(UNKNOWN, basis="to check", delivery=delivery)
    made = _matched(replace(SNOW, territory=frozenset({"Laurentides"})), place=everywhere)
    assert _lacked(made) is lacked
    if isinstance(made, NearMiss):
        assert made.detail == "Longueuil"


def test_where_it_delivers_is_added_to_a_buyer_s_own_place() -> None:
    delivery = ("Longueuil",)
    for named in ("Saint-Jérôme", "Longueuil"):
        wanted = replace(SNOW, territory=frozenset({named}))
        assert isinstance(_matched(wanted, place=replace(JEROME, delivery=delivery)), Match)
    wanted = replace(SNOW, territory=frozenset({"Rimouski"}))
    assert _lacked(_matched(wanted, place=replace(JEROME, delivery=delivery))) is Lacked.TERRITORY


def test_a_sector_that_came_near_is_named_with_its_score() -> None:
    near = (Classified("deneigement", 0.42, ()), Classified("voirie", 0.95, ()))
    made = match(PLOUGHING, near, SNOW, place=UNKNOWN)
    assert made == NearMiss(Lacked.SECTOR, "deneigement", 0.42)


def test_the_nearly_told_are_real_and_the_told_stay_the_same() -> None:
    nearly = [classify(one.facts, LEXICON, least=NEARLY) for one in REAL.values()]
    told = [classify(one.facts, LEXICON) for one in REAL.values()]
    assert [tuple(c for c in one if c.score >= THRESHOLD) for one in nearly] == told
    assert sum(map(len, nearly)) > sum(map(len, told)) > 0


REAL = {
    number: Candidate(facts, classify(facts, LEXICON, least=NEARLY), UNKNOWN, number % 20)
    for number, facts in enumerate(
        Facts(
            title=release.title,
            category=release.category or "",
            codes=tuple(item.code for item in release.items),
            labels=tuple(item.label for item in release.items),
        )
        for release in releases()
    )
}
WORDS = sorted({word for one in REAL.values() for word in one.facts.title.split()})
SLUGS = [sector.slug for sector in sectors.load()]
WANTED = st.builds(
    Wanted,
    sectors=st.frozensets(st.sampled_from(SLUGS), max_size=6),
    own_words=st.lists(st.sampled_from(WORDS), max_size=4).map(tuple),
    excluded_words=st.lists(st.sampled_from(WORDS), max_size=2).map(tuple),
    categories=st.frozensets(st.sampled_from(["goods", "services", "works"]), max_size=2),
    minimum_days_left=st.integers(0, 20),
)


@settings(deadline=None)
@given(WANTED)
def test_the_shelf_finds_what_going_over_all_pairs_finds(wanted: Wanted) -> None:
    every = {
        number: match(one.facts, one.classified, wanted, place=one.place, days_left=one.days_left)
        for number, one in REAL.items()
    }
    expected = {n: made for n, made in every.items() if isinstance(made, Match) or made.score > 0}
    missed = {n: made for n, made in expected.items() if isinstance(made, NearMiss)}
    assert dict(Shelf(REAL).missing(wanted)) == missed
    told = [(1, n, made) for n, made in expected.items() if isinstance(made, Match)]
    assert list(matches(REAL, {1: wanted})) == told


def test_a_thousand_own_words_read_a_text_no_more_often() -> None:
    words = tuple(random.Random(4).choices([*WORDS, "de", ".*"], k=1000))  # noqa: S311, no secret
    made = _matched(Wanted(own_words=words), Facts(title=" ".join(WORDS[:60])))
    assert isinstance(made, Match)
    assert made.reasons[0].evidence.count("«") == 3
