"""A document that is no release package is refused as a whole, with its reason."""

from __future__ import annotations

import json
import random

import pytest

from sources import seao
from sources.errors import SourceMalformed
from sources.reasons import Reason, parted
from sources.release import Release
from tests.packages import SEPTEMBER, package, release

DEEP = 100_000
WHOLE = SEPTEMBER.read_bytes()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(b"", Reason.EMPTY, id="0 bytes"),
        pytest.param(b"\xef\xbb\xbf", Reason.EMPTY, id="a byte order mark alone"),
        pytest.param(b" \r\n\t" * 100, Reason.EMPTY, id="blanks"),
        pytest.param(b"{}", Reason.NOT_A_PACKAGE, id="{}"),
        pytest.param(b"[]", Reason.NOT_A_PACKAGE, id="[]"),
        pytest.param(b"null", Reason.NOT_A_PACKAGE, id="null"),
        pytest.param(b'"x"', Reason.NOT_A_PACKAGE, id="a text"),
        pytest.param(b"42", Reason.NOT_A_PACKAGE, id="a number"),
        pytest.param(b"[" + package() + b"]", Reason.NOT_A_PACKAGE, id="a list of packages"),
        pytest.param(b'{"releases": {}}', Reason.NOT_A_PACKAGE, id="releases is an object"),
        pytest.param(b'{"releases": null}', Reason.NOT_A_PACKAGE, id="releases is null"),
        pytest.param(b'{"releases": "x"}', Reason.NOT_A_PACKAGE, id="releases is a text"),
        pytest.param(b'{"records": []}', Reason.NOT_A_PACKAGE, id="a record package"),
        pytest.param(b'{"Releases": []}', Reason.NOT_A_PACKAGE, id="renamed"),
        pytest.param(b"<!DOCTYPE html><title>Maintenance", Reason.HTML, id="a web page"),
        pytest.param(b"\n <html>", Reason.HTML, id="a web page after blanks"),
        pytest.param(b"ocid,title\n1,2\n", Reason.NOT_JSON, id="CSV"),
        pytest.param(b"\x1f\x8b\x08\x00 ...", Reason.NOT_JSON, id="gzip"),
        pytest.param(package().decode().encode("utf-16"), Reason.NOT_JSON, id="UTF-16"),
        pytest.param(b'{"releases": [],}', Reason.NOT_JSON, id="a trailing comma"),
        pytest.param(b'{"releases": [] // x\n}', Reason.NOT_JSON, id="a comment"),
        pytest.param(package() + package(), Reason.NOT_JSON, id="two packages one after the other"),
        pytest.param(b'{"a":1}\n{"a":2}\n', Reason.NOT_A_PACKAGE, id="lines of JSON"),
        pytest.param(WHOLE[: len(WHOLE) // 2], Reason.NOT_JSON, id="cut at a half"),
        pytest.param(WHOLE[:-2], Reason.NOT_JSON, id="cut before the last bracket"),
        pytest.param(b"[" * DEEP, Reason.NOT_A_PACKAGE, id="100,000 brackets"),
        pytest.param(b'{"releases":[' + b"[" * DEEP, Reason.TOO_DEEP, id="deep releases"),
        pytest.param(
            b'{"x":' + b"[" * DEEP + b"]" * DEEP + b',"releases":[]}', Reason.TOO_DEEP, id="deep x"
        ),
        pytest.param(
            b'{"releases":[' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"]}",
            Reason.TOO_DEEP,
            id="a deep release",
        ),
    ],
)
def test_what_is_no_package_is_refused_with_its_reason(document: bytes, reason: Reason) -> None:
    with pytest.raises(SourceMalformed) as refused:
        list(seao.read(document))
    assert parted(refused.value.reason)[0] is reason


def test_a_document_of_200_megabytes_is_refused_unread() -> None:
    with pytest.raises(SourceMalformed) as refused:
        list(seao.read(bytes(200_000_000)))
    assert parted(refused.value.reason)[0] is Reason.TOO_LARGE


def test_no_cut_and_no_flipped_byte_raises_anything_else() -> None:
    chosen = random.Random(20260914)  # noqa: S311
    short = package(*(release() for _ in range(3)))
    for _ in range(3000):
        broken = bytearray(short[: chosen.randrange(1, len(short) + 1)])
        for _ in range(chosen.randrange(4)):
            broken[chosen.randrange(len(broken))] = chosen.randrange(256)
        try:
            list(seao.read(bytes(broken)))
        except SourceMalformed as refused:
            assert parted(refused.reason)[0] is not None  # noqa: PT017


def test_a_byte_order_mark_is_accepted() -> None:
    assert list(seao.read(b"\xef\xbb\xbf" + WHOLE)) == list(seao.read(WHOLE))


@pytest.mark.parametrize(
    "hurt",
    [
        pytest.param(lambda text: text.replace("DÉNEIGEMENT", "D\\ud83dNEIGE"), id="half a pair"),
        pytest.param(lambda text: text.replace("DÉNEIGEMENT", "D\\udc00\\ud800"), id="turned pair"),
        pytest.param(lambda text: text.replace("DÉNEIGEMENT", "D\x00\x01\n"), id="raw controls"),
        pytest.param(lambda text: text.replace("116353.13", "NaN"), id="NaN"),
        pytest.param(lambda text: text.replace("116353.13", "-Infinity"), id="Infinity"),
        pytest.param(lambda text: text.replace("116353.13", "1e400"), id="a huge number"),
        pytest.param(lambda text: text.replace("116353.13", "9" * 5000), id="5,000 digits"),
    ],
)
def test_one_field_that_json_does_not_allow_hides_no_release(hurt: object) -> None:
    text = SEPTEMBER.read_text(encoding="utf-8")
    broken = hurt(text)  # type: ignore[operator]
    assert broken != text
    before, after = list(seao.read(text.encode())), list(seao.read(broken.encode()))
    assert len(after) == len(before)
    assert sum(isinstance(one, Release) for one in after) == 12


def test_a_whole_pair_of_surrogates_beside_a_lone_one_stays() -> None:
    text = package(release(tender_title="@")).decode()
    title = r"\\ud83d \ud83d\ude9c \ud83d"
    (read,) = seao.read(text.replace('"@"', f'"{title}"').encode())
    assert isinstance(read, Release)
    assert read.title.startswith("\\ud83d \U0001f69c")


def test_a_package_without_releases_is_read() -> None:
    assert list(seao.read(json.dumps({"releases": []}).encode())) == []
