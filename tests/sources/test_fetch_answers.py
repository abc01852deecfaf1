"""Answers that are damaged, endless, slow or no HTTP: given up in time, and whole or not at all."""

from __future__ import annotations

import gzip
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sources.errors import SourceUnreachable
from sources.fetch import Limits
from sources.reasons import Reason, parted
from tests.fetching import body, get, refusal
from tests.webserver import Page, Site, web_server


@pytest.fixture
def site() -> Iterator[Site]:
    with web_server() as opened:
        yield opened


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
