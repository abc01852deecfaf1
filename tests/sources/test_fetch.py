"""The network's edge against real sockets: which addresses are refused, what is given up, kept."""

from __future__ import annotations

import asyncio
import gzip
import re
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import pytest

from sources import fetch
from sources.errors import SourceMalformed, SourceUnreachable
from sources.fetch import Fetched, Limits, Unchanged
from sources.reasons import Reason, parted
from tests.webserver import Page, Site, web_server

QUICK = Limits(connect=0.5, read=0.5, total=2)


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as opened:
        yield opened


def get(url: str, *, limits: Limits = QUICK, **options: Any) -> Fetched | Unchanged:
    return fetch.get("source", url, limits=limits, loopback=True, **options)


def body(answer: Fetched | Unchanged) -> bytes:
    assert isinstance(answer, Fetched)
    with answer.file:
        return answer.file.read()


def refusal(url: str, *, loopback: bool = False, limits: Limits = QUICK) -> Reason | None:
    """Why an address or its answer is refused."""
    with pytest.raises(SourceMalformed) as refused:
        fetch.get("source", url, limits=limits, loopback=loopback)
    return parted(refused.value.reason)[0]


# Addresses.

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


# What is asked, and what is kept.


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


# What is given up.


def test_a_gzip_is_opened_and_measured(site: Site) -> None:
    site.pages["/f"] = Page(body=b"avis " * 1000, zipped=True)
    assert body(get(f"{site.url}/f")) == b"avis " * 1000


def test_a_bomb_is_given_up_before_it_fills_the_memory(site: Site) -> None:
    site.pages["/f"] = Page(
        body=gzip.compress(b"\0" * 120_000_000, 9), headers={"Content-Encoding": "gzip"}
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(f"{site.url}/f", loopback=True, limits=Limits()) is Reason.TOO_LARGE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 * 1024


def test_a_gzip_within_a_gzip_is_opened_once(site: Site) -> None:
    inner = gzip.compress(b"\0" * 10_000_000)
    site.pages["/f"] = Page(body=inner, zipped=True)
    assert body(get(f"{site.url}/f")) == inner


@pytest.mark.parametrize("after", [b"", b"\0" * 512, b"reste"])
def test_members_of_gzip_are_read_one_after_the_other(site: Site, after: bytes) -> None:
    both = gzip.compress(b"un ") + gzip.compress(b"deux") + after
    site.pages["/f"] = Page(body=both, headers={"Content-Encoding": "gzip"})
    assert body(get(f"{site.url}/f")) == b"un deux"


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "deflate", "compress", "gzip, gzip", "x", "br, gzip"]
)
def test_an_encoding_that_was_not_asked_for_is_refused(site: Site, encoding: str) -> None:
    site.pages["/f"] = Page(body=b"x", headers={"Content-Encoding": encoding})
    assert refusal(f"{site.url}/f", loopback=True) is Reason.WRONG_ENCODING


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(Page(body=b"x" * 99, announced=200), id="less than announced"),
        pytest.param(
            Page(body=gzip.compress(b"avis" * 99)[:-9], headers={"Content-Encoding": "gzip"}),
            id="gzip cut short",
        ),
        pytest.param(
            Page(body=gzip.compress(b"avis")[:5], headers={"Content-Encoding": "gzip"}),
            id="the beginning of a gzip",
        ),
        pytest.param(
            Page(
                body=gzip.compress(b"avis" * 99)[:-8] + b"\0" * 8,
                headers={"Content-Encoding": "gzip"},
            ),
            id="another checksum",
        ),
        pytest.param(Page(body=b"pas du gzip", headers={"Content-Encoding": "gzip"}), id="no gzip"),
    ],
)
def test_a_damaged_answer_is_refused_whole(site: Site, page: Page) -> None:
    site.pages["/f"] = page
    assert refusal(f"{site.url}/f", loopback=True) is Reason.WRONG_SIZE


def test_an_answer_of_nothing_is_for_the_reader_to_judge(site: Site) -> None:
    site.pages["/f"] = Page()
    assert body(get(f"{site.url}/f")) == b""


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(Page(body=b"x", late=30), id="no headers"),
        pytest.param(Page(body=b"x" * 99, drip=30), id="stops within"),
        pytest.param(Page(body=b"x" * 999, drip=0.2), id="a byte at a time"),
    ],
)
def test_a_slow_answer_is_given_up_in_time(site: Site, page: Page) -> None:
    site.pages["/f"] = page
    with pytest.raises(SourceUnreachable) as refused:
        get(f"{site.url}/f", limits=Limits(connect=0.5, read=0.6, total=1))
    assert parted(refused.value.reason)[0] is Reason.TOO_SLOW


@contextmanager
def talker(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that is no HTTP server: `talk` says what it likes to the first who comes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                talk(client)
        except OSError:
            pass  # the client has given up, or the test is over

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    server.close()


def say_for_ever(first: bytes, again: bytes) -> Callable[[socket.socket], None]:
    def talk(client: socket.socket) -> None:
        client.sendall(first)
        while True:
            client.sendall(again)

    return talk


ENDLESS = Limits(connect=1, read=2, total=20, raw=1_000_000, decoded=4_000_000)
CHUNK = b"10000\r\n" + b"x" * 65536 + b"\r\n"


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNK, id="chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, id="no length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 65536, id="a length"
        ),
    ],
)
def test_an_endless_answer_is_cut(first: bytes, again: bytes) -> None:
    with talker(say_for_ever(first, again)) as url:
        assert refusal(url, loopback=True, limits=ENDLESS) is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-Long: y\r\n" * 4096, id="headers without end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536, id="one header without end"),
        pytest.param(b"", b"\0" * 65536, id="no HTTP"),
        pytest.param(b"220 smtp.exemple.quebec ESMTP\r\n", b"\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 abc\r\n", b"x\r\n", id="no status"),
    ],
)
def test_what_is_no_http_is_given_up(first: bytes, again: bytes) -> None:
    with talker(say_for_ever(first, again)) as url, pytest.raises(SourceUnreachable):
        get(url, limits=ENDLESS)


def test_a_server_that_hangs_up_is_unreachable() -> None:
    with talker(lambda client: None) as url, pytest.raises(SourceUnreachable):
        get(url)


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SourceUnreachable) as refused:
        get(f"http://127.0.0.1:{port}/")
    assert parted(refused.value.reason)[0] is Reason.NO_ANSWER


def test_a_server_of_which_the_certificate_is_another_s_is_not_read() -> None:
    """TLS is verified: a server on the loopback has no certificate that anyone vouches for."""
    import ssl  # noqa: PLC0415, for this test alone

    import trustme  # noqa: PLC0415, as above

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(context)

    def talk(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as secure:
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")

    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: _serve_once(server, talk), daemon=True)
    thread.start()
    with pytest.raises(SourceUnreachable) as refused:
        get(f"https://127.0.0.1:{server.getsockname()[1]}/")
    server.close()
    assert "CERTIFICATE_VERIFY_FAILED" in refused.value.reason


def _serve_once(server: socket.socket, talk: Callable[[socket.socket], None]) -> None:
    try:
        client, _ = server.accept()
        talk(client)
    except OSError:
        pass  # the handshake fails, as it must
