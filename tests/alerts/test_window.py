"""Calls as bits, and readers by what they look for: nothing found or lost that `match` does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import window
from alerts.classification import NEARLY, Facts, Lexicon, classify
from alerts.matching import Match, NearMiss, Shelf, Wanted, match
from alerts.outstanding import Outstanding
from alerts.own_words import seen
from alerts.readership import Readership
from alerts.territory import within
from alerts.window import Candidate, Window, numbers
from sources.places import Place, load, place
from subscriptions import sectors
from tests.real import releases
from tests.variants import CHANGES, notices

CATALOGUE = sectors.load()
LEXICON = Lexicon.of(CATALOGUE)
#: Days left, of which one in four is not known.
DAYS = (0, 1, 3, 7, 12, 20, None, None)
KINDS = ("goods", "services", "works", "")


def _candidate(facts: Facts, where: Place, number: int) -> Candidate:
    classified = classify(facts, LEXICON, least=NEARLY)
    return Candidate(facts, classified, where, DAYS[number % len(DAYS)])


def _candidates() -> Iterator[Candidate]:
    """Real releases, and real titles as other sources write them: with and without a place."""
    for number, one in enumerate(releases()):
        facts = Facts(
            title=one.title,
            category=one.category or "",
            codes=tuple(item.code for item in one.items),
            labels=tuple(item.label for item in one.items),
        )
        where = place(
            load(), buyer=one.buyer, municipal=one.municipal, locality=one.locality,
            postal_code=one.postal_code,
        )  # fmt: skip
        yield _candidate(facts, where, number)
    changes = [*CHANGES.values()]
    for number, one in enumerate(notices()[::7]):
        changed = changes[number % len(changes)](one)
        where = place(load(), buyer=one.buyer, municipal=None, locality="", postal_code="")
        delivery = ((), (), ("Laurentides",), ("Montréal", "Canada"))[number % 4]
        # A text beside the title, in which another notice's words stand.
        beside = notices()[number].title.upper() if number % 5 == 0 else ""
        facts = Facts(title=changed.title, category=KINDS[number % 4], description=beside)
        yield _candidate(facts, replace(where, delivery=delivery), number)


REAL = dict(enumerate(_candidates()))
TITLES = [one.facts.title.split() for one in REAL.values()]
SOME = sorted({word for title in TITLES for word in title})
TWO = sorted({" ".join(two) for title in TITLES for two in pairwise(title)})
#: Two words with one between them, which a phrase passes over and an exact one does not.
APART = sorted({f"{t[n]} {t[n + 2]}" for t in TITLES for n in range(len(t) - 2)})
THREE = sorted({" ".join(t[n : n + 3]) for t in TITLES for n in range(len(t) - 2)})
ACRONYMS = sorted({w for w in SOME if w.isupper() and w.isalnum() and 2 <= len(w) <= 6})
PHRASES = st.one_of(
    st.sampled_from(SOME),
    st.sampled_from(TWO),
    st.sampled_from(APART),
    st.sampled_from(THREE),
    st.sampled_from(ACRONYMS),
    st.sampled_from([w.lower() for w in ACRONYMS]),
    st.sampled_from([*SOME, *TWO, *APART, *THREE]).map(lambda typed: f"« {typed} »"),
    st.sampled_from(["de", ".*", "", "zq"]),
)
PLACES = sorted(
    {
        name
        for one in REAL.values()
        for name in (one.place.municipality, one.place.mrc, one.place.region, *one.place.delivery)
        if name
    }
)
TERRITORY = st.one_of(
    st.sampled_from(PLACES),
    st.sampled_from(PLACES).map(lambda name: f"Ville de {name}"),
    st.sampled_from(["MRC des Laurentides", "Laurentides", "de la", "", "Atlantide"]),
)
WANTED = st.builds(
    Wanted,
    sectors=st.frozensets(st.sampled_from([one.slug for one in CATALOGUE]), max_size=8),
    own_words=st.lists(PHRASES, max_size=4).map(tuple),
    excluded_words=st.lists(PHRASES, max_size=2).map(tuple),
    territory=st.frozensets(TERRITORY, max_size=3),
    categories=st.frozensets(st.sampled_from(KINDS), max_size=2),
    minimum_days_left=st.sampled_from([0, 0, 0, 1, 2, 7, 20, 21]),
)


def _every(wanted: Wanted) -> dict[int, Match | NearMiss]:
    """What `match` says of each that has something of what is wanted."""
    every = {
        n: match(one.facts, one.classified, wanted, place=one.place, days_left=one.days_left)
        for n, one in REAL.items()
    }
    return {n: made for n, made in every.items() if isinstance(made, Match) or made.score > 0}


SHELF = Shelf(REAL)


@settings(deadline=None)
@given(WANTED)
def test_bits_find_what_going_over_all_pairs_finds(wanted: Wanted) -> None:
    every = _every(wanted)
    matched = [n for n, made in every.items() if isinstance(made, Match)]
    missed = [(n, made) for n, made in every.items() if isinstance(made, NearMiss)]
    for shelf in (SHELF, Shelf(REAL)):
        assert shelf.matching(wanted) == matched
        assert list(shelf.missing(wanted)) == missed
        assert list(shelf.matches(wanted, matched)) == [(n, every[n]) for n in matched]


@settings(deadline=None)
@given(st.lists(WANTED, min_size=2, max_size=8))
def test_what_was_said_to_one_reader_is_said_to_another_only_where_it_is_the_same(
    wishes: list[Wanted],
) -> None:
    shelf = Shelf(REAL)
    for wanted in wishes + wishes[::-1]:
        every = _every(wanted)
        matched = [n for n, made in every.items() if isinstance(made, Match)]
        assert list(shelf.matches(wanted, matched)) == [(n, every[n]) for n in matched]
        assert dict(shelf.missing(wanted)) == {n: every[n] for n in every if n not in matched}


@settings(deadline=None)
@given(st.lists(WANTED, max_size=12))
def test_a_call_concerns_those_whom_the_shelf_and_match_find(wishes: list[Wanted]) -> None:
    readership = Readership[int]()
    for key, wanted in enumerate(wishes):
        readership.put(key, wanted)
    decided = [_every(wanted) for wanted in wishes]
    for number, call in REAL.items():
        concerned = readership.concerned(call.facts, call.classified)
        assert {key for key, every in enumerate(decided) if number in every} <= concerned


def test_a_call_concerns_few_for_whom_it_is_not() -> None:
    """Who shares but the first word of a phrase is not looked at."""
    readership = Readership[str]()
    readership.put("services", Wanted(own_words=("services d’oncques",)))
    readership.put("neige", Wanted(own_words=("neige",), sectors=frozenset({"deneigement"})))
    call = Facts(title="Services de déneigement")
    classified = classify(call, LEXICON, least=NEARLY)
    assert readership.concerned(call, classified) == {"neige"}


@settings(deadline=None)
@given(WANTED, WANTED)
def test_who_was_taken_out_is_concerned_no_more(before: Wanted, after: Wanted) -> None:
    changed, fresh = Readership[int](), Readership[int]()
    changed.put(1, before)
    changed.put(2, after)
    changed.take_out(1, before)
    fresh.put(2, after)
    assert changed._by_mark == fresh._by_mark


def test_a_phrase_s_bits_are_the_notices_in_which_it_stands() -> None:
    """Also where a mark sets its words apart, and where a word stands between them."""
    marked = {f"{t[n]} {t[n + 2]}" for t in TITLES for n in range(len(t) - 2) if len(t[n + 1]) == 1}
    typed = [*sorted(marked)[::3], *APART[::60], *TWO[::60], *THREE[::60], *ACRONYMS]
    made = Window(tuple(REAL.values()))
    for one in [*typed, *(f"« {one} »" for one in typed[::2])]:
        holding = [n for n, call in REAL.items() if seen(call.facts, (one,))]
        assert numbers(made.holding([one])) == holding, one


@settings(deadline=None)
@given(TERRITORY, TERRITORY)
def test_a_territory_s_bits_are_the_places_within_it(one: str, other: str) -> None:
    made = Window(tuple(REAL.values()))
    for territory in ([one], [one, other]):
        inside = [n for n, call in REAL.items() if within(call.place, territory)]
        assert numbers(made.within(territory)) == inside


def test_three_words_stand_where_they_follow_each_other() -> None:
    apart = _candidate(Facts(title="Pompe à chaleur - chaleur neuve"), REAL[0].place, 0)
    whole = _candidate(Facts(title="Une pompe à chaleur toute neuve"), REAL[0].place, 0)
    assert Window([apart, whole]).holding(["pompe chaleur neuve"]) == 0b10


def test_a_territory_that_names_nothing_is_everywhere() -> None:
    made = Window(tuple(REAL.values()))
    assert numbers(made.within(["", " "])) == [*REAL]


def test_what_was_typed_is_forgotten_before_it_is_too_much() -> None:
    kept = window._Kept(len)
    asked = [kept[str(number)] for number in range(window._MOST + 10)]
    assert len(kept) == 10
    assert asked[:12] == [1] * 10 + [2] * 2


def test_bits_are_numbered_from_the_lowest() -> None:
    assert numbers(0) == []
    assert numbers(1 << 700 | 0b1011) == [0, 1, 3, 700]


def test_what_is_untold_is_what_was_found_and_not_told() -> None:
    held = Outstanding()
    held.found(1, [10, 11])
    held.found(2, [])
    held.told(1, [10, 99])
    assert (set(held.of(1)), list(held.waiting())) == ({11}, [1])
    held.told(1, [11])
    assert list(held.waiting()) == []
    held.give_back(1, 10)
    held.give_back(2, 10)
    assert (set(held.of(1)), set(held.of(2))) == ({10}, set())
    held.drop([10])
    held.give_back(1, 10)
    assert list(held.waiting()) == []


def test_who_left_is_given_nothing_back() -> None:
    held = Outstanding()
    held.found(1, [10])
    held.leave(1)
    held.give_back(1, 10)
    assert list(held.waiting()) == []
