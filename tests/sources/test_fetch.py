"""What a source is asked with, what of its answer is kept, and which status means what."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import pytest

from sources.errors import SourceUnreachable
from sources.fetch import Fetched, Unchanged
from sources.reasons import Reason, parted
from tests.fetching import body, get, refusal
from tests.webserver import Page, Site, web_server


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as opened:
        yield opened


def test_what_is_kept_is_what_the_next_question_is_sent_with(site: Site) -> None:
    modified = "Wed, 10 Sep 2025 13:31:02 GMT"
    site.pages["/f"] = Page(body=b"x", etag='W/"a"', headers={"Last-Modified": modified})
    first = get(f"{site.url}/f")
    assert isinstance(first, Fetched)
    first.file.close()
    assert (first.etag, first.last_modified) == ('W/"a"', modified)
    again = get(f"{site.url}/f", etag=first.etag, last_modified=first.last_modified)
    assert again == Unchanged()
    assert site.asked[1][1]["if-none-match"] == 'W/"a"'
    assert site.asked[1][1]["if-modified-since"] == modified


def test_validators_too_long_to_keep_are_not_kept(site: Site) -> None:
    site.pages["/f"] = Page(body=b"x", etag="e" * 300, headers={"Last-Modified": "m" * 99})
    answer = get(f"{site.url}/f")
    assert isinstance(answer, Fetched)
    answer.file.close()
    assert (answer.etag, answer.last_modified) == ("", "")


def test_an_unchanged_that_was_not_asked_for_is_no_answer(site: Site) -> None:
    site.pages["/f"] = Page(status=304)
    assert refusal(f"{site.url}/f", loopback=True) is Reason.WRONG_STATUS


@pytest.mark.parametrize(
    ("contact", "end"),
    [
        ("courriel@exemple.invalid", " (courriel@exemple.invalid)"),
        ("", ""),
        ("é", ""),
        ("a\r\nX-Autre: y", " (a X-Autre: y)"),
    ],
)
def test_we_say_who_asks_and_no_more(site: Site, contact: str, end: str) -> None:
    site.pages["/f"] = Page(body=b"x")
    body(get(f"{site.url}/f", contact=contact))
    headers = site.asked[0][1]
    assert headers["user-agent"] == f"alertes/{version('alertes')}{end}"
    assert not headers.keys() & {"cookie", "x-autre", "referer", "authorization"}


@pytest.mark.parametrize(
    "kind", ["text/html", "image/png", "application/octet-stream", "text/xml; charset=x", "", "é"]
)
def test_a_wrong_content_type_is_the_readers_affair(site: Site, kind: str) -> None:
    site.pages["/f"] = Page(body=b"<rss/>", headers={"Content-Type": kind})
    assert body(get(f"{site.url}/f")) == b"<rss/>"


@pytest.mark.parametrize("status", [201, 204, 206, 400, 401, 403, 404, 410, 451, 499])
def test_another_status_is_a_persons_affair(site: Site, status: int) -> None:
    site.pages["/f"] = Page(status=status, body=b"" if status == 204 else b"x")
    assert refusal(f"{site.url}/f", loopback=True) is Reason.WRONG_STATUS


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a_busy_source_is_tried_again(site: Site, status: int) -> None:
    site.pages["/f"] = Page(status=status)
    with pytest.raises(SourceUnreachable) as refused:
        get(f"{site.url}/f")
    assert parted(refused.value.reason)[0] is Reason.BUSY


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("999999999", 86_400),
        ("Wed, 10 Sep 2098 13:31:02 GMT", 86_400),
        ("Wed, 10 Sep 2003 13:31:02 GMT", 0),
        ("-5", None),
        ("bientôt", None),
        ("9" * 5000, None),
        ("1.5", None),
        ("", None),
    ],
)
def test_a_source_may_say_when_to_come_back(
    site: Site, written: str, seconds: float | None
) -> None:
    header = written.encode().decode("latin-1")
    site.pages["/f"] = Page(status=429, headers={"Retry-After": header})
    with pytest.raises(SourceUnreachable) as refused:
        get(f"{site.url}/f")
    assert refused.value.retry_after == seconds
