"""Asking staff before something is done: only where somebody is there to answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from base.progress import Progress
from scripts.console import err


def somebody_is_there() -> bool:
    """Whether a person reads what we write and can answer: a terminal on both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def agreed(question: str, wanted: str = "oui") -> bool:
    """Ask; only the wanted word is a yes («o» too, for «oui»)."""
    answer = typer.prompt(question, default="non", err=True, show_default=False)
    given = str(answer).strip().lower()
    return given == wanted or (wanted == "oui" and given == "o")


@contextmanager
def shown(title: str) -> Iterator[Progress]:
    """A bar on the terminal while long work lasts; nothing where nobody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def told(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield told
