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
from base.clock import utc_now
from base.french import NBSP, count, day, thousands
from scripts import reports_heaps as heaps
from scripts import reports_page as pages
from scripts import told_words
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
    *,
    folder: pages.Folder = pages.FOLDER,
    workbook: pages.Workbook = False,
    as_json: pages.Json = False,
) -> None:
    first, last = _day(since, "--depuis"), _day(until, "--jusqua")
    if first and last and last < first:
        raise typer.BadParameter("ce jour est avant celui de --depuis.", param_hint="--jusqua")
    with opened() as store, store.read() as session:
        found = delays.report(
            session, _begin(first), _begin(last + timedelta(days=1)) if last else None
        )
    if not found.all.notices and not as_json:
        out.print("Aucun avis n’a encore été envoyé dans cette période.")
        return
    name = "-".join(["delais", *(str(one) for one in (first, last) if one)])
    written = [pages.keep(folder, f"{name}.html", _page(found, _period(first, last)))]
    if workbook:
        rows = [(label, *_cells(one)) for label, one in _rows(found)]
        book = pages.workbook({"Jours utiles": (("Lettre ou rythme", *_HEADINGS), rows)})
        written.append(pages.keep(folder, f"{name}.xlsx", book))
    if as_json:
        files = [str(path) for path in written]
        print_json({"depuis": first, "jusqua": last, **_in_json(found), "files": files})
        return
    _show(found, first, last)
    pages.say(*written)


_HEADINGS = ("Avis", "Médiane", "9 sur 10 ont", "Déciles", f"Moins de {USEFUL_DAYS} jours")


def _page(found: Report, of: str) -> str:
    # The picture's legend is one line: short names.
    series = {
        told_words.STREAMS.get(name, "autre"): one.by_days for name, one in found.by_stream.items()
    }
    by_heap = zip(*map(heaps.heaps, series.values()), strict=True)
    _, median, *_, late = _cells(found.all)
    words = {
        "of": of,
        "notices": found.all.notices,
        "median": median,
        "late": late,
        "useful": USEFUL_DAYS,
        "picture": heaps.picture(series),
        "streams": list(series),
        "heaps": list(zip(heaps.NAMES, by_heap, strict=False)),
        "headings": _HEADINGS,
        "rows": [(label, _cells(one)) for label, one in _rows(found)],
        "unknown": found.all.without_closing,
    }
    return pages.page("delays", words, at=utc_now())


def _rows(found: Report) -> list[tuple[str, Delays]]:
    """All, then each stream's, then each frequency's."""
    return [
        ("Tous", found.all),
        *((_stream(name), one) for name, one in found.by_stream.items()),
        *((_frequency(name), one) for name, one in found.by_frequency.items()),
    ]


def _stream(name: str) -> str:
    return STREAMS.get(Stream(name), name) if name else "Autre"


def _frequency(name: str) -> str:
    label = FREQUENCIES[Frequency(name)] if name else "Sans abonnement"
    return f"Abonnés{NBSP}: {label[0].lower()}{label[1:]}"


def _show(found: Report, first: date | None, last: date | None) -> None:
    out.print(f"Jours utiles, de la remise à la clôture{_period(first, last)}", style="bold")
    table = Table("", *_HEADINGS)
    last_of_streams = len(found.by_stream)
    for place, (label, one) in enumerate(_rows(found)):
        table.add_row(label, *_cells(one), end_section=place in {0, last_of_streams})
    out.print(table)
    if found.all.without_closing:
        unknown = count(found.all.without_closing, "avis", "avis")
        out.print(f"Non comptés{NBSP}: {unknown} sans date limite.")


def _cells(one: Delays) -> tuple[str, ...]:
    if one.median is None or one.too_late is None:
        return (thousands(one.notices), "–", "–", "–", "–")
    deciles = " ".join(_number(value) for value in one.deciles)
    share = f"{100 * one.too_late:.1f}".replace(".", ",")
    least = f"{_number(one.deciles[0])} ou plus"
    return (thousands(one.notices), _number(one.median), least, deciles, f"{share}{NBSP}%")


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
