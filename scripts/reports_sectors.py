"""`alertes rapport secteurs`: the notices of a time by sector, MRC and municipality."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import typer

from alerts.classification import Lexicon
from alerts.spread import Spread, spread
from base.clock import utc_now
from base.french import NBSP, count, period
from base.text import fold
from scripts import reports_charts as charts
from scripts import reports_page as pages
from scripts.console import err, opened, out, print_json
from scripts.reports_dates import Since, Until, between
from sources import places
from subscriptions import sectors
from subscriptions.sectors import Catalogue

HELP = "Les avis d’une période par secteur, MRC et municipalité (par défaut, 28 jours)."
DAYS = 28
#: Bars of a picture; the table has all.
MOST = 20


def command(
    since: Since = None,
    until: Until = None,
    region: Annotated[
        str, typer.Option("--region", help="Une région seulement, par exemple Laurentides.")
    ] = "",
    *,
    folder: pages.Folder = pages.FOLDER,
    workbook: pages.Workbook = False,
    as_json: pages.Json = False,
) -> None:
    at, catalogue = utc_now(), sectors.load()
    start, end = between(since, until, at, days=DAYS)
    where = _region(region)
    with err.status("Classement des avis…"), opened() as store, store.read() as session:
        made = spread(session, Lexicon.of(catalogue), start, end, region=where)
    first, last = pages.days(start, end)
    name = f"secteurs-{first}-{last}" + (f"-{pages.file_name(where)}" if where else "")
    of = period(start, end) + (f", {where}" if where else "")
    written = [pages.keep(folder, f"{name}.html", _page(made, catalogue, of, at))]
    if workbook:
        book = pages.workbook({"Avis": (_HEADINGS, _cells(made, catalogue))})
        written.append(pages.keep(folder, f"{name}.xlsx", book))
    if as_json:
        print_json(_in_json(made) | {"files": [str(path) for path in written]})
        return
    out.print(f"{count(len(made.calls), 'avis', 'avis')}, dont {made.untold} transmis à personne.")
    pages.say(*written)


def _region(name: str) -> str:
    if not name:
        return ""
    known = {fold(region): region for region in places.load().regions.values()}
    found = known.get(fold(name))
    if found is None:
        listed = ", ".join(sorted(set(known.values())))
        message = f"«{NBSP}{name}{NBSP}» n’est pas une région{NBSP}: {listed}."
        raise typer.BadParameter(message, param_hint="--region")
    return found


def _page(made: Spread, catalogue: Catalogue, of: str, at: datetime) -> str:
    by_sector = {catalogue.label(slug): number for slug, number in made.by_sector.items()}
    by_mrc = _named(made.by_mrc)
    words = {
        "of": of,
        "spread": made,
        "tables": [
            ("Par secteur", "Secteur", by_sector, _bars("secteur", by_sector)),
            ("Par MRC", "MRC", by_mrc, _bars("mrc", by_mrc)),
            ("Par municipalité", "Municipalité", _named(made.by_municipality), ""),
        ],
    }
    return pages.page("sectors", words, at=at)


def _named(found: Mapping[str, int]) -> dict[str, int]:
    """Those that have a name; what has none is counted apart."""
    return {name: number for name, number in found.items() if name}


def _bars(key: str, found: Mapping[str, int]) -> str:
    rows = list(found.items())[:MOST]
    return charts.bars(key, rows, alt=f"Avis par {key}, les {MOST} premiers")


_HEADINGS = (
    "Numéro", "Titre", "Organisme", "Municipalité", "MRC", "Région", "Vu le", "Ferme le",
    "Secteurs", "Entreprises avisées",
)  # fmt: skip


def _cells(made: Spread, catalogue: Catalogue) -> list[pages.Cells]:
    return [
        (
            call.number,
            call.title,
            call.buyer,
            call.municipality,
            call.mrc,
            call.region,
            call.first_seen_at,
            call.closes_at,
            "; ".join(catalogue.label(slug) for slug in call.sectors),
            call.members,
        )
        for call in made.calls
    ]


def _in_json(made: Spread) -> dict[str, object]:
    return {
        "calls": len(made.calls),
        "untold": made.untold,
        "unclassified": made.unclassified,
        "by_sector": made.by_sector,
        "by_mrc": made.by_mrc,
        "by_municipality": made.by_municipality,
    }
