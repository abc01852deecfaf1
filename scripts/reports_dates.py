"""The days that a report is about: `--du` and `--au`, both included."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from base.clock import quebec_day
from base.french import NBSP
from subscriptions.stretches import midnight

Since = Annotated[str | None, typer.Option("--du", metavar="DATE", help="Le premier jour.")]
Until = Annotated[str | None, typer.Option("--au", metavar="DATE", help="Le dernier jour.")]
#: Days that a report is about where none is asked.
DAYS = 7


def between(
    since: str | None, until: str | None, at: datetime, *, days: int = DAYS
) -> tuple[datetime, datetime]:
    """[midnight of the first day, midnight after the last one), in Québec; by default to today.

    Raises typer.BadParameter with a French message.
    """
    last = _day(until, "--au") if until else quebec_day(at)
    first = _day(since, "--du") if since else last - timedelta(days=days - 1)
    if first > last:
        message = f"le premier jour, {first}, vient après le dernier, {last}."
        raise typer.BadParameter(message, param_hint="--du")
    return midnight(first), midnight(last + timedelta(days=1))


def _day(value: str, option: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        message = f"«{NBSP}{value}{NBSP}» n’est pas une date. Écrire par exemple 2026-09-21."
        raise typer.BadParameter(message, param_hint=option) from None
