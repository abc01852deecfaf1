"""Which weekly files a CKAN dataset lists."""

from __future__ import annotations

import json
from datetime import date

import pytest

from sources import ckan
from sources.errors import SourceMalformed
from sources.reasons import Reason, parted
from tests.packages import LISTING

ROOT = "https://www.donneesquebec.ca/recherche/dataset/d/resource"


def listing(*resources: object) -> bytes:
    return json.dumps({"success": True, "result": {"resources": resources}}).encode()


def resource(name: object, url: str = "", modified: object = "2026-07-27T06:03:01") -> object:
    return {"name": name, "url": url or f"{ROOT}/1/download/{name}", "last_modified": modified}


def test_the_real_answer_lists_its_weekly_files_in_the_order_of_their_weeks() -> None:
    found = ckan.weekly("seao", LISTING.read_bytes())
    assert [one.name for one in found] == [
        "hebdo_20260706_20260712.json",
        "hebdo_20260713_20260719.json",
        "hebdo_20260720_20260726.json",
        "hebdo_20260720_20260726.json",
    ]
    assert len({one.url for one in found}) == 4
    assert (found[0].first, found[0].last) == (date(2026, 7, 6), date(2026, 7, 12))


def test_of_two_files_of_one_name_the_one_put_there_first_comes_first() -> None:
    name = "hebdo_20251222_20251228.json"
    later = resource(name, f"{ROOT}/a/download/{name}", "2025-12-30T06:00:00")
    first = resource(name, f"{ROOT}/b/download/{name}", "2025-12-29T06:00:00")
    found = ckan.weekly("seao", listing(later, first))
    assert [one.url for one in found] == [first["url"], later["url"]]  # type: ignore[index]


@pytest.mark.parametrize(
    "name",
    [
        "hebdo_20260706_20260712.json",
        " hebdo_20260706_20260712.json ",
        {"fr": "hebdo_20260706_20260712.json", "en": "x"},
        {"en": "hebdo_20260706_20260712.json"},
    ],
)
def test_a_name_may_be_translated(name: object) -> None:
    (found,) = ckan.weekly("seao", listing(resource(name, "https://exemple.quebec/f")))
    assert found.name == "hebdo_20260706_20260712.json"


@pytest.mark.parametrize("name", ["Semaine du 6 juillet", None, 3, {}, {"fr": None}])
def test_a_name_for_people_gives_way_to_the_address(name: object) -> None:
    url = f"{ROOT}/1/download/hebdo_20260706_20260712.json"
    (found,) = ckan.weekly("seao", listing(resource(name, url, None)))
    assert found.name == "hebdo_20260706_20260712.json"


@pytest.mark.parametrize(
    "name",
    [
        "mensuel_20260601_20260630.json",
        "hebdo_20260706_20260712.xml",
        "hebdo_20260706.json",
        "hebdo_20261345_20261399.json",
        "hebdo_20260712_20260706.json",
        "specifications.pdf",
    ],
)
def test_other_files_are_not_weekly_ones(name: str) -> None:
    found = ckan.weekly("seao", listing(resource("hebdo_20260706_20260712.json"), resource(name)))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", Reason.NOT_A_LISTING),
        (b"<html>", Reason.NOT_A_LISTING),
        (b"[]", Reason.NOT_A_LISTING),
        (b'{"success": false, "error": {}}', Reason.NOT_A_LISTING),
        (b'{"success": false, "result": {"resources": []}}', Reason.NOT_A_LISTING),
        (b'{"result": {"resources": {}}}', Reason.NOT_A_LISTING),
        (b'{"result": ' + b"[" * 100_000, Reason.NOT_A_LISTING),
        (LISTING.read_bytes()[:900], Reason.NOT_A_LISTING),
        (listing(), Reason.NOTHING_LISTED),
        (listing(resource("mensuel_20260601_20260630.json")), Reason.NOTHING_LISTED),
    ],
)
def test_an_answer_without_weekly_files_is_refused(document: bytes, reason: Reason) -> None:
    with pytest.raises(SourceMalformed) as refused:
        ckan.weekly("seao", document)
    assert parted(refused.value.reason)[0] is reason
