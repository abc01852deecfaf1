"""OCDS of any publisher: the real ones, the forms they take, and what is wrong with them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from sources import ocds
from sources.errors import SourceMalformed
from sources.reasons import Reason, parted
from sources.release import Category, Fault, Item, PassedOver, Release
from tests.ocds_releases import DATA, EXAMPLE, ONE, OTHER, read_release, release
from tests.packages import SEPTEMBER

#: Files, and how many releases each has that are open calls and that are passed over.
REAL = {
    "ocdskit_release-package-1.json": (0, 2),
    "ocdskit_release-package_1.0-2.json": (0, 1),
    "ocdskit_release-package_encoding-iso-8859-1.json": (0, 3),
    "ocp_sample_ocds-213czf-000-00001-01-planning.json": (0, 1),
    "ocp_sample_ocds-213czf-000-00001-02-tender.json": (1, 0),
    "ocp_sample_ocds-213czf-000-00001-03-tenderAmendment.json": (1, 0),
    "ocp_sample_ocds-213czf-000-00001-04-award.json": (0, 1),
    "ocp_sample_record_000-00001.json": (0, 1),
    "public_contracts_scotland_201904.json": (90, 0),
    "uk_contracts_finder_2025.json": (16, 104),
    "uk_contracts_finder_paquet_20250123.json": (38, 62),
}


@pytest.mark.parametrize(("name", "kinds"), REAL.items(), ids=REAL)
def test_every_real_file_is_read_without_a_fault(name: str, kinds: tuple[int, int]) -> None:
    found = Counter(type(one) for one in ocds.read((DATA / name).read_bytes()))
    assert (found[Release], found[PassedOver], found[Fault]) == (*kinds, 0)


def test_no_real_file_is_left_out() -> None:
    assert {path.name for path in DATA.glob("*.json")} == set(REAL)


def test_seaos_own_file_says_the_same_to_this_reader() -> None:
    found = Counter(type(one) for one in ocds.read(SEPTEMBER.read_bytes()))
    assert found == {Release: 12, PassedOver: 11}


def test_the_official_example_is_read_field_by_field() -> None:
    read = read_release()
    assert read.ocid == "ocds-213czf-000-00001"
    assert read.number == "000-00001"
    assert read.release_id == "20100315093000-ocds-213czf-000-00001-02-tender"
    assert read.title == "Planned cycle lane improvements"
    assert (read.buyer, read.buyer_id) == ("London Borough of Barnet", "GB-LAC-E09000003")
    assert (read.locality, read.postal_code) == ("London", "N11 1NP")
    assert read.closes_at == datetime(2010, 4, 1, 18, tzinfo=UTC)
    assert read.items[0] == Item(code="CPV:45233130.0", label="Construction work for highways")
    assert read.uri == "http://example.com/tender-notices/ocds-213czf-000-00001-01.html"
    assert (read.municipal, read.level) == (None, None)


def test_scottish_calls_without_id_are_ordered_by_their_day_and_say_where_they_deliver() -> None:
    results = ocds.read((DATA / "public_contracts_scotland_201904.json").read_bytes())
    read = next(one for one in results if isinstance(one, Release))
    assert read.release_id == "20190429000000"
    assert read.delivery_regions == ("UKM82",)
    assert read.category is Category.SERVICES
    assert read.uri.startswith("https://www.publiccontractsscotland.gov.uk/search/show/")


def test_contracts_finders_codes_stand_at_the_tender_and_its_places_at_the_items() -> None:
    results = ocds.read((DATA / "uk_contracts_finder_paquet_20250123.json").read_bytes())
    read = next(one for one in results if isinstance(one, Release))
    assert read.items[0].code == "CPV:85300000"
    assert read.delivery_regions == ("England",)
    assert read.buyer == "Luton Council"


def test_of_two_releases_of_one_call_the_later_is_greater() -> None:
    calls = [
        read
        for name in ("02-tender", "03-tenderAmendment")
        for read in ocds.read((DATA / f"ocp_sample_ocds-213czf-000-00001-{name}.json").read_bytes())
        if isinstance(read, Release)
    ]
    assert calls[0].ocid == calls[1].ocid
    assert calls[0].release_id < calls[1].release_id


# Forms.


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b'{"releases":[%s,%s]}' % (ONE, OTHER), id="release package"),
        pytest.param(
            b'{"records":[{"compiledRelease":%s},{"compiledRelease":%s}]}' % (ONE, OTHER),
            id="records, compiled",
        ),
        pytest.param(
            b'{"records":[{"releases":[%s,%s]}]}' % (ONE, OTHER), id="a record's releases"
        ),
        pytest.param(
            b'{"records":[{"releases":[{"url":"x","date":"y"}],"compiledRelease":%s},'
            b'{"compiledRelease":%s}]}' % (ONE, OTHER),
            id="linked releases",
        ),
        pytest.param(b"[%s,%s]" % (ONE, OTHER), id="list"),
        pytest.param(
            b'[{"releases":[%s]},{"releases":[%s]}]' % (ONE, OTHER), id="list of packages"
        ),
        pytest.param(b"%s\n%s\n" % (ONE, OTHER), id="lines"),
        pytest.param(b"%s\r\n\r\n%s" % (ONE, OTHER), id="lines with CRLF and blanks"),
        pytest.param(
            b'{"releases":[%s]}\n{"releases":[%s]}\n' % (ONE, OTHER), id="packages in lines"
        ),
        pytest.param(b"\xef\xbb\xbf[%s,%s]" % (ONE, OTHER), id="byte order mark"),
        pytest.param(b"  \n[%s,\n%s]  " % (ONE, OTHER), id="blanks"),
    ],
)
def test_every_form_of_a_publication_is_read(document: bytes) -> None:
    found = [one.ocid for one in ocds.read(document) if isinstance(one, Release)]
    assert found == ["ocds-213czf-000-00001", "ocds-213czf-000-00002"]


def test_a_bare_release_is_read() -> None:
    (read,) = ocds.read(ONE)
    assert isinstance(read, Release)


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "cp1252"])
def test_accents_are_read_in_any_of_the_encodings_in_use(encoding: str) -> None:
    made = json.dumps(
        {"releases": [release(tender_title="Déneigement à l'été")]}, ensure_ascii=False
    )
    (read,) = ocds.read(made.encode(encoding))
    assert isinstance(read, Release)
    assert read.title == "Déneigement à l'été"


def test_the_mexican_file_in_iso_8859_1_keeps_its_ocids_in_lower_case() -> None:
    path = DATA / "ocdskit_release-package_encoding-iso-8859-1.json"
    assert all(
        isinstance(one, PassedOver) and one.ocid.startswith("ocds-87sd3t-SEFIN-")
        for one in ocds.read(path.read_bytes())
    )


REFUSED = [
    pytest.param(b"", Reason.EMPTY, id="nothing"),
    pytest.param(b"\xef\xbb\xbf \n", Reason.EMPTY, id="a mark alone"),
    pytest.param(b"<!DOCTYPE html><html></html>", Reason.HTML, id="a page"),
    pytest.param(b"{}", Reason.NOT_A_PACKAGE, id="an empty object"),
    pytest.param(b"null", Reason.NOT_A_PACKAGE, id="null"),
    pytest.param(b'"x"', Reason.NOT_A_PACKAGE, id="a text"),
    pytest.param(b"42", Reason.NOT_A_PACKAGE, id="a number"),
    pytest.param(b'{"a":1}', Reason.NOT_A_PACKAGE, id="another object"),
    pytest.param(b'{"releases":{}}', Reason.NOT_A_PACKAGE, id="releases is an object"),
    pytest.param(b'{"records":"x"}', Reason.NOT_A_PACKAGE, id="records is a text"),
    pytest.param(b"releases", Reason.NOT_JSON, id="a word"),
    pytest.param(b'{"releases":[%s,]}' % ONE, Reason.NOT_JSON, id="trailing comma"),
    pytest.param(b'{"releases":[%s]}//x' % ONE, Reason.NOT_JSON, id="a comment"),
    pytest.param(b'{"releases":[%s' % ONE, Reason.NOT_JSON, id="cut after a release"),
    pytest.param(EXAMPLE.read_bytes()[:2000], Reason.NOT_JSON, id="half"),
    pytest.param(ONE + b"\n" + OTHER[:-9], Reason.NOT_JSON, id="lines cut in the last"),
    pytest.param(ONE + OTHER, Reason.NOT_JSON, id="objects without a break"),
    pytest.param(b"[" * 100_000, Reason.TOO_DEEP, id="100,000 lists deep"),
    pytest.param(b'{"releases":[{"a":' + b"[" * 9999, Reason.TOO_DEEP, id="a release too deep"),
    pytest.param(b'{"a":' * 100_000, Reason.TOO_DEEP, id="100,000 objects deep"),
    pytest.param(b"\x1f\x8b" + b"\0" * 50, Reason.NOT_JSON, id="gzip within gzip"),
]


@pytest.mark.parametrize(("document", "reason"), REFUSED)
def test_what_is_no_ocds_is_refused_whole(document: bytes, reason: Reason) -> None:
    with pytest.raises(SourceMalformed) as refused:
        list(ocds.read(document))
    assert parted(refused.value.reason)[0] is reason


def test_a_package_without_releases_says_nothing() -> None:
    assert list(ocds.read(b'{"releases":[]}')) == []
    assert list(ocds.read(b"[]")) == []


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(b"3", Reason.NOT_A_RELEASE, id="a number"),
        pytest.param(b"null", Reason.NOT_A_RELEASE, id="null"),
        pytest.param(b'"x"', Reason.NOT_A_RELEASE, id="a text"),
        pytest.param(b"[]", Reason.NOT_A_RELEASE, id="a list"),
        pytest.param(b"{}", Reason.NO_OCID, id="empty"),
        pytest.param(b'{"ocid":""}', Reason.NO_OCID, id="empty ocid"),
        pytest.param(b'{"ocid":"\\u200b"}', Reason.NO_OCID, id="unseen ocid"),
        pytest.param(b'{"ocid":7}', Reason.WRONG_TYPE, id="ocid is a number"),
        pytest.param(b'{"ocid":"%s"}' % (b"x" * 300), Reason.OCID_TOO_LONG, id="long ocid"),
        pytest.param(b'{"ocid":"a","tag":"tender"}', Reason.WRONG_TYPE, id="tag is a text"),
        pytest.param(b'{"ocid":"a","tender":[]}', Reason.WRONG_TYPE, id="tender is a list"),
        pytest.param(b'{"ocid":"a","tender":"x"}', Reason.WRONG_TYPE, id="tender is a text"),
        pytest.param(
            b'{"ocid":"a","tag":["tender"],"tender":{"items":{}}}', Reason.WRONG_TYPE, id="items"
        ),
        pytest.param(
            b'{"ocid":"a","tag":["tender"],"tender":{},"parties":{}}',
            Reason.WRONG_TYPE,
            id="parties",
        ),
        pytest.param(
            b'{"ocid":"a","tag":["tender"],"tender":{},"buyer":[]}', Reason.WRONG_TYPE, id="buyer"
        ),
        pytest.param(
            b'{"ocid":"a","tag":["tender"],"tender":{"title":{}}}', Reason.WRONG_TYPE, id="title"
        ),
    ],
)
def test_a_broken_release_is_a_fault_in_its_place_and_hides_no_other(
    broken: bytes, reason: Reason
) -> None:
    results = list(ocds.read(b'{"releases":[%s,%s,%s]}' % (ONE, broken, OTHER)))
    kinds = [type(one) for one in results]
    assert kinds == [Release, Fault, Release]
    fault = results[1]
    assert isinstance(fault, Fault)
    assert (parted(fault.reason)[0], fault.position) == (reason, 1)


@pytest.mark.parametrize("line", [b"{", b"x", b'{"a":1,}'])
def test_a_broken_line_between_others_is_a_fault(line: bytes) -> None:
    kinds = [type(one) for one in ocds.read(b"%s\n%s\n%s\n" % (ONE, line, OTHER))]
    assert kinds == [Release, Fault, Release]


@pytest.mark.parametrize(
    "record", [b"3", b"{}", b'{"releases":{}}', b'{"compiledRelease":null}', b'{"releases":[3]}']
)
def test_a_broken_record_is_a_fault(record: bytes) -> None:
    document = b'{"records":[%s,{"compiledRelease":%s}]}' % (record, ONE)
    assert [type(one) for one in ocds.read(document)] == [Fault, Release]
