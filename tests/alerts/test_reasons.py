"""The line under a notice: short, in French, what was seen and where."""

from __future__ import annotations

import pytest

from alerts.evidence import Evidence, Where
from alerts.reasons import line

TITLE, LABEL, CODE = Where.TITLE, Where.LABEL, Where.CODE


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (
            [Evidence(TITLE, "conciergerie"), Evidence(CODE, "91111601")],
            "«⍽conciergerie⍽» dans le titre; code 91111601",
        ),
        (
            [Evidence(TITLE, "Déneigement"), Evidence(TITLE, "déneigement des rues")],
            "«⍽déneigement des rues⍽» dans le titre",
        ),
        (
            [Evidence(TITLE, "tonte"), Evidence(TITLE, "Tonte"), Evidence(LABEL, "gazon")],
            "«⍽Tonte⍽» dans le titre; «⍽gazon⍽» dans la classification",
        ),
        (
            [Evidence(Where.OWN_WORD, word) for word in ("aa", "bb", "cc", "dd")],
            "«⍽aa⍽», «⍽bb⍽» et «⍽cc⍽» que vous suivez",
        ),
        ([Evidence(CODE, "90101600"), Evidence(CODE, "91111601")], "codes 90101600 et 91111601"),
        ([Evidence(TITLE, "x" * 200)], f"«⍽{'x' * 59}…⍽» dans le titre"),
        ([Evidence(TITLE, "a » b « c")], "«⍽a b c⍽» dans le titre"),
        ([], ""),
    ],
)
def test_a_reason_is_one_short_line(seen: list[Evidence], said: str) -> None:
    assert line(seen) == said.replace("⍽", "\u00a0")
