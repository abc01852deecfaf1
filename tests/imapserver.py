"""An IMAP server for tests: as much of RFC 3501 as a reader of unread messages uses, over TLS.

One folder in memory, real sockets, a thread a client.
"""

from __future__ import annotations

import contextlib
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

_FETCH = re.compile(rb"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", re.IGNORECASE)
_STORE = re.compile(rb"UID STORE (\d+) \+FLAGS\.SILENT \(\\Seen\)", re.IGNORECASE)


@dataclass
class Folder:
    """What the server holds and what was said to it."""

    messages: list[bytes] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    password: str = "canari-imap"
    heard: list[bytes] = field(default_factory=list)
    #: Replies in place of the normal ones, by command.
    replies: dict[str, bytes] = field(default_factory=dict)
    port: int = 0


def _answer(folder: Folder, command: bytes) -> tuple[bytes, bytes]:
    """Untagged lines, and the tagged status."""
    word = command.split(b" ")[0].decode().upper()
    if (act := folder.replies.get(word)) is not None:
        return b"", act
    if word == "LOGIN" and folder.password.encode() not in command:
        return b"", b"NO [AUTHENTICATIONFAILED] no"
    if match := _STORE.fullmatch(command):
        folder.seen.add(int(match[1]))
    return _said(folder, word, command), b"OK"


def _said(folder: Folder, word: str, command: bytes) -> bytes:
    if word == "CAPABILITY":
        return b"* CAPABILITY IMAP4rev1\r\n"
    if word == "SELECT":
        return b"* %d EXISTS\r\n" % len(folder.messages)
    if command.upper() == b"UID SEARCH UNSEEN":
        unseen = [b"%d" % n for n, _ in enumerate(folder.messages, 1) if n not in folder.seen]
        return b" ".join([b"* SEARCH", *unseen]) + b"\r\n"
    if match := _FETCH.fullmatch(command):
        body = folder.messages[int(match[1]) - 1][: int(match[2])]
        head = b"* %b FETCH (UID %b BODY[]<0> {%d}\r\n" % (match[1], match[1], len(body))
        return head + body + b")\r\n"
    return b""


@contextlib.contextmanager
def imap_server(folder: Folder, context: ssl.SSLContext) -> Iterator[Folder]:
    """Serve a folder on a free port, over TLS from the first octet."""

    class Client(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.wfile.write(b"* OK ready\r\n")
                for line in self.rfile:
                    tag, _, command = line.strip().partition(b" ")
                    folder.heard.append(command)
                    untagged, status = _answer(folder, command)
                    self.wfile.write(untagged + tag + b" " + status + b" done\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def get_request(self) -> tuple[ssl.SSLSocket, object]:
            client, address = super().get_request()
            return context.wrap_socket(client, server_side=True), address

        def handle_error(self, request: object, client_address: object) -> None:
            """A handshake that failed is what a test wants."""

    with Server(("127.0.0.1", 0), Client) as server:
        folder.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield folder
        finally:
            server.shutdown()
