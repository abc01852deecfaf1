"""A roster as staff really have it: read whole, or refused with what to mend."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from base.spreadsheet import LARGEST, Unreadable
from subscriptions import addresses, cells, roster, sectors
from subscriptions.errors import RosterUnreadable
from subscriptions.roster import Reason, Roster
from subscriptions.roster_words import Column
from subscriptions.stretches import Declared
from subscriptions.tables import Basis, Frequency

CATALOGUE = sectors.load()
SAMPLES = Path(__file__).parents[2] / "samples" / "roster"
HEADER = "entreprise;statut;courriel;secteurs"
LINE = "Coop fictive du Nord;actif;anne@exemple.quebec;deneigement"


def _read(text: str | bytes) -> Roster:
    return roster.read(text if isinstance(text, bytes) else text.encode(), CATALOGUE)


def _workbook(*rows: list[object], merged: str = "") -> openpyxl.Workbook:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if merged:
        sheet.merge_cells(merged)
    return workbook


def _saved(workbook: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def _why(found: Roster) -> list[tuple[int, str | None, str]]:
    return [(r.line, r.column, r.reason) for r in found.refused]


def test_a_line_says_all_that_is_asked_of_a_member() -> None:
    found = _read(
        "Nom de l’entreprise;Téléphone;STATUT;Début d’adhésion;Fin;Contact;Adresse courriel;"
        "Secteurs d’activité;FRÉQUENCE;Territoire;Consentement;Preuve;Date de consentement\n"
        "Coop fictive du Nord;450 555-0101;Membre actif;2024-01-01;2026-12-31;Anne Fictive;"
        'Anne@EXEMPLE.quebec;"deneigement; Gestion des matières résiduelles";Quotidienne;'
        "Argenteuil|Mirabel;Exprès;Formulaire 1;2024-02-03\n"
    )

    assert found.refused == ()
    (entry,) = found.entries
    assert entry == roster.Entry(
        line=2,
        enterprise="Coop fictive du Nord",
        telephone="450 555-0101",
        status="Membre actif",
        membership=Declared(True, date(2024, 1, 1), date(2026, 12, 31)),
        contact="Anne Fictive",
        address="anne@exemple.quebec",
        sectors=("deneigement", "matieres-residuelles"),
        frequency=Frequency.DAILY,
        territory=("Argenteuil", "Mirabel"),
        basis=Basis.EXPRESS,
        evidence="Formulaire 1",
        consented_on=date(2024, 2, 3),
    )


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(f"{HEADER}\n{LINE}é\n".encode(), id="utf-8"),
        pytest.param(f"{HEADER}\n{LINE}é\n".encode("utf-8-sig"), id="utf-8 with BOM"),
        pytest.param(f"{HEADER}\r\n{LINE}é\r\n".encode("cp1252"), id="windows-1252"),
        pytest.param(f"{HEADER}\n{LINE}é\n".encode("utf-16"), id="utf-16, Excel's «texte Unicode»"),
        pytest.param(f"{HEADER}\n{LINE}é\n".replace(";", ",").encode(), id="commas"),
        pytest.param(f"{HEADER}\n{LINE}é\n".replace(";", "\t").encode(), id="tabs"),
        pytest.param(f"{HEADER.upper()}\n{LINE}é\n".encode(), id="header in capitals"),
        pytest.param(
            f"\n Membres au 21 septembre, liste;\n\n{HEADER}\n{LINE}é".encode(), id="title"
        ),
        pytest.param(f"sep=;\n{HEADER}\n{LINE}é".encode(), id="Excel's sep line"),
        pytest.param(f"{HEADER}{';' * 300}\n;;\n{LINE}é{';' * 300}\n\n".encode(), id="ragged"),
    ],
)
def test_a_csv_is_read_however_it_was_saved(document: bytes) -> None:
    text = document.replace(b"deneigement\xe9", b"deneigement").replace(
        "deneigement\u00e9".encode(), b"deneigement"
    )
    text = text.replace("é".encode("utf-16-le"), b"") if text[:2] == b"\xff\xfe" else text
    found = _read(text)
    assert [(e.enterprise, e.address, e.sectors) for e in found.entries] == [
        ("Coop fictive du Nord", "anne@exemple.quebec", ("deneigement",))
    ]


def test_accents_survive_windows_1252() -> None:
    found = _read(f"{HEADER}\n{LINE.replace('Nord', 'Déneigement d’Œuvre')}".encode("cp1252"))
    assert found.entries[0].enterprise == "Coop fictive du Déneigement d’Œuvre"


def test_the_sample_is_the_same_in_csv_and_in_excel() -> None:
    csv, xlsx = (
        roster.read((SAMPLES / f"membres_fictifs.{kind}").read_bytes(), CATALOGUE)
        for kind in ("csv", "xlsx")
    )
    assert csv == xlsx
    assert (len(csv.entries), csv.refused) == (16, ())


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        pytest.param(";actif;b@exemple.quebec;deneigement", Column.ENTERPRISE, cells.Fault.EMPTY),
        pytest.param(
            "🎉;actif;b@exemple.quebec;deneigement", Column.ENTERPRISE, cells.Fault.NO_WORD
        ),
        pytest.param(
            f"{'N' * 201};actif;b@exemple.quebec;deneigement", Column.ENTERPRISE, "too long"
        ),
        pytest.param("C\x00oop;actif;b@exemple.quebec;deneigement", Column.ENTERPRISE, "damaged"),
        pytest.param("Coop B;;b@exemple.quebec;deneigement", Column.STATUS, cells.Fault.EMPTY),
        pytest.param("Coop B;bof;b@exemple.quebec;deneigement", Column.STATUS, "unknown status"),
        pytest.param("Coop B;actif;;deneigement", Column.ADDRESS, cells.Fault.EMPTY),
        pytest.param("Coop B;actif;b@exemple.quebec;", Column.SECTORS, cells.Fault.EMPTY),
        pytest.param("Coop B;actif;b@exemple.quebec;magie", Column.SECTORS, "unknown sector"),
        pytest.param(LINE.replace("Nord", "Sud"), Column.ADDRESS, Reason.TWO_ENTERPRISES),
        pytest.param(LINE.replace("anne", "ANNE"), Column.ADDRESS, Reason.ADDRESS_TWICE),
        pytest.param(HEADER.upper(), None, Reason.HEADER_AGAIN),
        pytest.param(
            "COOP FICTIVE DU NORD;suspendu;b@exemple.quebec;deneigement",
            Column.STATUS,
            Reason.TWO_STANDINGS,
        ),
    ],
)
def test_a_bad_line_is_refused_and_hides_no_other(
    line: str, column: Column | None, reason: str
) -> None:
    last = "Coop fictive de la Fin;actif;fin@exemple.quebec;deneigement"
    found = _read(f"{HEADER}\n{LINE}\n{line}\n{last}\n")
    assert _why(found) == [(3, column, reason)]
    assert [e.line for e in found.entries] == [2, 4]


def test_all_that_is_wrong_with_a_line_is_said_at_once() -> None:
    found = _read(f"{HEADER}\n;bof;pas une adresse;magie\n")
    assert [c for _, c, _ in _why(found)] == ["status", "enterprise", "address", "sectors"]


def test_an_unknown_sector_comes_with_the_closest_labels() -> None:
    found = _read(f"{HEADER}\nCoop B;actif;b@exemple.quebec;Dénégement de batiments\n")
    written, *close = found.refused[0].detail.split(" | ")
    assert written == "Dénégement de batiments"
    assert "Déneigement de bâtiments et de stationnements" in close


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        pytest.param("аnne@exemple.quebec", addresses.Fault.LOOK_ALIKE, id="Cyrillic а"),
        pytest.param("anne@еxemple.quebec", addresses.Fault.LOOK_ALIKE, id="Cyrillic е in domain"),
        pytest.param("ａnne@exemple.quebec", addresses.Fault.LOOK_ALIKE, id="full width"),
        pytest.param("o’connor@exemple.quebec", addresses.Fault.LOOK_ALIKE, id="typographic"),
        pytest.param("an😀ne@exemple.quebec", addresses.Fault.LOOK_ALIKE, id="emoji"),
        pytest.param("élodie@exemple.quebec", addresses.Fault.NOT_ASCII, id="SMTPUTF8"),
        pytest.param("Anne <anne@exemple.quebec>", addresses.Fault.MALFORMED, id="with name"),
        pytest.param("mailto:anne@exemple.quebec", addresses.Fault.MALFORMED, id="mailto"),
        pytest.param("a@exemple.quebec, b@exemple.quebec", addresses.Fault.MALFORMED, id="two"),
        pytest.param("anne@exemple.quebec.", addresses.Fault.MALFORMED, id="final dot"),
        pytest.param("a..b@exemple.quebec", addresses.Fault.MALFORMED, id="two dots"),
        pytest.param('"a b"@exemple.quebec', addresses.Fault.MALFORMED, id="quoted"),
        pytest.param("anne@localhost", addresses.Fault.MALFORMED, id="no domain"),
        pytest.param("anne@exemple.invalid", addresses.Fault.MALFORMED, id="reserved domain"),
        pytest.param("anne@[127.0.0.1]", addresses.Fault.MALFORMED, id="literal"),
        pytest.param("anne", addresses.Fault.MALFORMED, id="no @"),
        pytest.param(f"{'a' * 65}@exemple.quebec", addresses.Fault.MALFORMED, id="65 characters"),
        pytest.param(f"a@{'b' * 63}.{'c' * 200}.quebec", addresses.Fault.TOO_LONG, id="255"),
        pytest.param("abuse@exemple.quebec", addresses.Fault.NO_READER, id="abuse"),
    ],
)
def test_an_address_that_cannot_be_written_to_is_refused(written: str, reason: str) -> None:
    quoted = written.replace('"', '""')
    found = _read(f'{HEADER}\nCoop B;actif;"{quoted}";deneigement\n')
    assert _why(found) == [(2, Column.ADDRESS, reason)]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        pytest.param("\u00a0 Anne@Exemple.QUEBEC\u200b ", "anne@exemple.quebec", id="blanks, case"),
        pytest.param("anne@québec.ca", "anne@xn--qubec-csa.ca", id="A-label"),
        pytest.param("anne+ao@exemple.quebec", "anne+ao@exemple.quebec", id="plus"),
    ],
)
def test_an_address_has_one_spelling(written: str, stored: str) -> None:
    assert _read(f"{HEADER}\nCoop B;actif;{written};deneigement").entries[0].address == stored


@pytest.mark.parametrize(
    ("starts", "ends", "reason"),
    [
        pytest.param("05/11/2026", "", cells.Fault.NO_DATE, id="two days"),
        pytest.param("25/11/2026", "", cells.Fault.NO_DATE, id="only one day, all the same"),
        pytest.param("2026-02-30", "", cells.Fault.NO_DATE, id="no such day"),
        pytest.param("46331", "", cells.Fault.NO_DATE, id="Excel's number"),
        pytest.param("9999-12-31", "", cells.Fault.NO_DATE, id="absurd year"),
        pytest.param("hier", "", cells.Fault.NO_DATE, id="word"),
    ],
)
def test_a_date_that_is_not_sure_is_refused(starts: str, ends: str, reason: str) -> None:
    found = _read(f"{HEADER};début;fin\n{LINE};{starts};{ends}")
    assert _why(found) == [(2, Column.STARTS, reason)]


def test_dates_that_are_reversed_are_refused() -> None:
    found = _read(f"{HEADER};début;fin\n{LINE};2026-05-02;2026-05-01")
    assert _why(found) == [(2, Column.ENDS, cells.Fault.DATES_REVERSED)]


def test_emoji_and_markup_in_a_name_are_only_a_name() -> None:
    found = _read(f"{HEADER}\n{LINE.replace('Nord', 'Nord 🎉 <b>=1+1')}")
    assert found.entries[0].enterprise == "Coop fictive du Nord 🎉 <b>=1+1"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(b"", Unreadable.EMPTY, id="empty"),
        pytest.param(b"\xef\xbb\xbf\r\n", Unreadable.EMPTY, id="BOM alone"),
        pytest.param(HEADER.encode(), Unreadable.NO_LINES, id="header only"),
        pytest.param(LINE.encode(), Unreadable.NO_HEADER, id="no header"),
        pytest.param(b"entreprise;courriel\na;b", Unreadable.MISSING_COLUMNS, id="columns lack"),
        pytest.param(
            f"{HEADER};Email\n{LINE}".encode(), Unreadable.COLUMN_TWICE, id="two headings"
        ),
        pytest.param(f'{HEADER}\n"{LINE}\n{LINE}'.encode(), Unreadable.QUOTES, id="open quote"),
        pytest.param(b"%PDF-1.7", Unreadable.PDF, id="pdf"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Unreadable.OLD_OFFICE, id="xls"),
        pytest.param(b"\x89PNG\r\n", Unreadable.IMAGE, id="png"),
        pytest.param(b"PK\x03\x04rubbish", Unreadable.DAMAGED_XLSX, id="cut zip"),
        pytest.param(b"\x81\x8d\x8f\x90", Unreadable.NOT_TEXT, id="bytes"),
        pytest.param(b"x" * (LARGEST + 1), Unreadable.TOO_LARGE, id="over 5 MB"),
        pytest.param(
            f"{HEADER}\n".encode() + b"a;b;c;d\n" * 65_536, Unreadable.TOO_MANY_LINES, id="65,537"
        ),
        pytest.param(b"a" * 200_000 + b";b", Unreadable.QUOTES, id="a field without end"),
    ],
)
def test_a_file_that_is_no_roster_is_refused_whole(document: bytes, reason: Unreadable) -> None:
    with pytest.raises(RosterUnreadable) as refusal:
        _read(document)
    assert refusal.value.reason == reason


def test_65_536_lines_are_read() -> None:
    found = _read(f"{HEADER}\n".encode() + b"a;b;c;d\n" * 65_535)
    assert len({r.line for r in found.refused}) == 65_535


def test_an_open_quote_names_the_line_where_it_opens() -> None:
    with pytest.raises(RosterUnreadable) as refusal:
        _read(f'{HEADER}\n{LINE}\n"{LINE}\n{LINE}\n')
    assert refusal.value.detail == "3"


EXCEL_HEADER: list[object] = ["Entreprise", "Statut", "Courriel", "Secteurs", "Début"]
EXCEL_LINE: list[object] = ["Coop fictive du Nord", "actif", "anne@exemple.quebec", "deneigement"]


def test_an_excel_date_is_a_date() -> None:
    found = _read(_saved(_workbook(EXCEL_HEADER, [*EXCEL_LINE, datetime(2026, 5, 1)])))  # noqa: DTZ001
    assert found.entries[0].membership.starts_on == date(2026, 5, 1)


def test_a_formula_is_refused_and_never_computed() -> None:
    computed = ["=A1", "actif", "bruno@exemple.quebec", "deneigement"]
    found = _read(_saved(_workbook(EXCEL_HEADER, EXCEL_LINE, computed)))
    assert _why(found) == [(3, Column.ENTERPRISE, cells.Fault.FORMULA)]
    assert len(found.entries) == 1


def test_an_error_of_excel_is_refused() -> None:
    found = _read(_saved(_workbook(EXCEL_HEADER, [*EXCEL_LINE, "#REF!"])))
    assert _why(found) == [(2, Column.STARTS, cells.Fault.FORMULA)]


def test_merged_cells_leave_lines_that_are_refused_one_by_one() -> None:
    second = ["", "actif", "bruno@exemple.quebec", "deneigement"]
    found = _read(_saved(_workbook(EXCEL_HEADER, EXCEL_LINE, second, merged="A2:A3")))
    assert _why(found) == [(3, Column.ENTERPRISE, cells.Fault.EMPTY)]
    assert len(found.entries) == 1


def test_the_first_visible_sheet_with_a_header_is_read() -> None:
    workbook = _workbook(EXCEL_HEADER, ["Coop cachée", "actif", "x@exemple.quebec", "deneigement"])
    workbook.worksheets[0].sheet_state = "hidden"
    workbook.create_sheet("Notes").append(["Rien ici"])
    members = workbook.create_sheet("Membres")
    members.append(EXCEL_HEADER)
    members.append(EXCEL_LINE)
    workbook.active = 2
    assert [e.enterprise for e in _read(_saved(workbook)).entries] == ["Coop fictive du Nord"]


def _zip(**parts: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(_zip(content=b"<ods/>"), Unreadable.NOT_XLSX, id="another zip"),
        pytest.param(_zip(xl__workbook=b"<x/>"), Unreadable.DAMAGED_XLSX, id="workbook of nothing"),
        pytest.param(
            _zip(xl__workbook=b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"),
            Unreadable.DAMAGED_XLSX,
            id="entities",
        ),
        pytest.param(
            _zip(xl__workbook=b"<x/>", bomb=b" " * 101 * 1024 * 1024),
            Unreadable.TOO_LARGE,
            id="bomb",
        ),
    ],
)
def test_a_zip_that_is_no_sound_workbook_is_refused(document: bytes, reason: Unreadable) -> None:
    with pytest.raises(RosterUnreadable) as refusal:
        _read(document)
    assert refusal.value.reason == reason
