"""`alertes sources …`: read the calls for tenders, from a file or from the open data portal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from base.clock import utc_now
from base.database import Database
from base.french import NBSP, count, thousands
from base.settings import Sources
from scripts import sources_words as words
from scripts.console import database, err, moment, out, print_json
from sources.catalogue import READERS
from sources.intake import Counts
from sources.reading import Outcome, documents, read_ckan, read_path

app = typer.Typer(help="Les sources d’appels d’offres.", no_args_is_help=True)

#: The counts, as a column of lines: staff read them at 80 characters.
LINES = {
    "releases": "Publications lues",
    "open": "Appels d’offres ouverts",
    "new": "Nouveaux",
    "amended": "Modifiés",
    "cancelled": "Annulés",
    "passed_over": "Écartées (contrats, avis fermés…)",
    "faults": "Publications fautives",
}


@app.callback()
def group() -> None:
    """A callback keeps « lire » a command of its own."""


@app.command(
    "lire",
    help="Lire les avis d’un fichier ou d’un dossier; sans --fichier, lire les données ouvertes "
    "du SEAO par le réseau.",
)
def read(
    path: Annotated[
        Path | None,
        typer.Option("--fichier", metavar="F", help="Un fichier, ou un dossier de fichiers .json."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help=f"Le format de --fichier{NBSP}: {', '.join(READERS)}."),
    ] = None,
    day: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    at = moment(day, utc_now())
    _check(path, form)
    found = _found(path)
    store = database(create=True)
    try:
        outcomes = list(_outcomes(store, found, form or "seao", at))
    finally:
        store.dispose()
    if as_json:
        print_json(_in_json(outcomes))
    else:
        _print(outcomes)
    _print_faults(outcomes)
    if any(outcome.fault for outcome in outcomes):
        raise typer.Exit(code=1)


def _check(path: Path | None, form: str | None) -> None:
    """Wrong usage ends with exit code 2."""
    if path is None and form is not None:
        raise typer.BadParameter("--format va avec --fichier.", param_hint="--format")
    if path is not None and form is None:
        message = f"Indiquer le format du fichier, par exemple{NBSP}: --format seao"
        raise typer.BadParameter(message, param_hint="--format")
    if form is not None and form not in READERS:
        message = f"«{NBSP}{form}{NBSP}» n’est pas un format connu{NBSP}: {', '.join(READERS)}."
        raise typer.BadParameter(message, param_hint="--format")


def _found(path: Path | None) -> list[Path] | None:
    if path is None:
        return None
    try:
        found = documents(path)
    except FileNotFoundError:
        _stop(f"{path} n’existe pas. Vérifier le nom du fichier ou du dossier.")
    except OSError:
        _stop(f"{path} ne peut pas être lu. Vérifier que vous en avez le droit.")
    if not found:
        _stop(f"Le dossier {path} ne contient aucun fichier .json. Vérifier son nom.")
    return found


def _outcomes(
    store: Database, found: list[Path] | None, form: str, at: datetime
) -> Iterator[Outcome]:
    if found is None:
        settings = Sources.read()
        with err.status("Lecture des données ouvertes du SEAO…"):
            yield from read_ckan(
                store, settings.seao_package_url, contact=settings.source_contact, at=at
            )
        return
    for number, path in enumerate(found, start=1):
        if len(found) > 1:
            err.print(f"Lecture de {path.name} ({number} de {len(found)})…", markup=False)
        yield from read_path(store, path, source=form, at=at)


def _print(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.unchanged and not outcome.counts.releases:
            out.print(f"{outcome.name}{NBSP}: rien de nouveau", markup=False, soft_wrap=True)
            continue
        read = count(outcome.counts.releases, "publication", "publications")
        opened = count(outcome.counts.open, "appel ouvert", "appels ouverts")
        line = f"{outcome.name}{NBSP}: {_remark(outcome)}{read}, {opened}"
        out.print(line, markup=False, soft_wrap=True)
    table = Table("", "Total")
    table.columns[1].justify = "right"
    total = asdict(_total(outcomes))
    for key, label in LINES.items():
        table.add_row(label, thousands(total[key]))
    out.print(table)


def _remark(outcome: Outcome) -> str:
    if outcome.fault:
        return "refusé, "
    return "déjà lu, " if outcome.unchanged else ""


def _print_faults(outcomes: list[Outcome]) -> None:
    """Each broken release, then each refused document, on standard error."""
    for outcome in outcomes:
        if outcome.faults:
            number = count(len(outcome.faults), "publication fautive", "publications fautives")
            err.print(f"{outcome.name}{NBSP}: {number}", markup=False, soft_wrap=True)
        for fault in outcome.faults:
            ocid = fault.ocid or "sans ocid"
            line = f"  position {fault.position}, {ocid}{NBSP}: {words.why(fault.reason)}"
            err.print(line, markup=False, soft_wrap=True)
    for outcome in outcomes:
        if outcome.fault:
            line = words.refused(outcome.name, outcome.fault)
            err.print(line, markup=False, soft_wrap=True)


def _total(outcomes: list[Outcome]) -> Counts:
    return sum((outcome.counts for outcome in outcomes), Counts())


def _in_json(outcomes: list[Outcome]) -> dict[str, object]:
    files = [
        {
            "name": outcome.name,
            **asdict(outcome.counts),
            "unchanged": outcome.unchanged,
            "fault": str(outcome.fault),
            "fault_details": [
                {"position": fault.position, "ocid": fault.ocid, "reason": str(fault.reason)}
                for fault in outcome.faults
            ],
        }
        for outcome in outcomes
    ]
    return {**asdict(_total(outcomes)), "files": files}


def _stop(sentence: str) -> NoReturn:
    err.print(sentence, markup=False, soft_wrap=True)
    raise typer.Exit(code=1)
