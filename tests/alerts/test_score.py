"""The published score: what the classification is worth on titles that a person judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alerts import evaluation
from alerts.classification import Lexicon
from alerts.evaluation import LabelledInvalid, Tally
from subscriptions import sectors

LABELLED = Path(__file__).parents[1] / "data" / "labelled"
LEXICON = Lexicon.of(sectors.load())
HEADER = "source,title,buyer,unspsc_or_category,expected_sectors,note\n"


@pytest.mark.parametrize(
    ("name", "rows", "none_rows", "precision", "f1", "none_alerted"),
    [
        pytest.param("labelled_dev.csv", 344, 145, 0.975, 0.975, 2, id="dev"),
        pytest.param("labelled_second.csv", 460, 346, 0.93, 0.92, 5, id="second"),
        pytest.param("labelled_third.csv", 189, 121, 0.95, 0.95, 2, id="third"),
        pytest.param("labelled_fourth.csv", 200, 182, 0.83, 0.83, 2, id="fourth"),
    ],
)
def test_the_score_does_not_fall(
    name: str,
    rows: int,
    none_rows: int,
    precision: float,
    f1: float,
    none_alerted: int,
    record_property: Callable[[str, object], None],
) -> None:
    judged = evaluation.read((LABELLED / name).read_bytes(), LEXICON)
    found = evaluation.evaluate(judged, LEXICON)

    micro = found.micro
    record_property(
        "measured",
        f"score on {name}: precision {micro.precision:.3f}, recall {micro.recall:.3f}, "
        f"F1 {micro.f1:.3f}; {found.none_alerted} of {found.none_rows} none rows told",
    )
    assert (found.rows, found.none_rows) == (rows, none_rows)
    assert micro.precision >= precision
    assert micro.f1 >= f1
    assert found.none_alerted <= none_alerted


def test_no_title_is_judged_in_two_files() -> None:
    titles = [
        row.facts.title
        for path in sorted(LABELLED.glob("*.csv"))
        for row in {r.facts.title: r for r in evaluation.read(path.read_bytes(), LEXICON)}.values()
    ]
    assert len(titles) == len(set(titles))


def read(*lines: str) -> list[evaluation.Labelled]:
    return evaluation.read((HEADER + "\n".join(lines)).encode(), LEXICON)


def test_the_figures_count_sectors_and_the_none_rows_apart() -> None:
    found = evaluation.evaluate(
        read(
            "x,Déneigement des stationnements,V,S14,deneigement,",
            "x,Déneigement des stationnements,V,S14,deneigement;espaces-verts,",
            "x,Déneigement des stationnements,V,S14,none,piège",
            "x,Pavage,V,C02,none,",
        ),
        LEXICON,
    )

    assert found.micro == Tally(right=2, wrong=1, missed=1)
    assert (found.micro.precision, found.micro.recall) == (2 / 3, 2 / 3)
    assert found.micro.f1 == pytest.approx(2 / 3)
    assert (found.rows, found.none_rows, found.none_alerted) == (4, 2, 1)
    assert found.sectors["espaces-verts"] == Tally(missed=1)
    assert [error.row.line for error in found.errors] == [3, 4]
    assert found.errors[0].missed == ("espaces-verts",)
    assert "Déneigement des stationnements" in {one.text for one in found.errors[1].evidence}


def test_a_file_without_a_right_or_a_wrong_answer_is_perfect() -> None:
    found = evaluation.evaluate(read(), LEXICON)
    assert (found.rows, found.micro.precision, found.micro.recall, found.micro.f1) == (0, 1, 1, 1)


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("S9 | 91111601;76110000", ("SEAO:S9", "UNSPSC:91111601", "UNSPSC:76110000")),
        ("S9", ("SEAO:S9",)),
        ("91111601", ("UNSPSC:91111601",)),
        (" S9|91111601 ", ("SEAO:S9", "UNSPSC:91111601")),
        ("", ()),
        ("|;", ()),
    ],
)
def test_codes_are_read_as_the_labelled_files_write_them(
    written: str, codes: tuple[str, ...]
) -> None:
    assert read(f"x,Titre,V,{written},none,")[0].facts.codes == codes


@pytest.mark.parametrize(
    ("document", "reason", "line"),
    [
        (b"\xff\xfe", "not UTF-8", 0),
        (b"", "missing columns", 1),
        (b"title,buyer\nx,y\n", "missing columns", 1),
        ((HEADER + "x,Titre,V,S9,menage,\n").encode(), "unknown sector", 2),
        ((HEADER + 'x,"' + "a" * 200_000).encode(), "not CSV", 1),
    ],
    ids=["bytes", "empty", "columns", "slug", "field"],
)
def test_a_file_of_another_format_is_refused_with_its_line(
    document: bytes, reason: str, line: int
) -> None:
    with pytest.raises(LabelledInvalid) as refused:
        evaluation.read(document, LEXICON)
    assert (refused.value.reason, refused.value.line) == (reason, line)


def test_a_spreadsheets_mark_and_a_short_row_are_read() -> None:
    document = b"\xef\xbb\xbf" + HEADER.encode() + b"x,Elagage d'arbres\n"
    row = evaluation.read(document, LEXICON)[0]
    assert (row.facts.title, row.expected) == ("Elagage d'arbres", frozenset())
