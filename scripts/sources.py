"""`alertes sources …`: read the calls for tenders, from a file or from the open data portal."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from base.clock import utc_now
from base.french import NBSP, count
from scripts import sources_words as words
from scripts.asked_sources import configured
from scripts.console import moment, opened, out, print_json, stop
from sources import catalogue, freshness
from sources.catalogue import FORMATS, Access, Source
from sources.intake import Counts

app = typer.Typer(help="Les sources d’appels d’offres.", invoke_without_command=True)


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
        typer.Option("--format", help=f"Le format de --fichier{NBSP}: {', '.join(FORMATS)}."),
    ] = None,
    day: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    from scripts import sources_reading as reading  # noqa: PLC0415, every reader, and the network

    at = moment(day, utc_now())
    _check(name, path, form)
    asked = _asked(name) if path is None else ()
    found = reading.found_at(path)
    with opened(create=True) as store:
        outcomes = list(reading.outcomes(store, asked, found, name or form or "", at))
        with store.write() as session:
            freshness.check(session, at, configured())
    if as_json:
        print_json(reading.in_json(outcomes))
    else:
        reading.show(outcomes)
    reading.show_faults(outcomes)
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
    from sources import replaying  # noqa: PLC0415, every reader, which no question needs

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
    from sources import replaying  # noqa: PLC0415, as above

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


def _known(name: str) -> None:
    if name not in catalogue.load() and name not in FORMATS:
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
    if form is not None and form not in FORMATS:
        message = f"«{NBSP}{form}{NBSP}» n’est pas un format connu{NBSP}: {', '.join(FORMATS)}."
        raise typer.BadParameter(message, param_hint="--format")
