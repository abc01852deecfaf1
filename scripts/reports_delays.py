"""`alertes rapport delais`: the days that notices left to bid, by which the service is judged."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from alerts import delays
from alerts.delays import Delays, Report
from alerts.rhythm import USEFUL_DAYS
from alerts.tables import Stream
from base.french import NBSP, count, day
from scripts.console import opened, out, print_json
from subscriptions.stretches import midnight
from subscriptions.tables import Frequency

HELP = "Dire combien de jours utiles les avis envoyés laissaient."

STREAMS = {
    Stream.WEEKLY: "Lettre de la semaine",
    Stream.DAILY: "Lettre du jour",
    Stream.INSTANT: "Lettre dès la parution, ou sans attendre lundi",
    Stream.WELCOME: "Bienvenue",
    Stream.RETURN: "Retour",
}
FREQUENCIES = {
    Frequency.WEEKLY: "Chaque semaine",
    Frequency.DAILY: "Chaque jour",
    Frequency.INSTANT: "Dès la parution",
}


def command(
    since: Annotated[
        str | None, typer.Option("--depuis", metavar="JOUR", help="Lettres acceptées dès ce jour.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--jusqua", metavar="JOUR", help="Et jusqu’à ce jour compris.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    first, last = _day(since, "--depuis"), _day(until, "--jusqua")
    if first and last and last < first:
        raise typer.BadParameter("ce jour est avant celui de --depuis.", param_hint="--jusqua")
    with opened() as store, store.read() as session:
        found = delays.report(
            session, _begin(first), _begin(last + timedelta(days=1)) if last else None
        )
    if as_json:
        print_json({"depuis": first, "jusqua": last, **_in_json(found)})
        return
    _show(found, first, last)


def _show(found: Report, first: date | None, last: date | None) -> None:
    if not found.all.notices:
        out.print("Aucun avis n’a encore été envoyé dans cette période.")
        return
    out.print(f"Jours utiles, de la remise à la clôture{_period(first, last)}", style="bold")
    table = Table("", "Avis", "Médiane", "9 sur 10 ont", "Déciles", f"Moins de {USEFUL_DAYS} jours")
    table.add_row("Tous", *_cells(found.all), end_section=True)
    for name, one in found.by_stream.items():
        table.add_row(STREAMS.get(Stream(name), name) if name else "Autre", *_cells(one))
    table.add_section()
    for name, one in found.by_frequency.items():
        label = FREQUENCIES[Frequency(name)] if name else "Sans abonnement"
        table.add_row(f"Abonnés{NBSP}: {label[0].lower()}{label[1:]}", *_cells(one))
    out.print(table)
    if found.all.without_closing:
        unknown = count(found.all.without_closing, "avis", "avis")
        out.print(f"Non comptés{NBSP}: {unknown} sans date limite.")


def _cells(one: Delays) -> tuple[str, ...]:
    if one.median is None or one.too_late is None:
        return (str(one.notices), "–", "–", "–", "–")
    deciles = " ".join(_number(value) for value in one.deciles)
    share = f"{100 * one.too_late:.1f}".replace(".", ",")
    least = f"{_number(one.deciles[0])} ou plus"
    return (str(one.notices), _number(one.median), least, deciles, f"{share}{NBSP}%")


def _number(value: float) -> str:
    """«6,5», «6»."""
    return f"{value:.1f}".removesuffix(".0").replace(".", ",")


def _period(first: date | None, last: date | None) -> str:
    begun = f", depuis le {day(first)}" if first else ""
    return begun + (f", jusqu’au {day(last)}" if last else "")


def _in_json(found: Report) -> dict[str, Any]:
    return {
        "tous": _figures(found.all),
        "par_envoi": {name: _figures(one) for name, one in found.by_stream.items()},
        "par_frequence": {name: _figures(one) for name, one in found.by_frequency.items()},
    }


def _figures(one: Delays) -> dict[str, Any]:
    return {
        "avis": one.notices,
        "sans_date_limite": one.without_closing,
        "mediane": one.median,
        "deciles": list(one.deciles),
        f"part_sous_{USEFUL_DAYS}_jours": one.too_late,
    }


def _day(value: str | None, option: str) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        message = f"«{NBSP}{value}{NBSP}» n’est pas un jour. Écrire par exemple 2026-09-21."
        raise typer.BadParameter(message, param_hint=option) from None


def _begin(first: date | None) -> datetime | None:
    return midnight(first) if first else None
