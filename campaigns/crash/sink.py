"""A mail server that can be believed: what it accepted is on the disk before it answers 250.

A process of its own, on plain sockets: `python -m campaigns.crash.sink FILE SEED LOST REFUSED`.
It writes its port on standard output. LOST and REFUSED are shares: of accepted messages whose
reply is never sent, and of transactions refused for now (RCPT) or for good (dot).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import socketserver
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from pathlib import Path

from campaigns.crash.oracle import Accepted, calls_in

_PATH = re.compile(rb"<([^>]*)>")


class _Session(socketserver.StreamRequestHandler):
    """One connection."""

    server: Sink

    def handle(self) -> None:
        """Speak SMTP until the other side leaves."""
        self.sender = self.recipient = ""
        try:
            self._say("220 puits ESMTP")
            while line := self.rfile.readline(4096):
                if not self._answer(line):
                    return
        except OSError:
            return

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode("ascii"))

    def _answer(self, line: bytes) -> bool:
        verb = line[:4].upper()
        path = _PATH.search(line)
        if verb == b"EHLO":
            pipelining = "250-PIPELINING\r\n" if self.server.chance(0.5) else ""
            self._say(f"250-puits\r\n{pipelining}250 8BITMIME")
        elif verb == b"MAIL" and path:
            self.sender, self.recipient = path[1].decode("ascii"), ""
            self._say("250 2.1.0 ok")
        elif verb == b"RCPT" and path:
            refuses = self.server.chance(self.server.refused)
            self.recipient = "" if refuses else path[1].decode("ascii")
            self._say("451 4.2.0 later" if refuses else "250 2.1.5 ok")
        elif verb == b"DATA":
            return self._data()
        elif verb == b"QUIT":
            return False
        else:
            self._say("250 2.0.0 ok")
        return True

    def _data(self) -> bool:
        if not self.recipient:
            self._say("503 5.5.1 nobody to send to")
            return True
        began = time.time()
        self._say("354 go")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line.endswith(b"\r\n"):
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        if self.server.chance(self.server.refused):
            self._say("554 5.6.0 not this one")
            return True
        self.server.keep(self.sender, self.recipient, b"".join(lines), began)
        if self.server.chance(self.server.lost):
            return False
        self._say("250 2.0.0 kept")
        return True


class Sink(socketserver.ThreadingTCPServer):
    """What all connections share: the file and the dice."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, file: Path, seed: int, lost: float, refused: float) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.lost, self.refused = lost, refused
        self._dice = random.Random(seed)
        self._one = threading.Lock()
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def chance(self, share: float) -> bool:
        """True so often."""
        with self._one:
            return self._dice.random() < share

    def keep(self, sender: str, recipient: str, content: bytes, began: float) -> None:
        """Write the acceptance down; it is durable on return."""
        headers = BytesHeaderParser().parsebytes(content)
        record = {
            "at": time.time(),
            "began": began,
            "from": sender,
            "to": recipient,
            "message_id": str(headers["Message-ID"]).strip(),
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": base64.b64encode(zlib.compress(content, 1)).decode("ascii"),
        }
        with self._one:
            os.write(self._file, f"{json.dumps(record)}\n".encode("ascii"))
            os.fsync(self._file)


def read(file: Path) -> Iterator[Accepted]:
    """What was accepted so far."""
    for line in file.read_text(encoding="ascii").splitlines() if file.exists() else ():
        record = json.loads(line)
        content = zlib.decompress(base64.b64decode(record["content"]))
        if hashlib.sha256(content).hexdigest() != record["sha256"]:
            raise ValueError(f"{file} is damaged")
        yield Accepted(
            address=record["to"],
            message_id=record["message_id"],
            calls=calls_in(content),
            began=record["began"],
            at=record["at"],
        )


def main() -> None:
    """Serve until killed."""
    file, seed, lost, refused = sys.argv[1:]
    with Sink(Path(file), int(seed), float(lost), float(refused)) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
