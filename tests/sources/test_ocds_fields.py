"""Single fields of any publisher's releases, right and wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sources import ocds
from sources.release import Fault, Release, Status
from tests.ocds_releases import OTHER, read_one, read_release, release


@pytest.mark.parametrize(
    ("tag", "status", "read"),
    [
        (["tender"], "active", Status.ACTIVE),
        (["tenderAmendment"], "Active ", Status.ACTIVE),
        (["tenderUpdate", "awardUpdate"], "active", Status.ACTIVE),
        (["compiled"], "active", Status.ACTIVE),
        (["tender"], ..., Status.ACTIVE),
        (..., "active", Status.ACTIVE),
        (["tenderCancellation"], "active", Status.CANCELLED),
        (["tender"], "cancelled", Status.CANCELLED),
        (["tender"], "withdrawn", Status.CANCELLED),
        (["tender"], "complete", None),
        (["tender"], "unsuccessful", None),
        (["tender"], "planned", None),
        (["planning"], "planning", None),
        (["award"], "active", None),
        (["contract"], ..., None),
        (..., ..., None),
    ],
)
def test_only_open_and_cancelled_calls_are_releases(
    tag: Any, status: Any, read: Status | None
) -> None:
    result = read_one(tag=tag, tender_status=status)
    assert not isinstance(result, Fault)
    assert (result.status if isinstance(result, Release) else None) == read


@pytest.mark.parametrize(
    ("changes", "release_id"),
    [
        ({"id": ...}, "20100315093000"),
        ({"id": "b"}, "20100315093000-b"),
        ({"id": 7}, "20100315093000-7"),
        ({"id": "b", "date": "2010-03-15T10:30:00+01:00"}, "20100315093000-b"),
        ({"id": "b", "date": ...}, ""),
        ({"id": "b", "date": "hier"}, ""),
        ({"id": "b", "date": "9999-12-31T23:59:59-05:00"}, ""),
        ({"id": "b", "date": "0001-01-01T00:00:00Z"}, ""),
        ({"id": "b", "date": 20100315}, ""),
    ],
)
def test_releases_are_ordered_by_date_then_by_id(changes: dict[str, Any], release_id: str) -> None:
    assert read_release(**changes).release_id == release_id


def test_a_long_id_is_kept_short_and_still_tells_one_from_another() -> None:
    one, other = (read_release(id="x" * 300 + end).release_id for end in "ab")
    assert one != other
    assert len(one) <= 64


@pytest.mark.parametrize(
    ("ocid", "read", "number"),
    [
        ("OCDS-213CZF-000-1", "ocds-213czf-000-1", "000-1"),
        ("ocds-213czf-AbC", "ocds-213czf-AbC", "AbC"),
        (" ocds-213czf-1 ", "ocds-213czf-1", "1"),
        ("sans-prefixe", "sans-prefixe", "sans-prefixe"),
        ("'); DROP TABLE tender;--", "'); DROP TABLE tender;--", "'); DROP TABLE tender;--"),
    ],
)
def test_an_ocid_is_known_by_its_prefix_in_lower_case(ocid: str, read: str, number: str) -> None:
    found = read_release(ocid=ocid)
    assert (found.ocid, found.number) == (read, number)


@pytest.mark.parametrize(
    ("changes", "buyer"),
    [
        ({"buyer": {"name": "Autre", "id": "x"}}, ("Autre", "x")),
        ({"buyer": ...}, ("London Borough of Barnet", "GB-LAC-E09000003")),
        ({"parties": ...}, ("London Borough of Barnet", "GB-LAC-E09000003")),
        ({"buyer": None, "parties": None, "tender_procuringEntity": None}, ("", "")),
        ({"buyer": {"identifier": {"id": "7"}, "name": "Un"}, "parties": []}, ("Un", "7")),
        ({"buyer": {"name": "x" * 600}}, ("x" * 499 + "…", "GB-LAC-E09000003")),
    ],
)
def test_the_buyer_is_found_where_it_is(changes: dict[str, Any], buyer: tuple[str, str]) -> None:
    found = read_release(**changes)
    assert (found.buyer, found.buyer_id) == buyer


@pytest.mark.parametrize(
    "period",
    [
        ..., None, {}, {"endDate": None}, {"endDate": 5}, {"endDate": "0001-01-01T00:00:00Z"},
        {"endDate": "2999-01-01T00:00:00Z"}, {"endDate": "2026-02-30T00:00:00Z"},
        {"endDate": "05/11/2026"}, {"endDate": "2026-W45-4"}, {"endDate": ["x"]},
    ],
)  # fmt: skip
def test_a_call_without_a_sensible_closing_moment_is_kept_without_one(period: Any) -> None:
    assert read_release(tender_tenderPeriod=period).closes_at is None


@pytest.mark.parametrize("number", ["1" * 5000, "1e400", "-1", "NaN", "Infinity", str(2**63)])
def test_amounts_of_any_size_do_not_matter(number: str) -> None:
    made = json.dumps(release(tender_value={"amount": "@"})).replace('"@"', number)
    (read,) = ocds.read(b'{"releases":[%s]}' % made.encode())
    assert isinstance(read, Release)


@pytest.mark.parametrize("number", ["1" * 5000, "-1", str(2**64)])
def test_a_number_of_any_size_for_an_id_hides_no_other_release(number: str) -> None:
    made = json.dumps(release(id="@")).replace('"@"', number)
    results = list(ocds.read(b'{"releases":[%s,%s]}' % (made.encode(), OTHER)))
    assert len(results) == 2
    assert isinstance(results[1], Release)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.test",
        "https://a@evil.test/",
        "ftp://x.test/",
    ],
)
def test_a_page_that_may_not_be_linked_is_left_out(url: str) -> None:
    document = {"documentType": "tenderNotice", "title": "Avis", "url": url}
    assert read_release(tender_documents=[document]).uri == ""


def test_a_description_in_html_is_text() -> None:
    written = "<p>Un&nbsp;<b>deux</b></p><script>alert(1)</script>"
    assert read_release(tender_description=written).description == "Un\u00a0deux"


def test_a_hundred_thousand_items_are_capped() -> None:
    items = [{"classification": {"scheme": "CPV", "id": str(n)}} for n in range(100_000)]
    assert len(read_release(tender_items=items).items) == 200


@pytest.mark.parametrize("text", ["a\\u0000b", "a\\ud800b", "a\\u202eb"])
def test_characters_that_no_text_has_are_cleaned(text: str) -> None:
    made = json.dumps(release(tender_title="@")).replace("@", text)
    (read,) = ocds.read(b'{"releases":[%s]}' % made.encode())
    assert isinstance(read, Fault) or read.title in {"ab", "a\ufffdb"}  # type: ignore[union-attr]
