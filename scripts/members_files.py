"""`alertes membres exporter` and `modele`: the roster as a file that can be imported again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from base import audit, workbook
from base.clock import quebec_day, utc_now
from base.french import NBSP, count
from base.workbook import Sheet, Value
from scripts import members_words as words
from scripts.console import err, opened, out, print_json, staff, stop
from subscriptions import exporting, knowledge, sectors
from subscriptions.exporting import Apart, Export, ExportedLine
from subscriptions.roster_words import Column
from subscriptions.sectors import Catalogue

Target = Annotated[Path, typer.Argument(metavar="FICHIER", help="Un nom en .xlsx ou .csv.")]
Replace = Annotated[bool, typer.Option("--remplacer", help="Remplacer un fichier qui existe.")]

_APART = {
    Apart.NO_CONTACT: "aucun contact",
    Apart.NO_SUBSCRIPTION: "contact sans abonnement ni secteurs",
}


def export(
    path: Target,
    *,
    replace: Replace = False,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    _may_write(path, {".xlsx", ".csv"}, replace=replace)
    at, catalogue = utc_now(), sectors.load()
    with opened() as store:
        with store.read() as session:
            found = exporting.export(knowledge.known(session, at), at)
        _write(path, document(path, found, catalogue, at))
        with store.write() as session:
            audit.record(
                session,
                at=at,
                who=staff(),
                action="membres exporter",
                subject="roster",
                after={"lines": len(found.lines)},
            )
    if as_json:
        print_json({"file": str(path), "lines": len(found.lines), "apart": len(found.apart)})
        return
    written = count(len(found.lines), "ligne écrite", "lignes écrites")
    told = f"{written} dans {path}. Ce fichier contient des renseignements personnels."
    out.print(told, soft_wrap=True)
    for one in found.apart:
        about = f"{one.enterprise}, {one.address}" if one.address else one.enterprise
        err.print(f"Hors de la liste{NBSP}: {about} ({_APART[one.why]}).", soft_wrap=True)


def template(path: Target, *, replace: Replace = False) -> None:
    from scripts import roster_template  # noqa: PLC0415, openpyxl, a third of a second

    _may_write(path, {".xlsx"}, replace=replace)
    _write(path, roster_template.document(sectors.load()))
    then = f"Le remplir, puis{NBSP}: alertes membres importer {path}"
    out.print(f"Modèle écrit dans {path}. {then}", soft_wrap=True)


def _may_write(path: Path, suffixes: set[str], *, replace: bool) -> None:
    if path.suffix.lower() not in suffixes:
        expected = " ou ".join(sorted(suffixes))
        raise typer.BadParameter(f"Le nom doit finir par {expected}.", param_hint="FICHIER")
    if path.exists() and not replace:
        stop(f"Le fichier {path} existe déjà. Choisir un autre nom, ou ajouter --remplacer.")


def _write(path: Path, content: bytes) -> None:
    try:
        workbook.write(path, content)
    except OSError:
        stop(f"Le fichier {path} ne peut pas être écrit. Vérifier le dossier et vos droits.")


def document(path: Path, found: Export, catalogue: Catalogue, at: datetime) -> bytes:
    """The bytes of the file, in the format that its name says."""
    rows = [_row(line, catalogue) for line in found.lines]
    sheet = Sheet("Membres", list(words.COLUMNS.values()), rows)
    if path.suffix.lower() == ".csv":
        return workbook.csv_bytes(sheet)
    apart = [(one.enterprise, one.address, _APART[one.why]) for one in found.apart]
    title = f"Hors liste {quebec_day(at).isoformat()}"
    others = [Sheet(title, ("Entreprise", "Courriel", "Pourquoi"), apart)] if apart else []
    return workbook.xlsx_bytes([sheet, *others])


def _row(line: ExportedLine, catalogue: Catalogue) -> list[Value]:
    values: dict[str, Value] = {
        Column.ENTERPRISE: line.enterprise,
        Column.TELEPHONE: line.telephone,
        Column.STATUS: "Actif" if line.active else "Inactif",
        Column.STARTS: line.starts_on,
        Column.ENDS: line.ends_on,
        Column.CONTACT: line.contact,
        Column.ADDRESS: line.address,
        Column.SECTORS: "|".join(catalogue.label(slug) for slug in line.wishes.sectors),
        Column.FREQUENCY: words.FREQUENCIES[line.wishes.frequency],
        Column.TERRITORY: "|".join(line.wishes.territory),
        Column.BASIS: words.BASES.get(line.basis, ""),
        Column.EVIDENCE: line.evidence,
        Column.CONSENTED: line.consented_on,
    }
    return [values[column] for column in words.COLUMNS]
