"""A changed catalogue is held to what the classification can use, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.vetting import Fault, Wrong, faults
from subscriptions import sectors
from subscriptions.errors import CatalogueInvalid

GOOD = """version = 2

[contextes]
biens = ["achat"]

[[secteur]]
slug = "deneigement"
libelle = "Déneigement"
description = "Stationnements et accès."
unspsc = ["72102901"]
unspsc_larges = ["83000000"]
seao = ["S14"]
natures = ["services"]
mots_cles = [
    "déneigement", "enlèvement de la neige",
    "déglaçage",
]
exclure = ["rue"]
atteste = "AUT"
"""


def changed(old: str, new: str) -> list[Fault]:
    assert old in GOOD
    return faults(GOOD.replace(old, new).encode())


def test_the_catalogue_that_ships_has_no_fault() -> None:
    assert faults(sectors.DEFAULT.read_bytes()) == []


def test_a_good_catalogue_has_no_fault_and_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secteurs.toml"
    path.write_text(GOOD, "utf-8")
    assert faults(path.read_bytes()) == []
    assert [sector.slug for sector in sectors.load(path)] == ["deneigement"]


@pytest.mark.parametrize(
    ("old", "new", "wrong", "line", "key", "detail"),
    [
        pytest.param("version = 2", 'version = 2\ntitre = "x"', Wrong.UNKNOWN_KEY, 0, "titre",
                     "titre", id="unknown key of the file"),
        pytest.param("biens =", "bien =", Wrong.UNKNOWN_KEY, 4, "bien", "bien",
                     id="unknown context"),
        pytest.param("atteste =", "attest =", Wrong.UNKNOWN_KEY, 19, "attest", "attest",
                     id="unknown key of a sector"),
        pytest.param('seao = ["S14"]\n', "", Wrong.MISSING, 6, "seao", "seao", id="missing key"),
        pytest.param('"Déneigement"', '""', Wrong.NOT_TEXT, 8, "libelle", "", id="empty label"),
        pytest.param('["rue"]', '"rue"', Wrong.NOT_LIST, 18, "exclure", "rue", id="no list"),
        pytest.param('["rue"]', '["rue", 3]', Wrong.NOT_LIST, 18, "exclure", "3", id="a number"),
        pytest.param('"deneigement"', '"Déneigement"', Wrong.SLUG_FORM, 7, "slug", "Déneigement",
                     id="slug with accent"),
        pytest.param('    "déglaçage"', '    "  "', Wrong.EMPTY_WORD, 16, "mots_cles", "  ",
                     id="empty keyword"),
        pytest.param('    "déglaçage"', '    "de la"', Wrong.SMALL_WORDS, 16, "mots_cles", "de la",
                     id="stop words alone"),
        pytest.param('    "déglaçage"', '    "pour"', Wrong.SMALL_WORDS, 16, "mots_cles", "pour",
                     id="a stop word"),
        pytest.param('    "déglaçage"', '    "?!"', Wrong.SMALL_WORDS, 16, "mots_cles", "?!",
                     id="marks alone"),
        pytest.param('"rue"', '"de"', Wrong.SMALL_WORDS, 18, "exclure", "de",
                     id="an exclusion of everything"),
        pytest.param('    "déglaçage"', '    "déneigement"', Wrong.WORD_TWICE, 15, "mots_cles",
                     "déneigement", id="twice"),
        pytest.param('"rue"', '"Déneigements"', Wrong.WORD_AND_EXCLUSION, 18, "exclure",
                     "Déneigements", id="keyword and exclusion"),
        pytest.param('"72102901"', '"7210290A"', Wrong.NOT_UNSPSC, 10, "unspsc", "7210290A",
                     id="letters in a prefix"),
        pytest.param('"72102901"', '"7"', Wrong.NOT_UNSPSC, 10, "unspsc", "7", id="one digit"),
        pytest.param('"83000000"', '"830000000"', Wrong.NOT_UNSPSC, 11, "unspsc_larges",
                     "830000000", id="nine digits"),
        pytest.param('"S14"', '"14"', Wrong.NOT_SEAO, 12, "seao", "14", id="category"),
        pytest.param('["services"]', '["service"]', Wrong.NOT_NATURE, 13, "natures", "service",
                     id="nature"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_line_and_what_was_found(
    old: str, new: str, wrong: Wrong, line: int, key: str, detail: str
) -> None:
    found = changed(old, new)
    assert [(one.wrong, one.line, one.key, one.detail) for one in found] == [
        (wrong, line, key, detail)
    ]


def test_a_slug_used_twice_is_told_where_it_is_used_again() -> None:
    again = GOOD + GOOD[GOOD.index("[[secteur]]") :]
    found = faults(again.encode())
    assert [(one.wrong, one.line, one.slug) for one in found] == [
        (Wrong.SLUG_TWICE, 21, "deneigement"),
        (Wrong.LABEL_TWICE, 22, "deneigement"),
    ]


def test_every_fault_is_told_at_once_in_the_order_of_the_lines() -> None:
    bad = GOOD.replace('"72102901"', '"x"').replace('"S14"', '"x"').replace('"rue"', '""')
    assert [one.line for one in faults(bad.encode())] == [10, 12, 18]


def test_a_sector_that_nothing_says_is_told() -> None:
    bad = GOOD.replace('unspsc = ["72102901"]', "unspsc = []")
    bad = bad[: bad.index("mots_cles")] + "mots_cles = []\nexclure = []\n"
    assert [one.wrong for one in faults(bad.encode())] == [Wrong.NOTHING_SAYS_IT]


@pytest.mark.parametrize(
    ("document", "wrong", "line"),
    [
        (b"\xff", Wrong.NOT_UTF8, 0),
        (b"", Wrong.NO_SECTOR, 0),
        (b"secteur = 3", Wrong.MISSING, 0),
        (b'version = 2\n[[secteur]]\nslug = "x', Wrong.NOT_TOML, 3),
        (b"<html>", Wrong.NOT_TOML, 1),
    ],
)
def test_what_is_no_catalogue_is_told_as_such(document: bytes, wrong: Wrong, line: int) -> None:
    found = faults(document)
    assert (wrong, line) in {(one.wrong, one.line) for one in found}


def test_a_duplicate_slug_is_refused_by_the_service_too(tmp_path: Path) -> None:
    path = tmp_path / "secteurs.toml"
    path.write_text(GOOD + GOOD[GOOD.index("[[secteur]]") :], "utf-8")
    with pytest.raises(CatalogueInvalid):
        sectors.load(path)
