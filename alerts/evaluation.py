"""How good the classification is on titles that a person judged: pure.

A row says which sectors a social-economy enterprise would want to see it under, or `none`; see
tests/data/labelled/README.md for the rules of judgement.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alerts.classification import Classified, Evidence, Facts, Lexicon, classify

COLUMNS = ("source", "title", "buyer", "unspsc_or_category", "expected_sectors", "note")
_NEEDED = frozenset(COLUMNS) - {"source", "note"}
NONE = "none"


class LabelledInvalid(ValueError):
    """The file is not of the labelled files' format; `line` counts from 1, 0 for the whole."""

    def __init__(self, reason: str, line: int = 0, detail: str = "") -> None:
        self.reason = reason
        self.line = line
        self.detail = detail
        super().__init__(f"line {line}: {reason} {detail}")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One judged title."""

    #: Of the file, from 1.
    line: int
    facts: Facts
    #: Slugs; empty for `none`.
    expected: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tally:
    """Sectors told and expected, told only, and expected only."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """1.0 where nothing was told: nothing told wrongly."""
        told = self.right + self.wrong
        return self.right / told if told else 1.0

    @property
    def recall(self) -> float:
        """1.0 where nothing was expected."""
        expected = self.right + self.missed
        return self.right / expected if expected else 1.0

    @property
    def f1(self) -> float:
        twice = 2 * self.right
        every = twice + self.wrong + self.missed
        return twice / every if every else 1.0


@dataclass(frozen=True, slots=True)
class Error:
    """A title of which the program and the person disagree."""

    row: Labelled
    wrong: tuple[Classified, ...]
    missed: tuple[str, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What made the program tell the sectors that are wrong."""
        return tuple(one for told in self.wrong for one in told.evidence)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the program is worth on a file."""

    rows: int
    micro: Tally
    none_rows: int
    #: Rows of `none` for which some sector was told.
    none_alerted: int
    #: By slug, of the sectors told or expected.
    sectors: dict[str, Tally]
    errors: tuple[Error, ...]


def read(document: bytes, lexicon: Lexicon) -> list[Labelled]:
    """The rows of a labelled file: UTF-8, with a header, columns in any order.

    Raises LabelledInvalid.
    """
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelledInvalid("not UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = _NEEDED - set(reader.fieldnames or ())
    if missing:
        raise LabelledInvalid("missing columns", 1, ", ".join(sorted(missing)))
    try:
        return [_row(reader.line_num, row, lexicon) for row in reader]
    except csv.Error as error:
        raise LabelledInvalid("not CSV", reader.line_num, str(error)) from error


def _row(line: int, row: dict[str, str | None], lexicon: Lexicon) -> Labelled:
    expected = frozenset(part.strip() for part in (row["expected_sectors"] or "").split(";"))
    expected -= {"", NONE}
    unknown = sorted(expected - set(lexicon.sectors))
    if unknown:
        raise LabelledInvalid("unknown sector", line, ", ".join(unknown))
    facts = Facts(
        title=row["title"] or "",
        buyer=row["buyer"] or "",
        codes=tuple(_codes(row["unspsc_or_category"] or "")),
    )
    return Labelled(line, facts, expected)


def _codes(written: str) -> Iterator[str]:
    """«S9 | 91111601;76110000», «S9» or «91111601» as codes with their schemes."""
    for part in written.replace("|", ";").split(";"):
        code = part.strip()
        if code:
            yield f"UNSPSC:{code}" if code[0].isdigit() else f"SEAO:{code}"


def evaluate(rows: Iterable[Labelled], lexicon: Lexicon) -> Evaluation:
    """Classify each row and hold the sectors told against those expected."""
    sectors: dict[str, Tally] = {}
    errors: list[Error] = []
    judged = list(rows)
    none_alerted = 0
    for row in judged:
        told = {one.sector: one for one in classify(row.facts, lexicon)}
        none_alerted += bool(told) and not row.expected
        for slug in told.keys() | row.expected:
            tally = _tally(told=slug in told, expected=slug in row.expected)
            sectors[slug] = sectors.get(slug, Tally()) + tally
        wrong = tuple(one for slug, one in told.items() if slug not in row.expected)
        missed = tuple(sorted(row.expected - told.keys()))
        if wrong or missed:
            errors.append(Error(row, wrong, missed))
    return Evaluation(
        rows=len(judged),
        micro=sum(sectors.values(), Tally()),
        none_rows=sum(not row.expected for row in judged),
        none_alerted=none_alerted,
        sectors=dict(sorted(sectors.items())),
        errors=tuple(errors),
    )


def _tally(*, told: bool, expected: bool) -> Tally:
    return Tally(right=told and expected, wrong=told and not expected, missed=expected and not told)
