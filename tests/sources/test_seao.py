"""SEAO's releases as they are really published, and as they are when something is wrong."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from sources import seao
from sources.reasons import Reason, parted
from sources.release import Category, Fault, Item, PassedOver, Release, Status
from tests.packages import JULY, SEPTEMBER, SNOW, closing, package, release

PAGE = (
    "https://seao.gouv.qc.ca/avis-resultat-recherche/consulter"
    "?ItemId=0d2661a7-edc6-42ff-9274-850fc9cd5991"
)


def read_one(made: object) -> Release | Fault | PassedOver:
    (result,) = seao.read(package(made))
    return result


def read_release(made: object) -> Release:
    result = read_one(made)
    assert isinstance(result, Release), result
    return result


def test_the_september_excerpt_holds_ten_open_calls_and_two_cancellations() -> None:
    results = list(seao.read(SEPTEMBER.read_bytes()))
    assert Counter(type(one) for one in results) == {Release: 12, PassedOver: 11}
    statuses = Counter(one.status for one in results if isinstance(one, Release))
    assert statuses == {Status.ACTIVE: 10, Status.CANCELLED: 2}


def test_the_july_excerpt_holds_two_calls() -> None:
    results = list(seao.read(JULY.read_bytes()))
    assert Counter(type(one) for one in results) == {Release: 2, PassedOver: 1}


def test_a_real_release_is_read_field_by_field() -> None:
    assert read_release(release(SNOW)) == Release(
        source="seao",
        ocid="ocds-ec9k95-20169865",
        release_id="20260914120024",
        published_at=datetime(2026, 9, 14, 12, 0, 23, tzinfo=UTC),
        changed_at=datetime(2026, 9, 14, 12, 0, 24, tzinfo=UTC),
        status=Status.ACTIVE,
        title="CONTRAT DE DÉNEIGEMENT ET L’ENTRETIEN D’HIVER DU RÉSEAU ROUTIER DE LA MUNICIPALITÉ "
        "DE SAINT-SYLVÈRE",
        buyer="Municipalité de Saint-Sylvère",
        buyer_id="OP-13717",
        municipal=True,
        locality="Saint-Sylvère",
        postal_code="G0Z1H0",
        reference="2026-02",
        number="20169865",
        category=Category.SERVICES,
        procurement_method_details="Avis d’appel d’offres",
        closes_at=datetime(2026, 9, 28, 15, tzinfo=UTC),
        items=(
            Item(code="SEAO:S14", label="Services publics"),
            Item(
                code="UNSPSC:83000000",
                label="Services publics et services liés au secteur public",
            ),
        ),
        description="",
        documents=(PAGE,),
        uri=PAGE,
    )


def test_an_update_keeps_its_first_day_and_its_id_says_when_it_changed() -> None:
    updated = read_release(release("ocds-ec9k95-20170291"))
    assert updated.published_at == datetime(2026, 9, 10, 21, 50, 6, tzinfo=UTC)
    assert updated.changed_at == datetime(2026, 9, 18, 14, 6, 57, tzinfo=UTC)
    assert updated.release_id == "20260918140657"


def test_a_sub_unit_is_the_buyer_and_its_town_the_party() -> None:
    read = read_release(release("ocds-ec9k95-20169828"))
    assert read.buyer == "Ville de Montréal - Arrondissement CDN-NDG - SDF590204"
    assert read.municipal is True
    assert read.locality == ""


def item(**members: Any) -> dict[str, Any]:
    return {"id": "S9", "description": "S9 - Entretien, réparation", **members}


def unspsc(code: object, label: str = "Neige") -> dict[str, object]:
    return {"scheme": "UNSPSC", "id": code, "description": label}


@pytest.mark.parametrize(
    ("items", "read"),
    [
        pytest.param(
            [item(classification=unspsc("72102903"))],
            [("SEAO:S9", "Entretien, réparation"), ("UNSPSC:72102903", "Neige")],
            id="as published",
        ),
        pytest.param(
            [
                item(
                    classification=unspsc(1),
                    additionalClassifications=[unspsc(76111500), unspsc(1)],
                )
            ],
            [
                ("SEAO:S9", "Entretien, réparation"),
                ("UNSPSC:00000001", "Neige"),
                ("UNSPSC:76111500", "Neige"),
            ],
            id="numbers, one of them twice",
        ),
        pytest.param(
            [item(id="s9", description="S9 – Entretien")],
            [("SEAO:S9", "Entretien")],
            id="small, en dash",
        ),
        pytest.param([item(id=3)], [], id="no code of SEAO's"),
        pytest.param([item(description=None)], [("SEAO:S9", "")], id="no label"),
        pytest.param(
            [{"classification": {"scheme": "SEAO CATEGORY", "id": "G8"}}],
            [("SEAO:G8", "")],
            id="older scheme",
        ),
        pytest.param([], [], id="none"),
        pytest.param(None, [], id="null"),
        pytest.param(..., [], id="missing"),
    ],
)
def test_items_are_the_codes_with_their_labels(items: Any, read: list[tuple[str, str]]) -> None:
    found = read_release(release(tender_items=items)).items
    assert found == tuple(Item(code=code, label=label) for code, label in read)


def test_a_hundred_thousand_items_are_capped() -> None:
    many = [{"classification": unspsc(n)} for n in range(100_000)]
    assert len(read_release(release(tender_items=many)).items) == 200


@pytest.mark.parametrize(
    ("details", "municipal"),
    [
        ({"municipal": "1"}, True),
        ({"municipal": "0"}, False),
        ({"Municipal": "1"}, True),
        ({"municipal": 1, "NEQ": "1140000000"}, True),
        ({"municipal": True}, True),
        ({"municipal": False}, False),
        ({"municipal": "oui"}, None),
        ({"municipal": None}, None),
        ({"municipal": ["1"]}, None),
        ({}, None),
        (None, None),
    ],
)
def test_only_what_the_source_says_makes_a_buyer_municipal(
    details: object, municipal: bool | None
) -> None:
    made = release()
    made["parties"][0]["details"] = details
    assert read_release(made).municipal is municipal


@pytest.mark.parametrize("parties", [[], None, ...])
def test_a_call_without_parties_is_kept(parties: object) -> None:
    read = read_release(release(parties=parties))
    assert (read.buyer, read.municipal, read.locality) == (
        "Municipalité de Saint-Sylvère",
        None,
        "",
    )


@pytest.mark.parametrize(
    ("changes", "buyer"),
    [
        pytest.param(
            {"buyer": None}, "Municipalité de Saint-Sylvère", id="null: the procuring entity"
        ),
        pytest.param(
            {"buyer": ..., "tender_procuringEntity": ...},
            "Municipalité de Saint-Sylvère",
            id="only a party",
        ),
        pytest.param({"buyer": {"name": "x" * 600}}, "x" * 499 + "…", id="600 characters"),
        pytest.param({"buyer": {"name": None}, "parties": None}, "", id="no name at all"),
    ],
)
def test_the_buyer_is_found_where_it_is(changes: dict[str, Any], buyer: str) -> None:
    assert read_release(release(**changes)).buyer == buyer


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("", ""),
        ("   ", ""),
        (None, ""),
        (..., ""),
        (2026, "2026"),
        ("x" * 10_000, "x" * 1999 + "…"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("Toiture\r\nBcc: x@exemple.invalid", "Toiture Bcc: x@exemple.invalid"),
    ],
)
def test_a_call_is_kept_whatever_its_title(title: object, read: str) -> None:
    assert read_release(release(tender_title=title)).title == read


@pytest.mark.parametrize(
    "period",
    [
        None,
        ...,
        {},
        closing(None),
        closing("0001-01-01T00:00:00-05:00"),
        closing("1900-01-01T00:00:00-05:00"),
        closing("9999-12-31T00:00:00-05:00"),
        closing("2032-01-01T00:00:00-05:00"),
        closing("bientôt"),
        closing(20260928),
        closing(["2026-09-28T11:00:00-04:00"]),
        closing(10**5000),
    ],
)
def test_a_call_without_a_sensible_closing_moment_is_kept_without_one(period: object) -> None:
    if isinstance(period, dict) and period.get("endDate") == 10**5000:
        raw = package(release(tender_tenderPeriod=closing("@"))).replace(b'"@"', b"1" * 5000)
        (read,) = seao.read(raw)
        assert isinstance(read, Release | Fault)
        return
    assert read_release(release(tender_tenderPeriod=period)).closes_at is None


def test_a_closing_moment_without_zone_is_quebec_time() -> None:
    read = read_release(release(tender_tenderPeriod=closing("2026-12-01T11:00:00")))
    assert read.closes_at == datetime(2026, 12, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "status", "read"),
    [
        (["tender"], "active", Status.ACTIVE),
        (["tenderUpdate"], "active", Status.ACTIVE),
        (["tenderAmendment"], "Active ", Status.ACTIVE),
        (["contractUpdate", "tenderUpdate"], "active", Status.ACTIVE),
        (["tenderCancellation"], "cancelled", Status.CANCELLED),
        (["tenderCancellation"], "active", Status.CANCELLED),
        (["tenderUpdate"], "cancelled", Status.CANCELLED),
        (["tender"], "complete", None),
        (["tender"], "unsuccessful", None),
        (["tender"], "statut inconnu", None),
        (["tender"], None, None),
        (["contractUpdate", "tenderUpdate"], "complete", None),
        (["award"], "active", None),
        (["contract"], "active", None),
        (["contractTermination"], "complete", None),
        (["planning"], "planned", None),
        (["étiquetteNouvelle"], "active", None),
    ],
)
def test_only_open_and_cancelled_calls_are_releases(
    tag: list[str], status: str | None, read: Status | None
) -> None:
    result = read_one(release(tag=tag, tender_status=status))
    assert (result.status if isinstance(result, Release) else None) == read
    assert not isinstance(result, Fault)


BROKEN: list[Any] = [
    pytest.param(3, Reason.NOT_A_RELEASE, id="a number"),
    pytest.param(None, Reason.NOT_A_RELEASE, id="null"),
    pytest.param("x", Reason.NOT_A_RELEASE, id="a text"),
    pytest.param([], Reason.NOT_A_RELEASE, id="a list"),
    pytest.param({}, Reason.NO_OCID, id="an empty object"),
    pytest.param(release(ocid=...), Reason.NO_OCID, id="no ocid"),
    pytest.param(release(ocid=""), Reason.NO_OCID, id="empty ocid"),
    pytest.param(release(ocid=" \u200b "), Reason.NO_OCID, id="unseen ocid"),
    pytest.param(release(ocid=20169865), Reason.WRONG_TYPE, id="ocid is a number"),
    pytest.param(release(ocid="x" * 300), Reason.OCID_TOO_LONG, id="ocid of 300 characters"),
    pytest.param(release(id=...), Reason.NO_RELEASE_ID, id="no id"),
    pytest.param(release(id=""), Reason.NO_RELEASE_ID, id="empty id"),
    pytest.param(release(id="2026-09-14"), Reason.NO_RELEASE_ID, id="id is a day"),
    pytest.param(release(id="20261314120024"), Reason.NO_RELEASE_ID, id="13th month"),
    pytest.param(release(id="99999999999999"), Reason.NO_RELEASE_ID, id="id that nothing follows"),
    pytest.param(release(id={}), Reason.WRONG_TYPE, id="id is an object"),
    pytest.param(release(tag=...), Reason.NO_TAG, id="no tag"),
    pytest.param(release(tag=[]), Reason.NO_TAG, id="empty tag"),
    pytest.param(release(tag="tender"), Reason.WRONG_TYPE, id="tag is a text"),
    pytest.param(release(tag=[None]), Reason.WRONG_TYPE, id="tag of null"),
    pytest.param(release(tender=...), Reason.NO_TENDER, id="no tender"),
    pytest.param(release(tender=None), Reason.NO_TENDER, id="tender is null"),
    pytest.param(release(tender=[]), Reason.WRONG_TYPE, id="tender is a list"),
    pytest.param(release(tender_title=["a"]), Reason.WRONG_TYPE, id="title is a list"),
    pytest.param(release(tender_title={"fr": "a"}), Reason.WRONG_TYPE, id="title is an object"),
    pytest.param(release(tender_status=1), Reason.WRONG_TYPE, id="status is a number"),
    pytest.param(release(tender_items={}), Reason.WRONG_TYPE, id="items is an object"),
    pytest.param(release(tender_documents="x"), Reason.WRONG_TYPE, id="documents is a text"),
    pytest.param(release(tender_tenderPeriod="x"), Reason.WRONG_TYPE, id="period is a text"),
    pytest.param(release(parties={}), Reason.WRONG_TYPE, id="parties is an object"),
    pytest.param(release(buyer="Ville"), Reason.WRONG_TYPE, id="buyer is a text"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN)
def test_a_broken_release_is_a_fault_and_does_not_hide_the_others(
    broken: object, reason: Reason
) -> None:
    before, fault, after = seao.read(package(release(), broken, release("ocds-ec9k95-20169818")))
    assert isinstance(before, Release)
    assert isinstance(after, Release)
    assert isinstance(fault, Fault)
    assert fault.position == 1
    assert parted(fault.reason)[0] is reason
    given = broken.get("ocid") if isinstance(broken, dict) else ""
    assert fault.ocid == (given[:255].strip(" \u200b") if isinstance(given, str) else "")


def test_a_release_that_is_not_utf8_is_a_fault_alone() -> None:
    document = package(release(tender_title="@"), release()).replace(b'"@"', '"é"'.encode("cp1252"))
    fault, other = seao.read(document)
    assert isinstance(fault, Fault)
    assert (fault.reason, fault.ocid) == (Reason.NOT_UTF8, SNOW)
    assert isinstance(other, Release)


def test_an_ocid_given_twice_is_a_fault() -> None:
    document = package(release()).replace(b'"ocid":', b'"ocid": "autre", "ocid":')
    (fault,) = seao.read(document)
    assert isinstance(fault, Fault)
    assert fault.reason == Reason.TWO_OCIDS


def test_a_mention_of_an_ocid_elsewhere_is_no_second_one() -> None:
    related = [{"scheme": "ocid", "identifier": SNOW, "ocid": SNOW}]
    assert read_release(release(relatedProcesses=related)).ocid == SNOW


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"tender_value": {"amount": "1 500 000,00 $"}}, id="amount is a text"),
        pytest.param(
            {
                "tender_tenderPeriod": {
                    **closing("2026-09-28T11:00:00-04:00"),
                    "durationInDay": "14",
                }
            },
            id="days are a text",
        ),
        pytest.param(
            {"tender_tenderPeriod": {**closing("2026-09-28T11:00:00-04:00"), "durationInDays": 14}},
            id="days by their specified name",
        ),
        pytest.param({"tender_numberOfTenderers": "trois"}, id="tenderers are a text"),
        pytest.param({"bids": "x", "awards": 3, "contracts": None}, id="bids are a text"),
        pytest.param({"language": 3, "initiationType": []}, id="language is a number"),
    ],
)
def test_what_is_not_read_cannot_break_a_release(changes: dict[str, Any]) -> None:
    read = read_release(release(**changes))
    assert read.closes_at == datetime(2026, 9, 28, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://seao.gouv.qc.ca/avis?ItemId=1", "https://seao.gouv.qc.ca/avis?ItemId=1"),
        ("javascript:alert(1)", ""),
        ("https://seao.gouv.qc.ca@evil.test/", ""),
        (None, ""),
    ],
)
def test_the_public_page_is_linked_where_it_may_be(url: str | None, uri: str) -> None:
    assert read_release(release(tender_documents=[{"url": url}])).uri == uri


def test_the_ids_are_trimmed_and_else_left_as_they_are() -> None:
    read = read_release(release(ocid=" ocds-EC9K95-'); DROP TABLE ", id=20260914120024))
    assert read.ocid == "ocds-EC9K95-'); DROP TABLE"
    assert read.release_id == "20260914120024"
