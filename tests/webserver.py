"""A real HTTP server on the loopback, whose pages a test scripts one answer at a time."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(kw_only=True)
class Page:
    """What an address answers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    #: Announce this size instead of the body's.
    announced: int | None = None
    #: Send only so much of the body at the first so many requests, well announced.
    cut_to: int | None = None
    cuts: int = 0
    #: Seconds before the headers, and between single bytes of the body.
    late: float = 0
    drip: float = 0
    zipped: bool = False
    #: Answer 503 to the first so many requests.
    busy: int = 0


@dataclass(kw_only=True)
class Site:
    """The server's pages by path, and what was asked."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    #: Path and headers of each request, headers in lower case.
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: Site


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.server.site.asked.append((self.path, headers))
        page = self.server.site.pages.get(self.path, Page(status=404))
        try:
            time.sleep(page.late)
            if page.busy > 0:
                page.busy -= 1
                self._answer(Page(status=503, headers=page.headers), b"")
            elif page.etag and headers.get("if-none-match") == page.etag:
                self.send_response(304)
                self.end_headers()
            else:
                self._answer(page, _body(page))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, page: Page, body: bytes) -> None:
        length = len(body) if page.announced is None else page.announced
        self.send_response(page.status)
        for key, value in page.headers.items():
            self.send_header(key, value)
        if page.etag:
            self.send_header("ETag", page.etag)
        if page.zipped:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if not page.drip:
            self.wfile.write(body)
            return
        for byte in body:
            self.wfile.write(bytes([byte]))
            time.sleep(page.drip)

    def log_message(self, *_: object) -> None:
        pass


def _body(page: Page) -> bytes:
    body = gzip.compress(page.body) if page.zipped else page.body
    if page.cuts > 0:
        page.cuts -= 1
        return body[: page.cut_to]
    return body


@contextmanager
def web_server() -> Iterator[Site]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.site = Site(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
