"""What the workers hand their letters to: the sink, or a wire, a real Postfix and the sink."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from campaigns.postfix import Postfix, postfix

#: Seconds in which Postfix must have passed on all it has.
DELIVERED_WITHIN = 120.0


@contextmanager
def relay(
    folder: Path, *, seed: int, lost: float, refused: float, reconcile: bool
) -> Iterator[tuple[int, Path | None]]:
    """The port that workers speak to, and the log of the Postfix behind it."""
    shares = (0.0, 0.0) if reconcile else (lost, refused)
    with _process("campaigns.crash.sink", folder / "accepted", seed, *shares) as sink_port:
        if not reconcile:
            yield sink_port, None
            return
        with postfix(folder / "postfix", deliver_to=sink_port) as server:
            seen = (folder / "dots", seed, lost, server.port)
            with _process("campaigns.crash.wire", *seen) as port:
                yield port, server.log
                _deliver_all(server)


def _deliver_all(server: Postfix) -> None:
    until = time.monotonic() + DELIVERED_WITHIN
    while server.queued():
        if time.monotonic() > until:
            raise RuntimeError("Postfix keeps mail")
        time.sleep(0.2)


@contextmanager
def _process(module: str, *arguments: object) -> Iterator[int]:
    """A server of its own, whose first line is its port; killed at the end."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            assert server.stdout is not None  # noqa: S101, narrows for the type checker
            yield int(server.stdout.readline())
        finally:
            server.kill()
