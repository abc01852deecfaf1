"""CanadaBuys' files: copies that differ, and what is no such table."""

from __future__ import annotations

from collections import Counter

import pytest

from sources import canadabuys
from sources.errors import SourceMalformed
from sources.reasons import Reason, parted
from sources.release import Fault, PassedOver, Release
from tests.canadabuys_rows import (
    CLOSING,
    HEADER,
    RAW,
    ROWS,
    read_release,
    table,
)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"\xef\xbb\xbf" + RAW, id="byte order mark"),
        pytest.param(RAW.replace(b"\r\n", b"\n"), id="LF"),
        pytest.param(RAW + b"\n\n", id="empty lines"),
        pytest.param(table(*ROWS, header=[*HEADER[::-1]]), id="columns the other way round"),
        pytest.param(
            table(*({**row, "nouvelle": "x"} for row in ROWS), header=[*HEADER, "nouvelle"]),
            id="a new column",
        ),
    ],
)
def test_columns_are_found_by_name_in_every_copy(document: bytes) -> None:
    kinds = Counter(type(one) for one in canadabuys.read(document))
    assert kinds == {Release: 6, PassedOver: 6}


def header(*names: str) -> bytes:
    return ",".join(f'"{name}"' for name in names).encode() + b"\n"


WITHOUT = [name for name in HEADER if name != CLOSING]
REFUSED = [
    pytest.param(b"", Reason.EMPTY, id="nothing"),
    pytest.param(b"\xef\xbb\xbf\n ", Reason.EMPTY, id="a mark alone"),
    pytest.param(b"<!DOCTYPE html><html>", Reason.HTML, id="a page"),
    pytest.param(b"a,b\n1,2\n", Reason.NOT_A_TABLE, id="another table"),
    pytest.param(b"{}", Reason.NOT_A_TABLE, id="JSON"),
    pytest.param(header(*WITHOUT), Reason.NOT_A_TABLE, id="a column less"),
    pytest.param(header(*HEADER, CLOSING), Reason.NOT_A_TABLE, id="a column twice"),
    pytest.param(
        RAW.replace(b'"tenderClosing', b'"closing'), Reason.NOT_A_TABLE, id="a column renamed"
    ),
    pytest.param(RAW.replace(b'","', b'";"'), Reason.NOT_A_TABLE, id="semicolons"),
    pytest.param(RAW.decode().encode("utf-16"), Reason.NOT_UTF8, id="UTF-16"),
    pytest.param(RAW.decode().encode("cp1252", "replace"), Reason.NOT_UTF8, id="cp1252"),
    pytest.param(RAW[: len(RAW) // 2], Reason.CUT_SHORT, id="half"),
    pytest.param(RAW.rstrip()[:-1], Reason.CUT_SHORT, id="the last quote less"),
    pytest.param(
        RAW.replace(b'"Open"', b'"Open"x', 1), Reason.NOT_A_TABLE, id="text after a quote"
    ),
    pytest.param(
        table({"title-titre-fra": "x" * 140_000}), Reason.TOO_LARGE, id="a cell of 140,000"
    ),
    pytest.param(b"PK\x03\x04" + b"\xff" * 99, Reason.NOT_UTF8, id="a spreadsheet"),
]


@pytest.mark.parametrize(("document", "reason"), REFUSED)
def test_what_is_no_such_table_is_refused_whole(document: bytes, reason: Reason) -> None:
    with pytest.raises(SourceMalformed) as refused:
        list(canadabuys.read(document))
    assert parted(refused.value.reason)[0] is reason


def test_a_hundred_thousand_rows_are_read_and_no_more() -> None:
    document = header(*HEADER) + (b'"",' * (len(HEADER) - 1) + b'"x"\n') * 100_001
    with pytest.raises(SourceMalformed) as refused:
        list(canadabuys.read(document))
    assert parted(refused.value.reason)[0] is Reason.TOO_LARGE


GOOD_ROW = table({}).split(b"\n", 1)[1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(b'"x","y"\n', Reason.WRONG_CELLS, id="two cells"),
        pytest.param(GOOD_ROW.rstrip() + b',"x"\n', Reason.WRONG_CELLS, id="a cell more"),
        pytest.param(GOOD_ROW.rstrip() + b"," * 300 + b"\n", Reason.WRONG_CELLS, id="300 commas"),
        pytest.param(
            GOOD_ROW.replace(b'"cb-633-48091580"', b'""'), Reason.NO_REFERENCE, id="no reference"
        ),
        pytest.param(
            GOOD_ROW.replace(b'"cb-633-48091580"', '"\u200b "'.encode()),
            Reason.NO_REFERENCE,
            id="unseen reference",
        ),
    ],
)
def test_a_broken_row_is_a_fault_in_its_place_and_hides_no_other(
    row: bytes, reason: Reason
) -> None:
    results = list(canadabuys.read(table({}) + row + GOOD_ROW))
    assert [type(one) for one in results] == [Release, Fault, Release]
    fault = results[1]
    assert isinstance(fault, Fault)
    assert (parted(fault.reason)[0], fault.position) == (reason, 1)


def test_a_nul_in_a_cell_is_cleaned() -> None:
    assert read_release(**{"title-titre-fra": "Toi\x00ture"}).title == "Toiture"
