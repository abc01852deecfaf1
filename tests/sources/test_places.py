"""Buyers as SEAO writes them find their municipality, MRC and region, or stay unknown."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sources.places import Place, load, place

DATA = Path(__file__).with_name("data")
#: Moved from Montérégie to Estrie in July 2021, after most of these notices.
MOVED = {"MRC Brome-Missisquoi", "MRC La Haute-Yamaska"}
#: Buyers whose notice was delivered outside their own region.
DELIVERED_ELSEWHERE = {"Ville de Bois-des-Filion.", "Ville de Blainville.", "Ville de Repentigny."}
#: Bodies whose name tells no place; these files carry no address.
NAMELESS = {
    "Corporation d Habitation Jeanne-Mance",
    "Société du Parc Jean-Drapeau",
    "Régie d'aqueduc de Grand Pré",
}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def placed(
    buyer: str, *, municipal: bool | None = True, locality: str = "", postal_code: str = ""
) -> Place:
    return place(
        load(), buyer=buyer, municipal=municipal, locality=locality, postal_code=postal_code
    )


def test_the_forty_real_buyers_of_the_laurentides_are_all_there() -> None:
    assert len(rows("buyers_laurentides.csv")) == 40


@pytest.mark.parametrize("row", rows("buyers_laurentides.csv"), ids=lambda row: row["buyer"])
def test_each_real_buyer_of_the_laurentides_is_placed_there(row: dict[str, str]) -> None:
    found = placed(
        row["buyer"],
        municipal=row["municipal"] == "1",
        locality=row["locality"],
        postal_code=row["postal_code"],
    )

    assert found.region == "Laurentides"
    if row["municipal"] == "1":
        assert (found.municipality, found.basis) == (row["municipality"], "name")
        assert found.mrc or found.municipality == "Mirabel"


def test_municipal_buyers_are_placed_where_they_had_things_delivered(
    record_property: Callable[[str, object], None],
) -> None:
    names = {row["code"]: row["name"] for row in rows("regions.csv")}
    notices = rows("municipal_buyers_2018_2021.csv")
    single = [row for row in notices if row["delivery_region"] in names]
    kinds: Counter[str] = Counter()
    rest: Counter[tuple[str, str, str, str]] = Counter()
    for row in single:
        found, wanted = placed(row["buyer"]), names[row["delivery_region"]]
        kind = _judged(row["buyer"], found, wanted)
        kinds[kind] += 1
        if kind != "agrees":
            rest[(kind, row["buyer"], wanted, found.region or found.basis)] += 1

    located = sum(kinds.values()) - kinds["to check"] - kinds["no place in the name"]
    right = kinds["agrees"] + kinds["region changed in 2021"]
    lines = [
        f"places: {len(single)} notices of municipal buyers delivered in one region: {dict(kinds)}",
        f"  of {located} placed by name, {right} agree: {right / located:.2%}; the rest:",
    ]
    for (kind, buyer, wanted, got), times in sorted(rest.items()):
        lines.append(f"  {kind}: {times} x {buyer}: delivered in {wanted}, placed in {got}")
    record_property("measured", "\n".join(lines))
    assert right / located >= 0.99
    assert kinds["error"] == 0


def _judged(buyer: str, found: Place, wanted: str) -> str:
    if found.region == wanted:
        return "agrees"
    if found.mrc in MOVED and (wanted, found.region) == ("Montérégie", "Estrie"):
        return "region changed in 2021"
    if found.basis == "to check":
        return "to check"
    if found.basis == "unknown" and buyer in NAMELESS:
        return "no place in the name"
    return "delivered elsewhere" if buyer in DELIVERED_ELSEWHERE else "error"


@pytest.mark.parametrize(
    ("buyer", "municipality", "mrc", "region"),
    [
        ("Municipalité Sainte-Sophie", "Sainte-Sophie", "MRC La Rivière-du-Nord", "Laurentides"),
        (
            "Municipalité de Sainte-Sophie-d’Halifax",
            "Sainte-Sophie-d'Halifax",
            "MRC L'Érable",
            "Centre-du-Québec",
        ),
        ("Municipalité de L' Ascension", "L'Ascension", "MRC Antoine-Labelle", "Laurentides"),
        (
            "MUNICIPALITE DE L'ASCENSION DE NOTRE-SEIGNEUR",
            "L'Ascension-de-Notre-Seigneur",
            "MRC Lac-Saint-Jean-Est",
            "Saguenay–Lac-Saint-Jean",
        ),
        ("MRC Les Laurentides", "", "MRC Les Laurentides", "Laurentides"),
        ("Ville de Saint-Lin-Laurentides", "Saint-Lin–Laurentides", "MRC Montcalm", "Lanaudière"),
        ("Municipalité de Montcalm", "Montcalm", "MRC Les Laurentides", "Laurentides"),
        ("MRC de Montcalm", "", "MRC Montcalm", "Lanaudière"),
        ("Ville de Montréal - Arrondissement CDN-NDG - SDF590204", "Montréal", "", "Montréal"),
        (
            "VILLE DE ST-JEROME - Service du génie",
            "Saint-Jérôme",
            "MRC La Rivière-du-Nord",
            "Laurentides",
        ),
        ("Municipalité des Éboulements", "Les Éboulements", "MRC Charlevoix", "Capitale-Nationale"),
        ("Municipalité du Canton de Gore", "Gore", "MRC Argenteuil", "Laurentides"),
        ("Wentworth-Nord", "Wentworth-Nord", "MRC Les Pays-d'en-Haut", "Laurentides"),
        (
            "Municipalité de Saint-Majorique",
            "Saint-Majorique-de-Grantham",
            "MRC Drummond",
            "Centre-du-Québec",
        ),
        (
            "Régie intermunicipale de police Thérèse-De Blainville",
            "",
            "MRC Thérèse-De Blainville",
            "Laurentides",
        ),
        ("Régie intermunicipale d'Acton et des Maskoutains", "", "", "Montérégie"),
        ("OMH de Victoriaville . Warwick", "Victoriaville", "MRC Arthabaska", "Centre-du-Québec"),
        (
            "Office régional d’habitation de la MRC des Pays-d’en-Haut",
            "",
            "MRC Les Pays-d'en-Haut",
            "Laurentides",
        ),
        ("Société de transport de Laval", "Laval", "", "Laval"),
        ("Ville Asbestos", "Val-des-Sources", "MRC Les Sources", "Estrie"),
        ("Ville de Québec", "Québec", "", "Capitale-Nationale"),
    ],
)  # fmt: skip
def test_a_name_is_read_as_buyers_write_it(
    buyer: str, municipality: str, mrc: str, region: str
) -> None:
    wanted = Place(municipality=municipality, mrc=mrc, region=region, basis="name")
    assert placed(buyer) == wanted


@pytest.mark.parametrize(
    ("buyer", "postal_code", "region"),
    [
        pytest.param("Municipalité de Saint-Donat", "", "", id="a parish may say municipality"),
        pytest.param("Paroisse de Saint-Donat", "", "Bas-Saint-Laurent", id="designation"),
        pytest.param("Municipalité de Saint-Donat", "J0T 2C0", "Lanaudière", id="town hall"),
        pytest.param("Municipalité de Saint-Donat", "G0K 9Z9", "Bas-Saint-Laurent", id="area"),
        pytest.param("Municipalité de Saint-Donat", "H2Y 1T9", "", id="an agent elsewhere"),
    ],
)
def test_a_homonym_is_decided_by_what_is_sure_or_stays_unknown(
    buyer: str, postal_code: str, region: str
) -> None:
    assert placed(buyer, postal_code=postal_code).region == region


@pytest.mark.parametrize(
    ("buyer", "region"),
    [
        ("Ministère des Transports (Direction des contrats de construction et de services)", ""),
        ("Ministère des Transports (DT de Laurentides-Lanaudière)", ""),
        ("Centre d'acquisitions gouvernementales - Direction du service à la clientèle", ""),
        ("Société des établissements de plein air du Québec (Sépaq).", ""),
        ("Santé Québec Montérégie-Centre  ", "Montérégie"),
        ("Centre intégré de santé et de services sociaux (CISSS) des Laurentides", "Laurentides"),
        ("Santé Québec Nord-de-l'Île-de-Montréal – Universitaire", "Montréal"),
        ("SQI-Direction des contrats", ""),
        ("Hydro-Québec", ""),
    ],
)
def test_a_provincial_buyers_head_office_is_never_the_place_of_the_work(
    buyer: str, region: str
) -> None:
    found = placed(buyer, municipal=False, locality="Saint-Jérôme", postal_code="J7Z5N6")
    assert found == Place(municipality="", mrc="", region=region, basis="to check")


def test_a_metropolitan_body_is_to_be_checked_although_municipal() -> None:
    found = placed("Réseau de Transport Métropolitain (EXO)", locality="Montréal")
    assert (found.region, found.basis) == ("", "to check")


@pytest.mark.parametrize(
    ("locality", "postal_code", "wanted"),
    [
        ("Mont-Laurier", "", ("Mont-Laurier", "Laurentides", "postal code")),
        ("", "j7z 7z7", ("Saint-Jérôme", "Laurentides", "postal code")),
        ("", "J7Z 9Z9", ("", "Laurentides", "postal code")),
        ("", "J0T 9Z9", ("", "", "unknown")),
        ("Ottawa", "K1A 0S5", ("", "", "unknown")),
    ],
    ids=["locality", "town hall code", "area of one region", "area of several", "outside Québec"],
)
def test_a_name_without_a_place_falls_back_on_the_address(
    locality: str, postal_code: str, wanted: tuple[str, str, str]
) -> None:
    found = placed("Fondation X", municipal=False, locality=locality, postal_code=postal_code)
    assert (found.municipality, found.region, found.basis) == wanted


def test_the_name_wins_over_an_agents_address() -> None:
    found = placed("Ville de Sainte-Anne-des-Plaines.", locality="Montréal", postal_code="H2Y1T9")
    assert (found.municipality, found.region) == ("Sainte-Anne-des-Plaines", "Laurentides")


def test_a_university_named_after_a_bishop_is_not_in_laval() -> None:
    assert placed("Université Laval", municipal=False).region == ""


@pytest.mark.parametrize(
    "buyer",
    ["", " ", "-", "l'", "15", "14,15", "Ville de", "MRC", "\x00", "( / ;",
     "Ville de Sainte-Sophie-de-Nulle-Part",
     "A" * 5_000_000, "Ville de " * 500_000, " " * 1_000_000 + "-"],
    ids=range(14),
)  # fmt: skip
def test_what_names_no_place_is_unknown_and_never_a_fault(buyer: str) -> None:
    assert placed(buyer) == Place(municipality="", mrc="", region="", basis="unknown")


def test_every_municipality_finds_itself_by_its_designation_and_name() -> None:
    directory = load()
    organised = {"Ville": "Ville de", "Municipalité": "Municipalité de", "Canton": "Canton de",
                 "Paroisse": "Paroisse de", "Village": "Village de"}  # fmt: skip
    wrong = [
        (entry.name, found)
        for entries in directory.municipalities.values()
        for entry in entries
        if entry.designation in organised
        for found in [placed(f"{organised[entry.designation]} {entry.name} .")]
        if found.region not in {entry.region, ""}
    ]
    assert wrong == []
