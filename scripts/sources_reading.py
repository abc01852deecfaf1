"""`alertes sources lire`: what was read, what is wrong with it, and the counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from rich.table import Table

from base.database import Database
from base.french import NBSP, count, thousands
from base.settings import Sources
from scripts import sources_words as words
from scripts.console import err, out, stop
from sources import rounds
from sources.catalogue import Source
from sources.intake import Counts
from sources.reading import Network, Outcome, documents, read_path

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


def found_at(path: Path | None) -> list[Path] | None:
    """The files of that path; None where the network is to be asked. It may end the command."""
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


def outcomes(
    store: Database,
    asked: tuple[Source, ...],
    found: list[Path] | None,
    origin: str,
    at: datetime,
) -> Iterator[Outcome]:
    """Read, one document after the other: the files, or else the sources by the network."""
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


def show(read: list[Outcome]) -> None:
    """A line a document, and the counts of all."""
    for outcome in read:
        if outcome.unchanged and not outcome.counts.releases:
            out.print(f"{outcome.name}{NBSP}: rien de nouveau", soft_wrap=True)
            continue
        releases = count(outcome.counts.releases, "publication", "publications")
        opened = count(outcome.counts.open, "appel ouvert", "appels ouverts")
        line = f"{outcome.name}{NBSP}: {_remark(outcome)}{releases}, {opened}"
        out.print(line, soft_wrap=True)
    table = Table("", "Total")
    table.columns[1].justify = "right"
    total = asdict(_total(read))
    for key, label in LINES.items():
        table.add_row(label, thousands(total[key]))
    out.print(table)


def _remark(outcome: Outcome) -> str:
    if outcome.fault:
        return "refusé, "
    if outcome.held:
        return "bien plus court que d’habitude, "
    return "déjà lu, " if outcome.unchanged else ""


def show_faults(read: list[Outcome]) -> None:
    """Each broken release, then each refused document, on standard error."""
    for outcome in read:
        if outcome.faults:
            number = count(len(outcome.faults), "publication fautive", "publications fautives")
            err.print(f"{outcome.name}{NBSP}: {number}", soft_wrap=True)
        for fault in outcome.faults:
            ocid = fault.ocid or "sans ocid"
            line = f"  position {fault.position}, {ocid}{NBSP}: {words.why(fault.reason)}"
            err.print(line, soft_wrap=True)
    for outcome in read:
        if outcome.fault:
            line = words.refused(outcome.name, outcome.fault)
            err.print(line, soft_wrap=True)


def _total(read: list[Outcome]) -> Counts:
    return sum((outcome.counts for outcome in read), Counts())


def in_json(read: list[Outcome]) -> dict[str, object]:
    """The counts of all, and of each document."""
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
        for outcome in read
    ]
    return {**asdict(_total(read)), "files": files}
