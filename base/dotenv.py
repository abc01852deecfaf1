"""One variable of the file `.env`, read and replaced; the rest of the file stays as it is."""

from __future__ import annotations

import os
import re
from pathlib import Path

from dotenv import dotenv_values

PATH = Path(".env")


def value(name: str, path: Path = PATH) -> str:
    """What the file says; "" where it says nothing, or is not there."""
    return dotenv_values(path, interpolate=False).get(name) or ""


def replace(name: str, new: str, path: Path = PATH) -> None:
    """Give `name` the value `new`, on its own line or at the end; all or nothing, durable.

    Keeps the file's owner, rights and comments. `new` has no quotes and no line ends.
    """
    text = path.read_text("utf-8")
    line = f"{name}={new}"
    written, found = re.subn(rf"(?m)^(?:export +)?{name} *=.*$", lambda _: line, text)
    if not found:
        written = f"{text.rstrip()}\n{line}\n"
    known = path.stat()
    made = path.with_name(f".{path.name.lstrip('.')}.part")
    made.unlink(missing_ok=True)
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    with os.fdopen(os.open(made, flags, known.st_mode & 0o777), "w", encoding="utf-8") as file:
        if (known.st_uid, known.st_gid) != (os.geteuid(), os.getegid()):
            # The administrator's hand must not take the file away from the service.
            os.fchown(file.fileno(), known.st_uid, known.st_gid)
        file.write(written)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
