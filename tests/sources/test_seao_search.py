"""What a notice of SEAO's search is; the answers are made, from the fields that clients read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sources import seao, seao_search
from sources.errors import SourceMalformed
from sources.reasons import Reason, parted
from sources.release import Category, Fault, Item, PassedOver, Release, Status
from tests.packages import SEPTEMBER, package, release
from tests.seao_search import answer, detail, notice, uuid_of

LIST = "https://api.exemple.quebec/prod/api/recherche?statIds=6"
DETAIL = "https://api.exemple.quebec/prod/api/avis/{}/consulter"


def visit(*answers: tuple[str, bytes], cut: str = "") -> bytes:
    """A document as `seao_pages.collect` makes it."""
    exchanges = [{"url": url, "answer": msgspec.Raw(body)} for url, body in answers]
    return msgspec.json.encode({"exchanges": exchanges, "cut": cut})


def read_one(**changes: Any) -> Release | Fault | PassedOver:
    (result,) = seao_search.read(answer(notice(**changes), total=1))
    return result


def read_release(**changes: Any) -> Release:
    result = read_one(**changes)
    assert isinstance(result, Release), result
    return result


def test_a_notice_is_read_field_by_field_with_its_description() -> None:
    document = visit(
        (LIST, answer(notice(), total=1)),
        (DETAIL.format(uuid_of(1)), detail("<p>Laver les <b>vitres</b>.</p><script>x</script>")),
    )
    page = f"https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId={uuid_of(1)}"
    assert list(seao_search.read(document)) == [
        Release(
            source="seao_search",
            ocid=f"seao-avis-{uuid_of(1)}",
            release_id="",
            published_at=datetime(2026, 9, 21, 12, tzinfo=UTC),
            changed_at=None,
            status=Status.ACTIVE,
            title="Entretien ménager de l’édifice 1",
            buyer="Ville de Saint-Jérôme",
            buyer_id="7b0f0c1e-0000-4000-8000-000000000001",
            municipal=None,
            locality="",
            postal_code="",
            reference="2026-001",
            number="20170001",
            category=Category.SERVICES,
            procurement_method_details="",
            closes_at=datetime(2026, 10, 7, 15, tzinfo=UTC),
            items=(
                Item(
                    code="SEAO:S9",
                    label="Entretien, réparation, modification, réfection et installation de biens "
                    "et d'équipement",
                ),
            ),
            description="Laver les vitres.",
            documents=(page,),
            uri=page,
        )
    ]


def test_its_page_is_the_very_address_that_the_weekly_file_gives() -> None:
    weekly = next(one for one in seao.read(SEPTEMBER.read_bytes()) if isinstance(one, Release))
    found = read_release(uuid=weekly.uri.rpartition("=")[2])
    assert found.uri == weekly.uri
    assert found.documents == weekly.documents


def test_the_same_notice_says_the_same_here_and_in_the_weekly_file() -> None:
    """Nothing that is compared differs, so that one beside the other shows no change."""
    (weekly,) = seao.read(package(release()))
    assert isinstance(weekly, Release)
    found = read_release(
        uuid=weekly.uri.rpartition("=")[2].upper(),
        id=int(weekly.number),
        titre=weekly.title,
        nomDonneurOuvrage="Municipalité de Saint-Sylvère .",
        dateFermetureUtc="2026-09-28T15:00:00",
    )
    same = ("title", "buyer", "closes_at", "status", "documents", "uri", "number")
    assert [getattr(found, one) for one in same] == [getattr(weekly, one) for one in same]


@pytest.mark.parametrize(
    ("status", "read"),
    [(6, Status.ACTIVE), (9, Status.CANCELLED), (7, None), (8, None), (99, None), (None, None),
     ("6", None), (6.0, None), ([6], None), (..., None)],
)  # fmt: skip
def test_only_open_and_cancelled_notices_are_releases(status: Any, read: Status | None) -> None:
    result = read_one(statutAvisId=status)
    assert not isinstance(result, Fault)
    assert (result.status if isinstance(result, Release) else None) == read


@pytest.mark.parametrize(
    ("written", "closes"),
    [
        ("2026-10-07T15:00:00Z", datetime(2026, 10, 7, 15, tzinfo=UTC)),
        ("2026-10-07T15:00:00", datetime(2026, 10, 7, 15, tzinfo=UTC)),
        ("2026-10-07T15:00:00.000Z", datetime(2026, 10, 7, 15, tzinfo=UTC)),
        ("2026-10-07T11:00:00-04:00", datetime(2026, 10, 7, 15, tzinfo=UTC)),
        (" 2026-10-07T15:00:00Z ", datetime(2026, 10, 7, 15, tzinfo=UTC)),
        ("2026-10-07T00:00:00Z", None),
        ("2026-10-07T00:00:00", None),
        ("2026-10-07", None),
        ("0001-01-01T12:00:00Z", None),
        ("1900-01-01T12:00:00Z", None),
        ("2999-01-01T12:00:00Z", None),
        ("9999-12-31T23:59:59-05:00", None),
        ("2026-02-30T12:00:00Z", None),
        ("05/11/2026", None),
        ("", None),
        (None, None),
        (1791000000, None),
        (["x"], None),
        (..., None),
    ],
)
def test_moments_are_utc_and_a_day_without_hour_is_not_taken_for_one(
    written: Any, closes: datetime | None
) -> None:
    assert read_release(dateFermetureUtc=written).closes_at == closes


@pytest.mark.parametrize(
    ("id_", "number"),
    [(20170001, "20170001"), (1527600, "1527600"), ("20170001", "20170001"), (7, ""), (None, ""),
     (..., ""), ("x", ""), (True, ""), (20170001.0, ""), (10**40, "")],
)  # fmt: skip
def test_an_id_is_seaos_number_only_where_it_looks_like_one(id_: Any, number: str) -> None:
    assert read_release(id=id_).number == number


@pytest.mark.parametrize(
    ("category", "code", "kind"),
    [(33, "SEAO:S9", Category.SERVICES), ("33", "SEAO:S9", Category.SERVICES),
     (1, "SEAO:G1", Category.GOODS), (9999, "", None), (None, "", None), ([], "", None),
     (..., "", None)],
)  # fmt: skip
def test_the_category_is_seaos_own_code(category: Any, code: str, kind: Category | None) -> None:
    read = read_release(categorieId=category)
    assert "".join(item.code for item in read.items) == code
    assert read.category is kind


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("", ""),
        (None, ""),
        (..., ""),
        (2026, "2026"),
        ("x" * 10_000, "x" * 1999 + "…"),
        ("DÃ©neigement", "Déneigement"),
        ("a\x00b\u202ec", "abc"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("Toiture\r\nBcc: x@exemple.invalid", "Toiture Bcc: x@exemple.invalid"),
    ],
)
def test_a_notice_is_kept_whatever_its_title(title: Any, read: str) -> None:
    assert read_release(titre=title).title == read


@pytest.mark.parametrize(
    "details",
    [b"null", b"{}", b"[]", b'"x"', b'{"apiData":null}', b'{"apiData":{"avisResumeDescription":7}}',
     b'{"apiData":{"avisResumeDescription":{"descriptionHtml":null}}}'],
)  # fmt: skip
def test_a_detail_of_another_shape_leaves_the_notice_without_description(details: bytes) -> None:
    document = visit((LIST, answer(notice())), (DETAIL.format(uuid_of(1)), details))
    (read,) = seao_search.read(document)
    assert isinstance(read, Release)
    assert read.description == ""


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (3, Reason.WRONG_TYPE),
        (None, Reason.WRONG_TYPE),
        ([], Reason.WRONG_TYPE),
        ({}, Reason.NO_REFERENCE),
        (notice(9, uuid=...), Reason.NO_REFERENCE),
        (notice(9, uuid="x"), Reason.NO_REFERENCE),
        (notice(9, uuid="'; DROP TABLE tender;--"), Reason.NO_REFERENCE),
        (notice(9, uuid="../../etc/passwd"), Reason.NO_REFERENCE),
        (notice(9, uuid=7), Reason.WRONG_TYPE),
        (notice(9, titre={}), Reason.WRONG_TYPE),
        (notice(9, nomDonneurOuvrage=[]), Reason.WRONG_TYPE),
    ],
)
def test_a_broken_notice_is_a_fault_in_its_place_and_hides_no_other(
    broken: object, reason: Reason
) -> None:
    results = list(seao_search.read(answer(notice(1), broken, notice(2), total=3)))
    assert [type(one) for one in results] == [Release, Fault, Release]
    fault = results[1]
    assert isinstance(fault, Fault)
    assert (parted(fault.reason)[0], fault.position) == (reason, 1)


def test_a_notice_that_two_pages_show_is_told_once() -> None:
    document = visit(
        (LIST, answer(notice(1), notice(2), total=3)),
        (f"{LIST}&offset=2", answer(notice(2), notice(3), total=3)),
    )
    results = list(seao_search.read(document))
    assert [one.number for one in results if isinstance(one, Release)] == [
        "20170001",
        "20170002",
        "20170003",
    ]
    assert len(results) == 3


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (answer(notice(1), notice(2), total=5), "2/5"),
        (visit((LIST, answer(notice(1), total=1)), cut="too slow: x"), "1/1 too slow: x"),
        (visit((LIST, answer(notice(1))), cut="too slow: x"), "1/? too slow: x"),
        (answer(total=3), "0/3"),
    ],
)
def test_what_the_list_lacks_is_a_fault_and_what_it_has_is_read(
    document: bytes, found: str
) -> None:
    results = list(seao_search.read(document))
    fault = results[-1]
    assert isinstance(fault, Fault)
    assert parted(fault.reason) == (Reason.NOT_ALL, found)
    assert all(isinstance(one, Release) for one in results[:-1])


@pytest.mark.parametrize("total", [..., 0, 1, -1, None, "1", True, 1.5, [], 10**30])
def test_a_total_that_says_nothing_is_not_believed(total: Any) -> None:
    results = list(seao_search.read(answer(notice(), total=total)))
    assert isinstance(results[0], Release)
    assert len(results) == (2 if total == 10**30 else 1)


def test_an_older_answer_names_its_list_otherwise() -> None:
    document = json.dumps({"apiData": {"listeAvis": [notice()]}}).encode()
    assert [type(one) for one in seao_search.read(document)] == [Release]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \n", Reason.EMPTY),
        (b"<html>Maintenance</html>", Reason.HTML),
        (b"{}", Reason.NOT_AN_ANSWER),
        (b"[]", Reason.NOT_AN_ANSWER),
        (b"null", Reason.NOT_AN_ANSWER),
        (b"42", Reason.NOT_AN_ANSWER),
        (b'"x"', Reason.NOT_AN_ANSWER),
        (b'{"apiData":null}', Reason.NOT_AN_ANSWER),
        (b'{"apiData":{}}', Reason.NOT_AN_ANSWER),
        (b'{"apiData":{"results":{}}}', Reason.NOT_AN_ANSWER),
        (b'{"apiData":{"results":null}}', Reason.NOT_AN_ANSWER),
        (b'{"exchanges":[]}', Reason.NOT_AN_ANSWER),
        (b'{"exchanges":[{"url":"x","answer":{}}]}', Reason.NOT_AN_ANSWER),
        (answer(notice())[:-9], Reason.NOT_AN_ANSWER),
        (b"[" * 100_000, Reason.TOO_DEEP),
        (b'{"apiData":{"results":[' + b"[" * 100_000, Reason.TOO_DEEP),
    ],
)
def test_what_is_no_answer_is_refused_whole(document: bytes, reason: Reason) -> None:
    with pytest.raises(SourceMalformed) as refused:
        list(seao_search.read(document))
    assert parted(refused.value.reason)[0] is reason
