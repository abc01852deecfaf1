"""The settings' file rewritten: some variables set, every other line as it was, all or nothing.

The file is the installer's and the key rotation's to write; base.settings alone reads it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Container, Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream

#: What needs no quotes.
_PLAIN = re.compile(r"[\w@%+=:,./*-]+", re.ASCII)


def put(path: Path, values: Mapping[str, str], *, kept: Container[str] = ()) -> None:
    """Set those variables in the file, made when absent; no stranger may read it.

    Its owner alone may, and its group where it could: the service's, of a file that is root's.

    Comments, other variables and their order stay. The file is replaced at once by a whole one,
    or not at all; a second call with the same values changes nothing. Of the variables `kept`,
    a line that is replaced stays as a comment.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
        UnicodeDecodeError: the file is not UTF-8.
        ValueError: a value of several lines.
    """
    path = path.resolve()
    before = path.read_bytes().decode() if path.exists() else ""
    _replace(path, rewritten(before, values, kept=kept))


def rewritten(before: str, values: Mapping[str, str], *, kept: Container[str] = ()) -> str:
    """The file's text with those variables set: in their place, or at the end."""
    bindings = list(parse_stream(io.StringIO(before, newline="")))
    # Of two lines for one variable the last counts.
    last = {one.key: number for number, one in enumerate(bindings) if one.key in values}
    lines = [
        _set(one, values[str(one.key)], kept)
        if last.get(one.key) == number
        else one.original.string
        for number, one in enumerate(bindings)
    ]
    text = "".join(lines)
    missing = [name for name in values if name not in last]
    if missing and text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(f"{_line(name, values[name])}\n" for name in missing)


def _set(binding: Binding, value: str, kept: Container[str]) -> str:
    """That line with another value; as it is where it has that value already."""
    original = binding.original.string
    if binding.value == value and "${" not in value:
        return original
    # Blank lines before it belong to what the parser took for it.
    before = original[: len(original) - len(original.lstrip())]
    end = "\r\n" if original.endswith("\r\n") else "\n"
    was = f"# {original.strip()}{end}" if str(binding.key) in kept and binding.value else ""
    return f"{before}{was}{_line(str(binding.key), value)}{end}"


def _line(name: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise ValueError(f"{name} has several lines")
    # ${NAME} would be replaced by that variable, within quotes too; this says «$» by a default.
    safe = value.replace("${", "${:-$}{")
    if not value or _PLAIN.fullmatch(value):
        return f"{name}={value}"
    return f"{name}='{safe.replace(chr(92), chr(92) * 2).replace(chr(39), chr(92) + chr(39))}'"


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".env-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if path.exists():
                was = path.stat()
                # Written by root for the service's user, it stays readable to that user.
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), was.st_uid, was.st_gid)
                    os.fchmod(file.fileno(), 0o600 | was.st_mode & 0o040)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the new name durable too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
