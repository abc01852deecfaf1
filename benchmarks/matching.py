"""Matching, against the same join in SQLite, against fewer members, and for one new notice.

    python -m benchmarks.matching [--full]

All in processor time of one core. 500 open calls (benchmarks.wishes); what a side finds is held
against `match` over all pairs of a sample, and against the other side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from random import Random
from statistics import median
from time import process_time

from alerts import words
from alerts.matching import Match, Shelf, Wanted, match
from alerts.own_words import phrase_of
from alerts.readership import Readership
from alerts.window import Candidate
from benchmarks.measured import Measured, Size, interleaved, report
from benchmarks.sqlite_join import Joined
from benchmarks.wishes import Words, calls, nobody_s

CALLS, MEMBERS, SEED = 500, 10_000, 42
#: Wishes of a lot, and lots of the smaller side; the larger has ten times as many.
_LOTS = {Size.QUICK: (2_000, 1), Size.FULL: (10_000, 10)}
#: Readers of the smaller side for whom a new notice may be; the larger has ten times as many.
_READERS = {Size.QUICK: 2_000, Size.FULL: 20_000}
#: Members of whom each pair is asked of `match`.
_SAMPLE = 100
_FRESH = 20

Pairs = set[tuple[int, int]]


def measure(size: Size) -> Iterator[Measured]:
    """Each figure, the cheapest first."""
    found = calls(CALLS, SEED)
    yield _folding(found, size)
    yield _against_sqlite(found, size)
    yield _growth(found, size)
    yield _one_new_notice(size)


def _folding(found: Mapping[int, Candidate], size: Size) -> Measured:
    """What remembering words spares of reading the texts of the calls."""
    texts = [t for one in found.values() for t in (one.facts.title, *one.facts.labels)]

    def read() -> float:
        begun = process_time()
        for text in texts:
            words._passage(text)  # noqa: SLF001, the texts themselves are not remembered
        return (process_time() - begun) / len(found) * 1e6

    def uncached() -> float:
        with _forgetting():
            return read()

    kept = [words._passage(text) for text in texts]  # noqa: SLF001
    with _forgetting():
        assert kept == [words._passage(text) for text in texts]  # noqa: S101, SLF001
    before = words._known.cache_info()  # noqa: SLF001
    rounds = interleaved(uncached, read)
    after = words._known.cache_info()  # noqa: SLF001
    hits, misses = after.hits - before.hits, after.misses - before.misses
    return Measured(
        name="words-remembered",
        what="folding and stemming the words of a call: each time / a word once",
        goal=2,
        rounds=tuple(theirs / ours for theirs, ours in rounds),
        detail=(
            f"µs a call: {_middles(rounds)}",
            f"{hits / (hits + misses):.1%} of the words were known, {after.currsize} are held",
            f"seed {SEED}",
        ),
        twin=f"the same words of {len(texts)} texts",
        size=size,
    )


@contextmanager
def _forgetting() -> Iterator[None]:
    """No word is remembered."""
    kept = words._known, words._folded, words.stem  # noqa: SLF001
    words._known, words._folded, words.stem = (one.__wrapped__ for one in kept)  # type: ignore[assignment]  # noqa: SLF001
    try:
        yield
    finally:
        words._known, words._folded, words.stem = kept  # noqa: SLF001


def _against_sqlite(found: Mapping[int, Candidate], size: Size) -> Measured:
    wanted = list(Words.of(found).lot(SEED, 0, MEMBERS))
    joined = Joined(found, wanted)

    def ours() -> float:
        begun = process_time()
        shelf = Shelf(found)
        for one in wanted:
            shelf.matching(one)
        return (process_time() - begun) * 1e3

    pairs: Pairs = set()

    def theirs() -> float:
        begun = process_time()
        rows = joined.pairs()
        took = (process_time() - begun) * 1e3
        pairs.update(rows)
        return took

    rounds = interleaved(ours, theirs)
    assert pairs == _by_shelf(found, wanted)  # noqa: S101, else the figures are of two things
    assert _sampled(pairs) == _by_match(found, wanted[:_SAMPLE])  # noqa: S101
    joined.close()
    return Measured(
        name="matching-sqlite",
        what=f"matching {CALLS} notices x {MEMBERS} members: the join in SQLite / ours",
        goal=4,
        rounds=tuple(theirs / ours for ours, theirs in rounds),
        detail=(
            f"ms: ours, from the window to the ids / the join alone: {_middles(rounds)}",
            f"{len(pairs) / MEMBERS:.1f} notices a member; seed {SEED}",
        ),
        twin=f"the same {len(pairs)} pairs; of {_SAMPLE} members those of match over all pairs",
        size=size,
    )


def _growth(found: Mapping[int, Candidate], size: Size) -> Measured:
    """Ten times as many members, in lots, since a million are not held at once."""
    each, fewer = _LOTS[size]
    drawn = Words.of(found)
    counts: dict[int, int] = {}

    @lru_cache(maxsize=13)
    def lot(number: int) -> list[Wanted]:
        return list(drawn.lot(SEED, number, each))

    def per_member(lots: int) -> float:
        phrase_of.cache_clear()
        shelf, took = Shelf(found), 0.0
        for one in chain(lot(-1), lot(-2), lot(-3)):  # the words that many look for
            shelf.matching(one)
        for number in range(lots):
            wanted = lot(number)
            begun = process_time()
            notices = 0
            for one in wanted:
                notices += len(shelf.matching(one))
            took += process_time() - begun
            assert counts.setdefault(number, notices) == notices  # noqa: S101
        return took / lots / each * 1e6

    rounds = interleaved(lambda: per_member(10 * fewer), lambda: per_member(fewer))
    distinct: set[int] = set()
    for number in range(10 * fewer):
        distinct.update(map(hash, lot(number)))
        few = lot(number)[:: each // 10]
        assert _by_shelf(found, few) == _by_match(found, few)  # noqa: S101
    members = 10 * fewer * each
    return Measured(
        name="matching-growth",
        what=f"matching {CALLS} notices, per member: {members} members / {members // 10}",
        goal=1.1,
        at_most=True,
        rounds=tuple(more / less for more, less in rounds),
        detail=(
            f"µs a member, ids listed: {_middles(rounds)}",
            f"{len(distinct)} distinct wishes; what one asks for is not remembered for another",
            f"{sum(counts.values()) / members:.1f} notices a member; seed {SEED}",
        ),
        twin=f"the same notices in each round; of {10 * 10 * fewer} members those of match",
        size=size,
    )


def _one_new_notice(size: Size) -> Measured:
    """Readers of whom nine in ten have nothing of the new notices, mixed with the others."""
    many = _READERS[size]
    found = calls(CALLS, SEED + 1)
    fresh = _fresh(found)
    theirs_too = frozenset(one.sector for call in fresh.values() for one in call.classified)
    readers = dict(enumerate(Words.of(found).lot(SEED, 0, many)))
    others = _elsewhere(found, theirs_too).lot(SEED, 1, 9 * many)
    everyone = list(readers.values()) + list(others)
    order = list(range(len(everyone)))
    Random(SEED).shuffle(order)  # noqa: S311, no secret
    wanted = {key: everyone[place] for key, place in enumerate(order)}
    few, all_of_them = Readership[int](), Readership[int]()
    for key, place in enumerate(order):
        all_of_them.put(key, wanted[key])
        if place < many:
            few.put(key, wanted[key])

    def told(readership: Readership[int]) -> list[tuple[int, int]]:
        pairs = []
        for number, call in fresh.items():
            shelf = Shelf({number: call})
            for key in readership.concerned(call.facts, call.classified):
                pairs += [(key, number) for _ in shelf.matching(wanted[key])]
        return pairs

    def timed(readership: Readership[int]) -> float:
        begun = process_time()
        told(readership)
        return (process_time() - begun) / len(fresh) * 1e3

    rounds = interleaved(lambda: timed(all_of_them), lambda: timed(few))
    pairs = sorted(told(few))
    assert pairs == sorted(told(all_of_them))  # noqa: S101
    shelf = Shelf(fresh)
    assert pairs == [(key, n) for key, one in wanted.items() for n in shelf.matching(one)]  # noqa: S101
    sample = {key: one for key, one in wanted.items() if key < 10 * _SAMPLE}
    by_match = _by_match(fresh, list(sample.values()))
    assert by_match == {(key, n) for key, n in pairs if key in sample}  # noqa: S101
    return Measured(
        name="new-notice",
        what=f"one new notice: {10 * many} readers / {many}, those added having nothing of it",
        goal=1.2,
        at_most=True,
        rounds=tuple(more / less for more, less in rounds),
        detail=(
            f"ms a notice: {_middles(rounds)}",
            f"{len(pairs) / len(fresh):.0f} readers are told of each of {len(fresh)}; seed {SEED}",
        ),
        twin=f"the same {len(pairs)} pairs by either, by the shelf, and of a sample by match",
        size=size,
    )


def _fresh(found: Mapping[int, Candidate]) -> dict[int, Candidate]:
    """New notices of one half of the catalogue: something is left for other readers."""
    slugs = Words.of(dict(found)).slugs
    half = set(slugs[: len(slugs) // 2])
    chosen = (
        (number, one)
        for number, one in found.items()
        if one.classified and half.issuperset(told.sector for told in one.classified)
    )
    return dict([*chosen][:_FRESH])


def _elsewhere(found: Mapping[int, Candidate], but: frozenset[str]) -> Words:
    """Readers of other sectors, whose words begin as titles do and go on as none does."""
    words_of, random = Words.of(dict(found), but=but), Random(SEED)  # noqa: S311, no secret
    return replace(
        words_of,
        words=[nobody_s(random) for _ in words_of.words],
        pairs=[f"{one.split()[0]} {nobody_s(random)}" for one in words_of.pairs],
        capitals=["ZQXW", "QZKV"],
    )


def _by_shelf(found: Mapping[int, Candidate], wanted: Sequence[Wanted]) -> Pairs:
    shelf = Shelf(found)
    return {(number, key) for number, one in enumerate(wanted) for key in shelf.matching(one)}


def _by_match(found: Mapping[int, Candidate], wanted: Sequence[Wanted]) -> Pairs:
    return {
        (number, key)
        for number, one in enumerate(wanted)
        for key, call in found.items()
        if isinstance(
            match(call.facts, call.classified, one, place=call.place, days_left=call.days_left),
            Match,
        )
    }


def _sampled(pairs: Pairs) -> Pairs:
    return {(number, key) for number, key in pairs if number < _SAMPLE}


def _middles(rounds: Sequence[tuple[float, float]]) -> str:
    """The median of either side."""
    return " / ".join(f"{median(side):.3g}" for side in zip(*rounds, strict=True))


if __name__ == "__main__":
    report(measure)
