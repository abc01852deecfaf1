"""What all commands share: French errors, exit codes, who is at the keyboard.

Results go to standard output, all else to standard error. Exit codes: 0 done, 1 could not be
done, 2 wrong usage.
"""

from __future__ import annotations

import getpass
import json
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, NoReturn

import typer
from rich.console import Console

from base.clock import wall_time
from base.database import Database, ready, ready_or_new
from base.settings import Store

# Rich reads [..] as its markup; in a title or a name it is only what somebody wrote.
out = Console(highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)


def staff() -> str:
    """The login name of who runs the command, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "inconnu"


def stop(sentence: str) -> NoReturn:
    """Say why it could not be done, and leave with exit code 1."""
    err.print(sentence, soft_wrap=True)
    raise typer.Exit(1)


@contextmanager
def opened(*, create: bool = False) -> Iterator[Database]:
    """The database of the settings; `create` only for reading and roster commands."""
    url = Store.read().database_url
    store = ready_or_new(url) if create else ready(url)
    try:
        yield store
    finally:
        store.dispose()


def print_block(text: str, indent: int) -> None:
    """A paragraph within 80 columns, each line indented; addresses and options stay whole."""
    margin = " " * indent
    lines = textwrap.fill(
        text,
        79,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    out.print(lines, soft_wrap=True)


def print_json(value: Mapping[str, Any]) -> None:
    """One object on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def moment(value: str | None, at: datetime, *, option: str = "--au") -> datetime:
    """The moment that `option` names: a day (its noon in Québec) or an ISO moment with zone.

    Raises typer.BadParameter with a French message.
    """
    if value is None:
        return at
    try:
        if len(value) == len("2026-09-21"):
            return wall_time(date.fromisoformat(value), 12)
        parsed = datetime.fromisoformat(value)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        message = f"« {value} » n’est pas une date. Écrire par exemple 2026-09-21."
        raise typer.BadParameter(message, param_hint=option)
    return parsed.astimezone(UTC)
