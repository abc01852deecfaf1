"""`alertes secteurs retours`: what contacts answered to notices, by sector, and as rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from alerts import relevance
from alerts.classification import Lexicon
from alerts.relevance import Labelled, SectorReturns
from base.clock import quebec_day, utc_now
from base.french import NBSP, count, day
from scripts.console import err, opened, out, print_json
from subscriptions import sectors
from subscriptions.sectors import Catalogue

HELP = "Montrer, par secteur, les avis que des contacts ont dits non pertinents."
#: The columns of labelled titles: tests/data/labelled/README.md.
COLUMNS = ("source", "title", "buyer", "unspsc_or_category", "expected_sectors", "note")
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Notices shown for each sector.
_SHOWN = 5


def returns(
    export: Annotated[
        Path | None,
        typer.Option("--exporter", metavar="FICHIER.csv", help="En écrire des titres étiquetés."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    catalogue = sectors.load()
    with opened() as store, store.read() as session:
        found = relevance.by_sector(session)
        rows = relevance.labelled(session, Lexicon.of(catalogue)) if export else []
    if export is not None:
        _export(export, rows)
    if as_json:
        print_json({"sectors": [_in_json(one) for one in found]})
    elif export is None:
        _show(found, catalogue)


def _show(found: list[SectorReturns], catalogue: Catalogue) -> None:
    if not found:
        out.print("Aucun retour.")
        return
    table = Table("Secteur", "Pas pertinents", "Intéressés")
    for one in found:
        table.add_row(_label(one, catalogue), str(one.not_relevant), str(one.interested))
    out.print(table)
    for one in found:
        for returned in one.returned[:_SHOWN]:
            line = (
                f"{_label(one, catalogue)}{NBSP}: {returned.number} {returned.title} "
                f"({returned.evidence}), {day(returned.at)}"
            )
            out.print(line, soft_wrap=True)


def _export(path: Path, rows: list[Labelled]) -> None:
    """Plain UTF-8, as the other labelled files are: `alertes secteurs evaluer` reads it."""
    today = quebec_day(utc_now()).isoformat()
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows([safe(cell) for cell in _row(one, today)] for one in rows)
    except OSError:
        err.print(f"Le fichier {path} ne peut pas être écrit.")
        raise typer.Exit(1) from None
    written = count(len(rows), "titre écrit", "titres écrits")
    err.print(f"{written} dans {path}. Relire chaque ligne avant de s’en servir.")


def safe(cell: str) -> str:
    """The cell, with an apostrophe before what a spreadsheet would compute."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _row(one: Labelled, today: str) -> tuple[str, ...]:
    told = [
        count(one.not_relevant, "pas pertinent", "pas pertinents"),
        count(one.interested, "intéressé", "intéressés"),
    ]
    note = f"retours{NBSP}: {', '.join(told)}; à relire"
    if one.disputed:
        note += f"; limite{NBSP}: {';'.join(one.disputed)}"
    return (
        f"Retours au {today}, SEAO no {one.number}",
        one.title,
        one.buyer,
        one.codes,
        ";".join(one.sectors) or "none",
        note,
    )


def _label(one: SectorReturns, catalogue: Catalogue) -> str:
    return catalogue.label(one.sector) if one.sector else "Mots-clés des contacts"


def _in_json(one: SectorReturns) -> dict[str, Any]:
    return {
        "sector": one.sector,
        "not_relevant": one.not_relevant,
        "interested": one.interested,
        "returned": [
            {"number": r.number, "title": r.title, "evidence": r.evidence, "at": r.at}
            for r in one.returned
        ],
    }
