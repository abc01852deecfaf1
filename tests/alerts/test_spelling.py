"""Typing errors of real titles are mended, and real words are left alone."""

from __future__ import annotations

import pytest

from alerts.spelling import Spellings, distance

SPELLINGS = Spellings(
    ["accompagnement", "acquisition", "amenagement", "installation", "construction", "toilette",
     "reparation", "detection", "redaction", "evaluation", "eclairage", "conciergerie",
     "evaluations"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("accopmpagement", "accompagnement"),
        ("aquisition", "acquisition"),
        ("amemagement", "amenagement"),
        ("installatin", "installation"),
        ("eclarage", "eclairage"),
        ("conciegrerie", "conciergerie"),
    ],
)
def test_errors_that_buyers_made_are_mended(written: str, meant: str) -> None:
    assert SPELLINGS.right(written) == meant
    assert SPELLINGS.right(written) == meant, "the same the second time"


@pytest.mark.parametrize(
    "word",
    ["preparation", "detention", "reduction", "evacuation", "evacuations", "instruction",
     "constructions", "accompagner", "12345678", "construire", "neige", "x" * 5_000],
)  # fmt: skip
def test_another_word_is_left_as_it_is(word: str) -> None:
    assert SPELLINGS.right(word) == word


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "abcd", 1), ("abc", "axc", 1),
     ("abcd", "badc", 2), ("kitten", "sitting", 3)],
)  # fmt: skip
def test_neighbours_exchanged_count_as_one_letter(one: str, other: str, letters: int) -> None:
    assert distance(one, other) == distance(other, one) == letters
