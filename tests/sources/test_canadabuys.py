"""CanadaBuys' rows: the real excerpt, what reaches Québec, and what each cell says."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from sources import canadabuys
from sources.release import Category, Fault, Item, Level, PassedOver, Release, Status
from tests.canadabuys_rows import (
    CLOSING,
    CODE,
    DELIVERY,
    LAUNDRY,
    OPPORTUNITY,
    PROVINCE,
    RAW,
    both,
    read_one,
    read_release,
)


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
