"""`alertes rapport municipalite`: what a municipality may be given: how many, and never who."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from alerts.reach import FEWEST, Reach, Reached, reach
from base.clock import utc_now
from base.french import NBSP, count, period, thousands
from scripts import reports_charts as charts
from scripts import reports_page as pages
from scripts.console import opened, out, print_json, stop
from scripts.reports_dates import Since, Until, between
from sources import places
from sources.municipalities import folded

HELP = (
    "Ce qu’une municipalité peut recevoir\u00a0: combien d’entreprises ses avis ont "
    "rejointes, jamais lesquelles (par défaut, 365 jours)."
)
DAYS = 365


def command(
    name: Annotated[str, typer.Argument(metavar="NOM", help="Le nom de la municipalité.")],
    since: Since = None,
    until: Until = None,
    *,
    folder: pages.Folder = pages.FOLDER,
    workbook: pages.Workbook = False,
    as_json: pages.Json = False,
) -> None:
    at = utc_now()
    start, end = between(since, until, at, days=DAYS)
    municipality = _known(name)
    with opened() as store, store.read() as session:
        made = reach(session, municipality, start, end)
    days = pages.days(start, end)
    file = f"municipalite-{pages.file_name(municipality)}-{days[0]}-{days[1]}"
    written = [pages.keep(folder, f"{file}.html", _page(made, period(start, end), at))]
    if workbook:
        rows = [
            (one.number, one.title, one.first_seen_at, one.closes_at, said(one.members))
            for one in made.calls
        ]
        headings = ("Numéro", "Titre", "Vu le", "Ferme le", "Entreprises avisées")
        written.append(
            pages.keep(folder, f"{file}.xlsx", pages.workbook({"Avis": (headings, rows)}))
        )
    if as_json:
        print_json(asdict(made) | {"files": [str(path) for path in written]})
        return
    calls = count(len(made.calls), "avis", "avis")
    out.print(f"{municipality}{NBSP}: {calls}; entreprises rejointes{NBSP}: {said(made.members)}.")
    pages.say(*written)


def said(members: int | None) -> str:
    """«12», «aucune», or that they are few."""
    if members is None:
        return f"moins de {FEWEST}"
    return thousands(members) if members else "aucune"


def _known(name: str) -> str:
    found = places.load().municipalities.get(folded(name), ())
    if not found:
        stop(
            f"Aucune municipalité du répertoire ne s’appelle «{NBSP}{name}{NBSP}». "
            "Écrire son nom seul, par exemple Saint-Jérôme."
        )
    return found[0].name


def _page(made: Reach, of: str, at: datetime) -> str:
    words = {
        "of": f"{made.municipality}. {of}",
        "reach": made,
        "members": said(made.members),
        "rows": [(one, said(one.members)) for one in made.calls],
        "hours": round(made.hours) if made.hours is not None else None,
        "fewest": FEWEST,
        "picture": _picture(made.calls),
    }
    return pages.page("town", words, at=at)


#: The first number of each heap of enterprises, and its name.
_HEAPS = ((0, "aucune"), (1, f"moins de {FEWEST}"), (FEWEST, "5 à 19"), (20, "20 à 49"),
          (50, "50 et plus"))  # fmt: skip


def _picture(calls: Sequence[Reached]) -> str:
    if not calls:
        return ""
    found = Counter(_heap(one.members) for one in calls)
    rows = [(name, found[place]) for place, (_, name) in enumerate(_HEAPS)]
    return charts.bars("entreprises", rows, alt="Avis, selon les entreprises avisées")


def _heap(members: int | None) -> int:
    if members is None:
        return 1
    return sum(members >= least for least, _ in _HEAPS[1:])
