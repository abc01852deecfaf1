"""What changed between two revisions, and how much it matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sources.amendments import Amendment, Field, Grade, amendments, gravest
from sources.stored import Stated

CLOSES = datetime(2026, 9, 28, 15, tzinfo=UTC)
SNOW = Stated(
    title="Déneigement des rues",
    buyer="Ville de Saint-Jérôme",
    status="active",
    closes_at=CLOSES,
    municipality="Saint-Jérôme",
    mrc="La Rivière-du-Nord",
    region="Laurentides",
    documents=("devis.pdf",),
)


@pytest.mark.parametrize(
    ("changes", "field", "grade"),
    [
        ({"status": "cancelled"}, Field.STATUS, Grade.CRITICAL),
        ({"status": "withdrawn"}, Field.STATUS, Grade.CRITICAL),
        ({"closes_at": CLOSES - timedelta(hours=1)}, Field.CLOSES_AT, Grade.CRITICAL),
        ({"closes_at": CLOSES + timedelta(days=7)}, Field.CLOSES_AT, Grade.USEFUL),
        ({"documents": ("devis.pdf", "addenda 1.pdf")}, Field.DOCUMENTS, Grade.USEFUL),
        ({"municipality": "Prévost"}, Field.PLACE, Grade.USEFUL),
        ({"buyer": "MRC de La Rivière-du-Nord"}, Field.BUYER, Grade.USEFUL),
        ({"buyer": "VILLE DE SAINT-JEROME"}, Field.BUYER, Grade.MINOR),
        ({"title": "Déneigement et déglaçage des rues"}, Field.TITLE, Grade.MINOR),
        ({"title": "DÉNEIGEMENT DES RUES"}, Field.TITLE, Grade.MINOR),
    ],
    ids=[
        "cancelled", "withdrawn", "advanced", "extended", "addendum", "moved", "other buyer",
        "buyer's typography", "other title", "title's typography",
    ],
)  # fmt: skip
def test_each_field_that_changed_is_graded(
    changes: dict[str, Any], field: Field, grade: Grade
) -> None:
    (found,) = amendments(SNOW, replace(SNOW, **changes))
    assert (found.field, found.grade) == (field, grade)


@pytest.mark.parametrize(
    "absent",
    [
        {"closes_at": None},
        {"documents": ()},
        {"municipality": "", "mrc": "", "region": ""},
        {"municipality": "", "mrc": ""},
        {"buyer": ""},
        {"title": ""},
    ],
    ids=["closing moment", "documents", "place", "place less precise", "buyer", "title"],
)
def test_a_field_that_one_side_does_not_carry_is_absent_and_not_changed(
    absent: dict[str, Any],
) -> None:
    assert amendments(SNOW, replace(SNOW, **absent)) == ()
    assert amendments(replace(SNOW, **absent), SNOW) == ()


def test_documents_in_another_order_are_the_same() -> None:
    two = replace(SNOW, documents=("a.pdf", "b.pdf"))
    assert amendments(two, replace(two, documents=("b.pdf", "a.pdf", "a.pdf"))) == ()


def test_a_call_that_is_open_again_is_useful_to_know() -> None:
    (found,) = amendments(replace(SNOW, status="cancelled"), SNOW)
    assert found == Amendment(
        field=Field.STATUS, before="cancelled", after="active", grade=Grade.USEFUL
    )


def test_several_changes_come_with_the_gravest_told_apart() -> None:
    changed = replace(
        SNOW, title="Autre titre", closes_at=CLOSES - timedelta(days=1), documents=("x.pdf",)
    )
    found = amendments(SNOW, changed)
    assert [one.field for one in found] == [Field.CLOSES_AT, Field.DOCUMENTS, Field.TITLE]
    assert gravest(found) is Grade.CRITICAL
    assert gravest(()) is None


def test_only_typography_is_typography() -> None:
    (capitals,) = amendments(SNOW, replace(SNOW, title="DENEIGEMENT DES RUES."))
    (other,) = amendments(SNOW, replace(SNOW, title="Déneigement des parcs"))
    assert (capitals.typography, other.typography) == (True, False)
