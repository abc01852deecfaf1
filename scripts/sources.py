"""`alertes sources …`: read the calls for tenders, from a file or from the open data portal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from base.clock import utc_now
from base.database import Database
from base.french import NBSP, count, thousands
from base.settings import Sources
from scripts import sources_words as words
from scripts.console import err, moment, opened, out, print_json, stop
from sources import catalogue, freshness, replaying, rounds
from sources.catalogue import READERS, Access, Source
from sources.intake import Counts
from sources.reading import Network, Outcome, documents, read_path

app = typer.Typer(help="Les sources d’appels d’offres.", invoke_without_command=True)

#: The counts, as a column of lines: staff read them at 80 characters.
LINES = {
    "releases": "Publications lues",
    "open": "Appels d’offres ouverts",
    "new": "Nouveaux",
    "backlog": "Trop anciens pour les lettres",
    "amended": "Modifiés",
    "cancelled": "Annulés",
    "withdrawn": "Retirés de la source",
    "conflicting": "Contradictoires, à vérifier à la source",
    "passed_over": "Écartées (contrats, avis fermés…)",
    "faults": "Publications fautives",
}


@app.callback()
def show(
    context: typer.Context,
    day: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    """Without a command of its own: each source, and what it is worth now."""
    if context.invoked_subcommand is not None:
        return
    at = moment(day, utc_now())
    with opened() as store, store.read() as session:
        states = freshness.coverage(session, at, configured())
    if as_json:
        print_json({"sources": [words.in_json(one) for one in states]})
        return
    table = Table("Source", "État", "A répondu", "Du nouveau", "Lues", "Fautes")
    for one in states:
        table.add_row(*words.row(one))
    out.print(table)
    for one in states:
        for line in words.remarks(one):
            out.print(line, soft_wrap=True)


@app.command(
    "lire",
    help="Lire une source par le réseau, ou toutes; avec --fichier, un fichier ou un dossier.",
)
def read(
    name: Annotated[
        str | None, typer.Argument(metavar="[NOM]", help="Une source, par exemple seao.")
    ] = None,
    path: Annotated[
        Path | None,
        typer.Option("--fichier", metavar="F", help="Un fichier, ou un dossier de fichiers."),
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
    _check(name, path, form)
    asked = _asked(name) if path is None else ()
    found = _found(path)
    with opened(create=True) as store:
        outcomes = list(_outcomes(store, asked, found, name or form or "", at))
        with store.write() as session:
            freshness.check(session, at, configured())
    if as_json:
        print_json(_in_json(outcomes))
    else:
        _print(outcomes)
    _print_faults(outcomes)
    if any(outcome.fault for outcome in outcomes):
        raise typer.Exit(code=1)


@app.command(
    "rejouer",
    help="Relire les documents gardés avec cette version du programme. Ce qui était lu ne change "
    "pas; ce qu’un lecteur corrigé sait maintenant lire est ajouté.",
)
def replay(
    name: Annotated[str, typer.Argument(metavar="[NOM]", help="Une source seulement.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    if name:
        _known(name)
    with opened() as store:
        replayed = list(replaying.replay(store, name, at=utc_now()))
    total = sum((one.counts for one in replayed), Counts())
    if as_json:
        print_json({"documents": len(replayed), **asdict(total)})
        return
    for one in replayed:
        if one.counts.changed or one.fault:
            told = words.why(one.fault) if one.fault else f"{one.counts.changed} de plus"
            out.print(f"{one.name}{NBSP}: {told}", soft_wrap=True)
    read_again = count(len(replayed), "document relu", "documents relus")
    added = count(total.changed, "avis ajouté ou changé", "avis ajoutés ou changés")
    out.print(f"{read_again}, {added}.")


@app.command("accepter", help="Le document retenu d’une source est juste : le prendre.")
def accept(name: Annotated[str, typer.Argument(metavar="NOM", help="La source.")]) -> None:
    _known(name)
    at = utc_now()
    with opened() as store:
        accepted = replaying.accept(store, name, at=at)
        with store.write() as session:
            freshness.check(session, at, configured())
    if accepted is None:
        stop(f"Aucun document de {name} n’est retenu. Voir{NBSP}: alertes sources")
    if accepted.fault:
        stop(words.refused(accepted.name, accepted.fault))
    taken = count(accepted.counts.changed, "avis ajouté ou changé", "avis ajoutés ou changés")
    out.print(f"{accepted.name}{NBSP}: accepté, {taken}.", soft_wrap=True)


def configured() -> tuple[Source, ...]:
    """The catalogue's sources, at the addresses of the settings."""
    settings = Sources.read()
    return catalogue.configured(
        {"seao": settings.seao_package_url, "seao_search": settings.seao_search_url},
        off=() if settings.federal_notices else ("canadabuys",),
    )


def _known(name: str) -> None:
    if name not in catalogue.load() and name not in READERS:
        keys = ", ".join(catalogue.load())
        message = f"«{NBSP}{name}{NBSP}» n’est pas une source connue{NBSP}: {keys}."
        raise typer.BadParameter(message, param_hint="NOM")


def _asked(name: str | None) -> tuple[Source, ...]:
    """The sources to ask by the network: that one, or all that are enabled."""
    if name is None:
        return tuple(one for one in configured() if one.enabled)
    one = next((one for one in configured() if one.key == name), None)
    if one is None or one.access is Access.STAFF:
        message = f"«{NBSP}{name}{NBSP}» se lit avec --fichier."
        raise typer.BadParameter(message, param_hint="NOM")
    return (one,)


def _check(name: str | None, path: Path | None, form: str | None) -> None:
    """Wrong usage ends with exit code 2."""
    if name is not None:
        _known(name)
    if path is None and form is not None:
        raise typer.BadParameter("--format va avec --fichier.", param_hint="--format")
    if path is not None and form is None and name is None:
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
        stop(f"{path} n’existe pas. Vérifier le nom du fichier ou du dossier.")
    except OSError:
        stop(f"{path} ne peut pas être lu. Vérifier que vous en avez le droit.")
    if not found:
        stop(f"Le dossier {path} ne contient aucun fichier .json. Vérifier son nom.")
    return found


def _outcomes(
    store: Database,
    asked: tuple[Source, ...],
    found: list[Path] | None,
    origin: str,
    at: datetime,
) -> Iterator[Outcome]:
    if found is None:
        network = Network(contact=Sources.read().source_contact)
        for source in asked:
            for address in source.addresses:
                with err.status(f"Lecture{NBSP}: {source.short}…"):
                    yield from rounds.visit(store, source, address, network, at=at).outcomes
        return
    for number, path in enumerate(found, start=1):
        if len(found) > 1:
            err.print(f"Lecture de {path.name} ({number} de {len(found)})…")
        yield from read_path(store, path, source=origin, at=at)


def _print(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.unchanged and not outcome.counts.releases:
            out.print(f"{outcome.name}{NBSP}: rien de nouveau", soft_wrap=True)
            continue
        read = count(outcome.counts.releases, "publication", "publications")
        opened = count(outcome.counts.open, "appel ouvert", "appels ouverts")
        line = f"{outcome.name}{NBSP}: {_remark(outcome)}{read}, {opened}"
        out.print(line, soft_wrap=True)
    table = Table("", "Total")
    table.columns[1].justify = "right"
    total = asdict(_total(outcomes))
    for key, label in LINES.items():
        table.add_row(label, thousands(total[key]))
    out.print(table)


def _remark(outcome: Outcome) -> str:
    if outcome.fault:
        return "refusé, "
    if outcome.held:
        return "bien plus court que d’habitude, "
    return "déjà lu, " if outcome.unchanged else ""


def _print_faults(outcomes: list[Outcome]) -> None:
    """Each broken release, then each refused document, on standard error."""
    for outcome in outcomes:
        if outcome.faults:
            number = count(len(outcome.faults), "publication fautive", "publications fautives")
            err.print(f"{outcome.name}{NBSP}: {number}", soft_wrap=True)
        for fault in outcome.faults:
            ocid = fault.ocid or "sans ocid"
            line = f"  position {fault.position}, {ocid}{NBSP}: {words.why(fault.reason)}"
            err.print(line, soft_wrap=True)
    for outcome in outcomes:
        if outcome.fault:
            line = words.refused(outcome.name, outcome.fault)
            err.print(line, soft_wrap=True)


def _total(outcomes: list[Outcome]) -> Counts:
    return sum((outcome.counts for outcome in outcomes), Counts())


def _in_json(outcomes: list[Outcome]) -> dict[str, object]:
    files = [
        {
            "name": outcome.name,
            **asdict(outcome.counts),
            "unchanged": outcome.unchanged,
            "fault": str(outcome.fault),
            "held": outcome.held,
            "fault_details": [
                {"position": fault.position, "ocid": fault.ocid, "reason": str(fault.reason)}
                for fault in outcome.faults
            ],
        }
        for outcome in outcomes
    ]
    return {**asdict(_total(outcomes)), "files": files}
