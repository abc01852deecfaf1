"""SEAO's search asked over HTTP, of a real server on the loopback that answers as clients say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sources import seao_pages, seao_search
from sources.errors import SourceMalformed, SourceUnreachable
from sources.fetch import Limits
from sources.reasons import Reason, parted
from sources.release import Fault, Release
from tests.seao_search import QUERY, answer, details, lists, notice, offer, uuid_of
from tests.webserver import Page, Site, web_server


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as opened:
        yield opened


def collect(
    url: str, before: bytes = b"", waits: list[float] | None = None, details: int = 9
) -> bytes:
    """Ask without waiting; the waits are written down."""
    return seao_pages.collect(
        "seao_search",
        url,
        before=before,
        contact="courriel@exemple.invalid",
        limits=Limits(read=1, connect=1),
        loopback=True,
        details=details,
        wait=(waits if waits is not None else []).append,
    )


def numbers(document: bytes) -> list[str]:
    return [one.number for one in seao_search.read(document) if isinstance(one, Release)]


SEVEN = [notice(n) for n in range(1, 8)]
ALL = [str(20_170_000 + n) for n in range(1, 8)]


@pytest.mark.parametrize("total", [True, False], ids=["total said", "no total"])
@pytest.mark.parametrize(
    ("size", "paged"),
    [
        pytest.param(3, True, id="three at a time"),
        pytest.param(7, True, id="a page just full"),
        pytest.param(2000, True, id="all at once"),
        pytest.param(2000, False, id="all at once, offset ignored"),
    ],
)
def test_both_ways_of_paging_give_every_notice_once(
    site: Site, size: int, paged: bool, total: bool
) -> None:
    url = offer(site, SEVEN, size=size, paged=paged, total=total)
    document = collect(url)
    assert numbers(document) == ALL
    assert not [one for one in seao_search.read(document) if isinstance(one, Fault)]


def test_a_server_that_gives_a_part_and_ignores_offset_is_not_asked_for_ever(site: Site) -> None:
    document = collect(offer(site, SEVEN, size=3, paged=False))
    assert len(lists(site)) == 2
    *found, lacking = seao_search.read(document)
    assert len(found) == 3
    assert isinstance(lacking, Fault)
    assert parted(lacking.reason) == (Reason.NOT_ALL, "3/7")


def test_no_page_is_asked_for_when_all_was_given(site: Site) -> None:
    collect(offer(site, SEVEN, size=2000, paged=True))
    assert len(lists(site)) == 1


def test_a_list_that_grows_while_it_is_paged_loses_nothing(site: Site) -> None:
    url = offer(site, SEVEN, size=3, paged=True)
    # Two new ones came first between the pages: the third page shows two of the second again.
    for path in lists_after_the_first(site):
        offset = int(path.rpartition("=")[2])
        grown = [notice(91), notice(92), *SEVEN]
        site.pages[path] = Page(body=answer(*grown[offset : offset + 3], total=9))
    site.pages[f"{QUERY}&offset=9"] = Page(body=answer(total=9))
    assert set(ALL) <= set(numbers(collect(url)))


def lists_after_the_first(site: Site) -> list[str]:
    return [path for path in site.pages if "offset" in path]


def test_endless_pages_end(site: Site) -> None:
    offer(site, [notice(n) for n in range(1, 400)], size=2, paged=True, total=False)
    document = collect(f"{site.url}{QUERY}", details=0)
    assert len(lists(site)) == 60
    assert parted(list(seao_search.read(document))[-1].reason)[0] is Reason.NOT_ALL  # type: ignore[union-attr]


def test_each_notice_has_its_description_and_is_asked_for_once_in_its_life(site: Site) -> None:
    url = offer(site, SEVEN, size=3, paged=True)
    first = collect(url)
    for read in seao_search.read(first):
        assert isinstance(read, Release)
        assert read.description == f"Description de {read.title}"
    assert details(site) == [uuid_of(n) for n in range(1, 8)]

    site.asked.clear()
    assert collect(url, first) == first
    assert details(site) == []
    assert [headers["if-none-match"] for _, headers in site.asked] == ['"3-0"', '"3-3"', '"1-6"']


def test_a_visit_asks_for_so_many_descriptions_and_the_next_for_the_others(site: Site) -> None:
    url = offer(site, SEVEN, size=2000, paged=True)
    first = collect(url, details=4)
    assert numbers(first) == ALL
    second = collect(url, first, details=4)
    assert details(site) == [uuid_of(n) for n in range(1, 8)]
    described = [one.description for one in seao_search.read(second) if isinstance(one, Release)]
    assert all(described)


def test_the_description_of_a_notice_that_changed_is_asked_for_again(site: Site) -> None:
    url = offer(site, SEVEN, size=2000, paged=True)
    first = collect(url)
    site.asked.clear()
    changed = notice(3, dateFermetureUtc="2026-10-14T15:00:00Z")
    offer(site, [*SEVEN[:2], changed, *SEVEN[3:]], size=2000, paged=True)
    site.pages[QUERY].etag = '"new"'
    second = collect(url, first)
    assert details(site) == [uuid_of(3)]
    assert numbers(second) == ALL


def test_one_question_at_a_time_with_a_pause_after_each_and_in_our_name(site: Site) -> None:
    waits: list[float] = []
    collect(offer(site, SEVEN, size=3, paged=True), waits=waits)
    assert waits == [1] * len(site.asked)
    agents = {headers["user-agent"] for _, headers in site.asked}
    assert len(agents) == 1
    assert agents.pop().endswith("(courriel@exemple.invalid)")


@pytest.mark.parametrize(
    ("headers", "waits"),
    [({}, [4, 1, 16, 1]), ({"Retry-After": "30"}, [30, 1, 30, 1])],
    ids=["longer each time", "as long as the server says"],
)
def test_a_busy_server_is_waited_for(
    site: Site, headers: dict[str, str], waits: list[float]
) -> None:
    url = offer(site, [notice()], size=9, paged=True)
    site.pages[QUERY].busy, site.pages[QUERY].headers = 2, headers
    waited: list[float] = []
    assert numbers(collect(url, waits=waited, details=0)) == ["20170001"]
    assert waited[:4] == waits


def test_a_server_that_wants_to_be_left_alone_for_long_is(site: Site) -> None:
    url = offer(site, [notice()], size=9, paged=True)
    site.pages[QUERY].busy, site.pages[QUERY].headers = 9, {"Retry-After": "3600"}
    with pytest.raises(SourceUnreachable) as refused:
        collect(url)
    assert refused.value.retry_after == 3600
    assert len(site.asked) == 1


def test_a_server_that_stays_busy_is_given_up_after_three_questions(site: Site) -> None:
    url = offer(site, [notice()], size=9, paged=True)
    site.pages[QUERY].busy = 9
    with pytest.raises(SourceUnreachable):
        collect(url)
    assert len(site.asked) == 3


def test_a_later_page_that_fails_leaves_what_came_before_it_and_says_so(site: Site) -> None:
    url = offer(site, SEVEN, size=3, paged=True)
    site.pages[f"{QUERY}&offset=3"] = Page(body=b"<html>Maintenance</html>")
    *found, lacking = seao_search.read(collect(url))
    assert len(found) == 3
    assert isinstance(lacking, Fault)
    assert parted(lacking.reason)[0] is Reason.NOT_ALL


def test_details_that_fail_leave_the_notices_and_are_not_insisted_upon(site: Site) -> None:
    url = offer(site, SEVEN, size=2000, paged=True)
    for path, page in site.pages.items():
        if path.endswith("/consulter"):
            page.body, page.etag = b"<html>", ""
    assert numbers(collect(url)) == ALL
    assert len(details(site)) == 2


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(body=b"<html>Maintenance</html>"), Reason.HTML),
        (Page(body=b""), Reason.NOT_JSON),
        (Page(body=b'{"apiData":'), Reason.NOT_JSON),
        (Page(body=b"{}"), Reason.NOT_AN_ANSWER),
        (Page(body=b"[]"), Reason.NOT_AN_ANSWER),
        (Page(body=b"[" * 100_000), Reason.NOT_JSON),
        (Page(status=404), Reason.WRONG_STATUS),
        (Page(status=403), Reason.WRONG_STATUS),
        (Page(body=b"{}", announced=99), Reason.WRONG_SIZE),
    ],
)
def test_a_first_page_that_is_no_answer_is_refused(site: Site, page: Page, reason: Reason) -> None:
    site.pages[QUERY] = page
    with pytest.raises(SourceMalformed) as refused:
        collect(f"{site.url}{QUERY}")
    assert parted(refused.value.reason)[0] is reason


@pytest.mark.parametrize("before", [b"", b"x", b"{}", b"[]", b'{"exchanges":[]}', b"[" * 99_999])
def test_an_earlier_document_of_another_shape_is_as_none(site: Site, before: bytes) -> None:
    assert numbers(collect(offer(site, SEVEN, size=3, paged=True), before)) == ALL
