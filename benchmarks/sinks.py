"""Mail servers that take everything and keep nothing, each a process of its own, on the loopback.

Debian's smtp-sink where it is installed; a light one, which can also answer late, elsewhere.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection, socket
from time import sleep
from typing import IO, Any

SMTP_SINK, SMTP_SOURCE = shutil.which("smtp-sink"), shutil.which("smtp-source")
TICK = os.sysconf("SC_CLK_TCK")
_PROCESSES = multiprocessing.get_context("fork")
_COUNTED = re.compile(rb"mesg=(\d+)")


@dataclass(frozen=True, slots=True)
class Sink:
    """A running one."""

    port: int
    pid: int
    #: Letters that it took until now.
    count: Callable[[], int]

    def seconds(self) -> float:
        """Of processor, until now (Linux only: /proc)."""
        words = (Path("/proc") / str(self.pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICK


@contextmanager
def sink() -> Iterator[Sink]:
    """The quickest that there is here, with PIPELINING."""
    with _smtp_sink() if SMTP_SINK else light_sink() as one:
        yield one


@contextmanager
def _smtp_sink() -> Iterator[Sink]:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [str(SMTP_SINK), *user, "-c", f"127.0.0.1:{port}", "500"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:  # noqa: S603, Debian's
        assert server.stdout is not None  # noqa: S101, narrows for the type checker
        taken = [0]
        threading.Thread(target=_count, args=(server.stdout, taken), daemon=True).start()
        try:
            _wait_for(port)
            yield Sink(port, server.pid, lambda: taken[0])
        finally:
            server.kill()


def _count(said: IO[bytes], taken: list[int]) -> None:
    tail = b""
    while octets := os.read(said.fileno(), 65536):
        tail = (tail + octets)[-400:]
        # The last figure may be cut off: only one that something follows is whole.
        whole = _COUNTED.findall(tail.rpartition(b"\r")[0])
        taken[0] = int(whole[-1]) if whole else taken[0]


@contextmanager
def light_sink(reply_after: float = 0.0) -> Iterator[Sink]:
    """One on asyncio that answers whatever comes after so many seconds, as a far relay does."""
    port, taken = _PROCESSES.Value("i", 0), _PROCESSES.Value("i", 0)
    process = _PROCESSES.Process(target=_serve, args=(reply_after, port, taken), daemon=True)
    process.start()
    try:
        while not port.value:
            process.join(0.01)
        yield Sink(port.value, process.pid or 0, lambda: int(taken.value))
    finally:
        process.kill()
        process.join()


def _serve(reply_after: float, port: Any, taken: Any) -> None:  # noqa: ANN401, synchronized values
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Light(reply_after, taken), "127.0.0.1", 0, backlog=500
        )
        port.value = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    asyncio.run(serve())


class _Light(asyncio.Protocol):
    """One connection: commands are told by their first letter, a body ends with its dot."""

    _SAYS = {  # noqa: RUF012, never changed
        b"E": b"250-light\r\n250 PIPELINING\r\n",
        b"D": b"354 go\r\n",
        b"Q": b"221 bye\r\n",
    }

    def __init__(self, reply_after: float, taken: Any) -> None:  # noqa: ANN401, as above
        self._after = reply_after
        self._taken = taken
        self._octets = b""
        self._in_body = False

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401, as asyncio has it
        self._transport = transport
        self._say(b"220 light ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._octets += data
        while True:
            end = b"\r\n.\r\n" if self._in_body else b"\r\n"
            heard, found, rest = self._octets.partition(end)
            if not found:
                return
            self._octets = rest
            if self._in_body:
                self._in_body = False
                self._taken.value += 1
                self._say(b"250 2.0.0 Ok\r\n")
                continue
            verb = heard[:1].upper()
            self._in_body = verb == b"D"
            # So that a body of nothing ends too.
            self._octets = b"\r\n" + rest if self._in_body else rest
            self._say(self._SAYS.get(verb, b"250 2.1.0 Ok\r\n"))

    def _say(self, reply: bytes) -> None:
        asyncio.get_running_loop().call_later(self._after, self._transport.write, reply)


def source(port: int, letter: Path, number: int, *, sessions: int = 10) -> None:
    """Debian's smtp-source sends that letter so often, over so many reused connections."""
    address = f"127.0.0.1:{port}"
    asked = ["-d", "-s", str(sessions), "-m", str(number), "-F", str(letter)]
    people = ["-f", "retours@exemple.quebec", "-t", "source@exemple.quebec"]
    subprocess.run([str(SMTP_SOURCE), *asked, *people, address], check=True)  # noqa: S603, Debian's


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            sleep(0.02)
        else:
            return
    raise TimeoutError(f"nothing listens on {port}")
