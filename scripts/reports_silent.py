"""`alertes rapport sans-avis`: the active members that no letter reached, to be called."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer

from alerts.unmatched import Unmatched, unmatched
from base.clock import quebec_day, utc_now
from base.french import count
from scripts import reports_charts as charts
from scripts import reports_page as pages
from scripts.console import moment, opened, out, print_json
from scripts.not_mailed_words import NOT_MAILED
from scripts.told_words import date
from subscriptions import sectors
from subscriptions.sectors import Catalogue

HELP = "Les membres actifs à qui aucune lettre n’est parvenue depuis un temps (60 jours)."


def command(
    days: Annotated[int, typer.Option("--jours", min=1, max=730, help="Depuis combien.")] = 60,
    on: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
    *,
    folder: pages.Folder = pages.FOLDER,
    workbook: pages.Workbook = False,
    as_json: pages.Json = False,
) -> None:
    at, catalogue = moment(on, utc_now()), sectors.load()
    with opened() as store, store.read() as session:
        found = unmatched(session, at - timedelta(days=days), at)
    name = f"sans-avis-{quebec_day(at)}"
    written = [pages.keep(folder, f"{name}.html", _page(found, catalogue, days, at))]
    if workbook:
        rows = [_cells(one, catalogue) for one in found]
        book = pages.workbook({"Sans avis": (_HEADINGS, rows)})
        written.append(pages.keep(folder, f"{name}.xlsx", book))
    if as_json:
        files = [str(path) for path in written]
        print_json({"members": [asdict(one) for one in found], "files": files})
        return
    out.print(f"{count(len(found), 'membre actif', 'membres actifs')} sans aucune lettre.")
    pages.say(*written)


def reason(one: Unmatched) -> str:
    """Why nothing was sent, in a few words."""
    if not one.contacts:
        return "aucun contact"
    return NOT_MAILED.get(one.why, one.why) if one.why else "aucun avis dans ses choix"


def _page(found: list[Unmatched], catalogue: Catalogue, days: int, at: datetime) -> str:
    reasons = Counter(reason(one) for one in found).most_common()
    words = {
        "days": days,
        "found": found,
        "rows": [(one, reason(one), _labels(one, catalogue)) for one in found],
        "picture": charts.bars("raisons", reasons, alt="Membres sans lettre, par raison"),
    }
    return pages.page("silent", words, at=at)


_HEADINGS = (
    "Entreprise", "Téléphone", "Contacts", "Pourquoi", "Secteurs", "Dernière lettre", "Presque",
)  # fmt: skip


def _cells(one: Unmatched, catalogue: Catalogue) -> pages.Cells:
    return (
        one.member,
        one.telephone,
        "; ".join(one.contacts),
        reason(one),
        _labels(one, catalogue),
        date(one.last_at) or "jamais",
        one.nearly,
    )


def _labels(one: Unmatched, catalogue: Catalogue) -> str:
    return "; ".join(catalogue.label(slug) for slug in one.sectors)
