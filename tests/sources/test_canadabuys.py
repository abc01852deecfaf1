"""CanadaBuys' table: the real excerpt, what reaches Québec, and what is wrong with a file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sources import canadabuys
from sources.errors import SourceMalformed
from sources.reasons import Reason, parted
from sources.release import Category, Fault, Item, Level, PassedOver, Release, Status

SAMPLE = (
    Path(__file__).resolve().parents[2]
    / "samples"
    / "canadabuys"
    / "newTenderNotice_20241210_extrait.csv"
)
RAW = SAMPLE.read_bytes()
ROWS = list(csv.DictReader(io.StringIO(RAW.decode(), newline="")))
HEADER = list(ROWS[0])

DELIVERY = "regionsOfDelivery-regionsLivraison"
OPPORTUNITY = "regionsOfOpportunity-regionAppelOffres"
CLOSING = "tenderClosingDate-appelOffresDateCloture"
PROVINCE = "contractingEntityAddressProvince-entiteContractanteAdresseProvince"
CODE = "contractingEntityAddressPostalCode-entiteContractanteAdresseCodePostal"
#: «Service de buanderie des sarraus…», Agence spatiale canadienne, Longueuil.
LAUNDRY = next(row for row in ROWS if row["referenceNumber-numeroReference"] == "cb-633-48091580")


def both(column: str, value: str) -> dict[str, str]:
    return {f"{column}-eng": value, f"{column}-fra": value}


def table(*changes: dict[str, str], header: list[str] = HEADER) -> bytes:
    """The laundry's row once for each set of changes, as CSV."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, header, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**LAUNDRY, **change} for change in changes)
    return written.getvalue().encode()


def read_one(**changes: str) -> Release | Fault | PassedOver:
    (result,) = canadabuys.read(table(changes))
    return result


def read_release(**changes: str) -> Release:
    result = read_one(**changes)
    assert isinstance(result, Release), result
    return result


def test_of_the_real_twelve_the_six_for_quebec_or_everywhere_are_releases() -> None:
    results = list(canadabuys.read(RAW))
    assert Counter(type(one) for one in results) == {Release: 6, PassedOver: 6}
    kept = {one.number: one.delivery_regions for one in results if isinstance(one, Release)}
    assert kept == {
        "cb-303-96479125": ("Région de la capitale nationale (RCN)", "Canada"),
        "cb-365-13402618": ("Canada",),
        "cb-90-83043743": (),
        "cb-453-23895863": ("Gatineau", "Région de la capitale nationale (RCN)"),
        "cb-633-48091580": ("Longueuil",),
        "cb-731-15865284": ("Canada",),
    }


def test_every_real_call_is_labelled_as_federal_and_has_a_title_a_buyer_and_a_page() -> None:
    for read in canadabuys.read(RAW):
        if isinstance(read, Release):
            assert read.level is Level.FEDERAL
            assert read.municipal is False
            assert read.title
            assert read.buyer
            assert read.closes_at
            assert read.uri == (
                f"https://canadabuys.canada.ca/fr/occasions-de-marche/appels-d-offres/{read.number}"
            )


def test_a_real_row_is_read_cell_by_cell() -> None:
    read = read_release()
    assert read.ocid == "canadabuys-cb-633-48091580"
    assert read.release_id == "000000-2024-12-09-0"
    assert read.title == (
        "Service de buanderie des sarraus des laboratoires et des salles propres de l'Agence "
        "spatiale canadienne"
    )
    assert read.buyer == "Agence spatiale canadienne"
    assert read.reference == "9F064 - 20240147"
    assert read.published_at == datetime(2024, 12, 9, 5, tzinfo=UTC)
    assert read.closes_at == datetime(2024, 12, 24, 15, tzinfo=UTC)
    assert read.category is Category.SERVICES
    assert read.procurement_method_details == "Demande de propositions"
    assert [item.code for item in read.items] == [
        "UNSPSC:41103200",
        "UNSPSC:47110000",
        "UNSPSC:76110000",
        "UNSPSC:76111505",
    ]
    assert read.items[2] == Item(
        code="UNSPSC:76110000", label="Services de nettoyage et de concierge"
    )
    assert read.locality == "Longueuil"
    assert read.description.startswith("OBJECTIF Le Canada cherche un entrepreneur")
    assert len(read.documents) == 1


@pytest.mark.parametrize(
    ("delivered", "told"),
    [
        ("*Québec (sauf RCN)", True),
        ("*Québec", True),
        ("*Canada", True),
        ("*Monde", True),
        ("*Longueuil", True),
        ("*Saint-Jérôme\n*Montréal", True),
        ("*Laurentides", True),
        ("*Ontario (sauf RCN)\n*Québec (sauf RCN)", True),
        ("*Région de la capitale nationale (RCN)\n*Gatineau", True),
        ("*Région de la capitale nationale (RCN)", False),
        ("*Ontario (sauf RCN)", False),
        ("*Nouveau-Brunswick", False),
        ("*Colombie-Britannique\n*Alberta", False),
        ("*Halifax", False),
        ("*Windsor\n*Ontario", False),
        ("*Windsor", True),
        ("*Étranger", False),
    ],
)
def test_only_what_is_delivered_in_quebec_or_everywhere_is_told(delivered: str, told: bool) -> None:
    result = read_one(**both(DELIVERY, delivered))
    assert isinstance(result, Release) is told
    assert not isinstance(result, Fault)


@pytest.mark.parametrize(
    ("opened", "province", "code", "told"),
    [
        ("*Canada", "Ontario", "K1A 0T6", True),
        ("*Ontario", "Québec", "J3Y 8Y9", False),
        ("*Non spécifiée", "Québec", "", True),
        ("", "QC", "K1A 0H4", True),
        ("", "", "H0H 0H0", True),
        ("", "(C.-B.)", "", False),
        ("", "Ottawa", "K1A 0T6", False),
        ("", "", "", True),
    ],
)
def test_where_delivery_is_not_said_what_else_is_known_decides_and_the_unknown_is_told(
    opened: str, province: str, code: str, told: bool
) -> None:
    said = both(DELIVERY, "") | both(OPPORTUNITY, opened) | both(PROVINCE, province)
    result = read_one(**said, **{CODE: code})
    assert isinstance(result, Release) is told


def test_the_english_cell_is_read_where_the_french_one_is_empty() -> None:
    changes = {
        f"{DELIVERY}-fra": "",
        f"{DELIVERY}-eng": "*Quebec (except NCR)",
        "title-titre-fra": " ",
    }
    read = read_release(**changes)
    assert read.delivery_regions == ("Quebec (except NCR)",)
    assert read.title == LAUNDRY["title-titre-eng"]


@pytest.mark.parametrize(
    ("english", "french", "read"),
    [
        ("Open", "Ouvert", Status.ACTIVE),
        ("*Open", "*Ouvert", Status.ACTIVE),
        ("", "Ouvert", Status.ACTIVE),
        ("", "", Status.ACTIVE),
        ("Cancelled", "Annulé", Status.CANCELLED),
        ("", "Annulé", Status.CANCELLED),
        ("Expired", "Expiré", None),
        ("Awarded", "Attribué", None),
        ("Nouveau statut", "", None),
    ],
)
def test_open_and_cancelled_calls_are_releases(
    english: str, french: str, read: Status | None
) -> None:
    column = "tenderStatus-appelOffresStatut"
    result = read_one(**{f"{column}-eng": english, f"{column}-fra": french})
    assert not isinstance(result, Fault)
    assert (result.status if isinstance(result, Release) else None) == read


def test_an_amendment_is_later_than_what_it_amends_and_a_cancellation_than_both() -> None:
    number, day = "amendmentNumber-numeroModification", "amendmentDate-dateModification"
    status = "tenderStatus-appelOffresStatut-eng"
    ids = [
        read_release().release_id,
        read_release(**{number: "001", day: "2024-12-12"}).release_id,
        read_release(**{number: "002", day: "2024-12-12"}).release_id,
        read_release(**{number: "002", day: "2024-12-12", status: "Cancelled"}).release_id,
        read_release(**{number: "010", day: "2024-12-13"}).release_id,
    ]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    ("written", "closes"),
    [
        ("2024-12-24T10:00:00", datetime(2024, 12, 24, 15, tzinfo=UTC)),
        ("2025-07-02T14:00:00", datetime(2025, 7, 2, 18, tzinfo=UTC)),
        ("2024-12-24T10:00:00-05:00", datetime(2024, 12, 24, 15, tzinfo=UTC)),
        ("2024-12-24T15:00:00Z", datetime(2024, 12, 24, 15, tzinfo=UTC)),
        ("2024-12-24 10:00", datetime(2024, 12, 24, 15, tzinfo=UTC)),
        ("", None),
        ("bientôt", None),
        ("24/12/2024", None),
        ("2024-02-30T10:00:00", None),
        ("0001-01-01T00:00:00", None),
        ("2999-01-01T00:00:00", None),
        ("20241224", None),
        ("9" * 5000, None),
    ],
)
def test_times_without_zone_are_quebecs_and_absurd_ones_leave_the_call(
    written: str, closes: datetime | None
) -> None:
    assert read_release(**{CLOSING: written}).closes_at == closes


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://achatscanada.canada.ca/x", "https://achatscanada.canada.ca/x"),
        ("", "made"),
        ("javascript:alert(1)", "made"),
        ("https://a@evil.test/", "made"),
        ("canadabuys.canada.ca/x", "made"),
        ("data:text/html,x", "made"),
    ],
)
def test_an_empty_or_unfit_address_is_made_of_the_reference(url: str, uri: str) -> None:
    read = read_release(**both("noticeURL-URLavis", url)).uri
    assert read == uri if uri != "made" else read.endswith("/cb-633-48091580")


def test_a_reference_that_fits_no_address_makes_none() -> None:
    read = read_release(**{"referenceNumber-numeroReference": "WS 1/2?x=<b>"})
    assert read.uri == ""


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("*56101700", ["UNSPSC:56101700"]),
        ("*56101700\n*76110000", ["UNSPSC:56101700", "UNSPSC:76110000"]),
        ("*56101700\r\n*76110000", ["UNSPSC:56101700", "UNSPSC:76110000"]),
        ("56101700", ["UNSPSC:56101700"]),
        ("*1000000", ["UNSPSC:01000000"]),
        ("*56101700\n*56101700", ["UNSPSC:56101700"]),
        ("*N7610", []),
        ("*" + "9" * 5000, []),
        ("", []),
        ("*\n*", []),
    ],
)
def test_a_cell_of_several_codes_is_parted(cell: str, codes: list[str]) -> None:
    assert [item.code for item in read_release(unspsc=cell).items] == codes


def test_labels_that_do_not_go_with_the_codes_are_left_out() -> None:
    read = read_release(unspsc="*56101700\n*76110000", **both("unspscDescription", "*Un seul"))
    assert [item.label for item in read.items] == ["", ""]


@pytest.mark.parametrize(
    ("cell", "category"),
    [("*GD", Category.GOODS), ("*SRV", Category.SERVICES), ("*SRVTGD", Category.SERVICES),
     ("*CNST", Category.WORKS), ("*GD\n*SRV", Category.GOODS), ("*XYZ", None), ("", None)],
)  # fmt: skip
def test_the_category_is_one_of_three(cell: str, category: Category | None) -> None:
    column = {"procurementCategory-categorieApprovisionnement": cell}
    assert read_release(**column).category is category


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("L&rsquo;entretien &#39;des&#39; parcs", "L’entretien 'des' parcs"),
        ("Un\r\n\r\nDeux", "Un Deux"),
        ("<p>Un</p><script>alert(1)</script>", "Un"),
        ("moins de < 5 ou > 3", "moins de < 5 ou > 3"),
        ("DÃ©neigement", "Déneigement"),
        ("l\x92hiver", "l’hiver"),
        ("a\x08b\u202ec", "abc"),
        ("", "OBJECTIVE Canada is seeking offers"),
    ],
)
def test_descriptions_are_text(text: str, read: str) -> None:
    column = "tenderDescription-descriptionAppelOffres-fra"
    assert read_release(**{column: text}).description.startswith(read)


def test_attachments_are_links_and_nothing_else() -> None:
    addresses = [f"https://exemple.quebec/{name}.pdf" for name in ("a", "b,c", "d")]
    cell = f"{addresses[0]}, {addresses[1]}\n*{addresses[2]}\njavascript:alert(1)\ndevis.pdf"
    read = read_release(**both("attachment-piecesJointes", cell))
    assert read.documents == tuple(addresses)


# Files.


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
