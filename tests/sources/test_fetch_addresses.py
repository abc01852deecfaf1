"""Which addresses may be asked: no form of a private one, by name, number or redirect."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator

import pytest

from sources import fetch
from sources.errors import SourceMalformed, SourceUnreachable
from sources.reasons import Reason, parted
from tests.fetching import QUICK, body, get, refusal
from tests.webserver import Page, Site, web_server


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as opened:
        yield opened


#: On port 443, so that nothing but what they resolve to can refuse them.
PRIVATE = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104, an address that is refused
    "0",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7F.1",
    "127.0.0.1.",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[::127.0.0.1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_a_host_that_is_not_public_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises((SourceMalformed, SourceUnreachable)) as refused:
        fetch.get("source", f"https://{host}/", limits=QUICK)
    # Some forms are no address to this machine's resolver: nobody was asked either.
    unknown = re.search("Name or service|Address family|no address", refused.value.reason)
    assert unknown or parted(refused.value.reason)[0] is Reason.REFUSED_ADDRESS


@pytest.mark.parametrize(
    "url",
    [
        "http://donnees.exemple.quebec/",
        "HTTP://donnees.exemple.quebec/",
        "ftp://donnees.exemple.quebec/",
        "file:///etc/passwd",
        "file://donnees.exemple.quebec/etc/passwd",
        "gopher://donnees.exemple.quebec/",
        "javascript:alert(1)",
        "data:text/html,x",
        "dict://donnees.exemple.quebec:11211/",
        "//donnees.exemple.quebec/",
        "/etc/passwd",
        "donnees.exemple.quebec",
        "",
        "https://",
        "https:///x",
        "https://donnees.exemple.quebec:80/",
        "https://donnees.exemple.quebec:8443/",
        "https://donnees.exemple.quebec:22/",
        "https://donnees.exemple.quebec:99999/",
        "https://donnees.exemple.quebec:x/",
        "https://utilisateur@donnees.exemple.quebec/",
        "https://donnees.exemple.quebec:x@127.0.0.1/",
        "https://donnees.exemple.quebec@127.0.0.1/",
        "https://[::1",
        "https://[]/",
        "https:donnees.exemple.quebec",
        "https:\\\\donnees.exemple.quebec\\",
    ],
)
def test_an_address_of_another_form_is_refused_before_any_name_is_looked_up(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, [("93.184.215.14", 0)])
    assert refusal(url) is Reason.REFUSED_ADDRESS
    assert asked == []


@pytest.mark.parametrize(
    "host",
    ["a" * 64 + ".quebec", "donnees..exemple.quebec", "\ud800.quebec"],
)
def test_a_host_that_is_no_name_is_refused(host: str) -> None:
    assert refusal(f"https://{host}/") is Reason.REFUSED_ADDRESS


def answering(monkeypatch: pytest.MonkeyPatch, *answers: list[tuple[str, int]]) -> list[str]:
    """A name server that gives those (address, port) in turn; the names it was asked for."""
    asked: list[str] = []

    async def getaddrinfo(
        _loop: object, host: str, port: int, **_: object
    ) -> list[tuple[object, ...]]:
        answer = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address, _ in answer]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (address, asked_port or port))
            for kind, (address, asked_port) in zip(kinds, answer, strict=True)
        ]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%eth0"],
        ["::ffff:10.0.0.1"],
        ["93.184.215.14", "127.0.0.1"],
        ["93.184.215.14", "::1"],
        ["2606:2800:220:1:248:1893:25c8:1946", "192.168.1.1"],
        [],
    ],
)
def test_a_name_of_which_any_address_is_private_is_refused(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, [(one, 0) for one in addresses])
    assert refusal("https://donnees.exemple.quebec/") is Reason.REFUSED_ADDRESS
    assert asked == ["donnees.exemple.quebec"]


def test_the_connection_goes_to_the_address_that_was_checked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means another place when it is asked for again (DNS rebinding) gains nothing."""
    site.pages["/f"] = Page(body=b"x")
    port = site.url.rpartition(":")[2]
    asked = answering(monkeypatch, [("127.0.0.1", 0)], [("192.0.2.1", 0)])
    assert body(get(f"http://donnees.exemple.quebec:{port}/f")) == b"x"
    assert asked == ["donnees.exemple.quebec"]
    assert site.asked[0][1]["host"] == f"donnees.exemple.quebec:{port}"


def test_each_redirect_is_looked_up_and_checked_anew(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = site.url.rpartition(":")[2]
    site.pages["/f"] = Page(status=302, headers={"Location": f"http://ailleurs.quebec:{port}/g"})
    asked = answering(monkeypatch, [("127.0.0.1", 0)], [("10.0.0.1", 0)])
    url = f"http://donnees.exemple.quebec:{port}/f"
    assert refusal(url, loopback=True) is Reason.REFUSED_ADDRESS
    assert asked == ["donnees.exemple.quebec", "ailleurs.quebec"]
    assert site.paths() == ["/f"]


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "https://192.168.1.1/",
        "http://[fe80::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://2852039166/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://a@127.0.0.1/",
        "//10.0.0.1/",
        "http://[::1",
        "http://exemple.quebec:x/",
    ],
)
def test_a_redirect_to_a_place_that_is_refused_is_not_followed(site: Site, location: str) -> None:
    site.pages["/f"] = Page(status=302, headers={"Location": location})
    assert refusal(f"{site.url}/f", loopback=True) is Reason.REFUSED_ADDRESS
    assert site.paths() == ["/f"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_what_is_allowed_is_followed(site: Site, status: int) -> None:
    site.pages["/f"] = Page(status=status, headers={"Location": "/g?a=1"})
    site.pages["/g?a=1"] = Page(body=b"x")
    assert body(get(f"{site.url}/f")) == b"x"


def test_three_redirects_are_followed_and_no_more(site: Site) -> None:
    for n in range(4):
        site.pages[f"/{n}"] = Page(status=302, headers={"Location": f"/{n + 1}"})
    site.pages["/4"] = Page(body=b"x")
    assert body(get(f"{site.url}/1")) == b"x"
    assert refusal(f"{site.url}/0", loopback=True) is Reason.TOO_MANY_REDIRECTS


def test_a_redirect_to_itself_ends(site: Site) -> None:
    site.pages["/f"] = Page(status=301, headers={"Location": "/f"})
    assert refusal(f"{site.url}/f", loopback=True) is Reason.TOO_MANY_REDIRECTS
    assert len(site.asked) == 4


def test_only_the_loopback_is_open_to_tests() -> None:
    for url in ("http://10.0.0.1/", "http://192.0.2.1/", "http://[fe80::1]/"):
        assert refusal(url, loopback=True) is Reason.REFUSED_ADDRESS


def test_proxies_of_the_environment_are_not_used(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.pages["/f"] = Page(body=b"x")
    assert body(get(f"{site.url}/f")) == b"x"
