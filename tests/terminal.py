"""The staff command in a process of its own, on a real terminal (a pseudo-terminal)."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "scripts")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a terminal showed."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """Without colours and cursor movements."""
        return _CONTROL.sub("", self.raw).replace("\r\n", "\n")


def environment(folder: Path, **values: str) -> dict[str, str]:
    """A terminal's: 80 columns, and the database of that folder."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "TMPDIR"}}
    base = {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80", "PYTHONUTF8": "1"}
    return kept | base | {"DATABASE_URL": f"sqlite:///{folder}/a.sqlite3"} | values


def typed(words: list[str], answers: Mapping[str, str], folder: Path, **values: str) -> Shown:
    """Run the command; when the terminal shows a key of `answers`, type its value once."""
    master, slave = pty.openpty()
    process = subprocess.Popen(  # noqa: S603, our own command
        [*COMMAND, *words],
        stdin=slave, stdout=slave, stderr=slave, cwd=folder,
        env=environment(folder, **values), start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    said, left = b"", dict(answers)
    until = time.monotonic() + 120
    while time.monotonic() < until:
        ready, _, _ = select.select([master], [], [], 0.2)
        if not ready:
            if process.poll() is not None:
                break
            continue
        try:
            chunk = os.read(master, 65536)
        except OSError:  # what Linux says once the other end is closed
            break
        if not chunk:
            break
        said += chunk
        for question in [q for q in left if q.encode() in said]:
            os.write(master, left.pop(question).encode())
    os.close(master)
    return Shown(process.wait(60), said.decode("utf-8", "replace"))
