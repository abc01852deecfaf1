"""`alertes membres …`: the roster in, the members as they stand."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy.exc import IntegrityError

from base.clock import utc_now
from base.french import NBSP, count
from base.spreadsheet import LARGEST
from scripts import members_words as words
from scripts.console import moment, opened, out, print_json, staff, stop
from scripts.members_report import report
from subscriptions import importing, roster, sectors
from subscriptions.difference import Difference
from subscriptions.errors import RosterUnreadable
from subscriptions.listing import ListedMember, listing

app = typer.Typer(help="Les membres et leur liste.", no_args_is_help=True)


@app.command(
    "importer",
    help="Comparer la liste des membres (CSV ou .xlsx) à ce qui est connu. "
    "Sans --appliquer, rien n’est changé.",
)
def import_roster(
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="La liste des membres.")],
    apply: Annotated[
        bool, typer.Option("--appliquer", help="Faire les changements montrés.")
    ] = False,
    day: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
) -> None:
    at = moment(day, utc_now())
    catalogue = sectors.load()
    try:
        found = roster.read(_document(path), catalogue)
    except RosterUnreadable as error:
        stop(f"{path.name}{NBSP}: {words.unreadable(error)} Rien n’a été changé.")
    for line in report(_imported(found, at=at, apply=apply), catalogue, applied=apply):
        out.print(line, soft_wrap=True)
    if not apply:
        out.print(
            f"\nC’était un essai{NBSP}: rien n’a été changé. Pour appliquer, ajouter --appliquer."
        )


def _imported(found: roster.Roster, *, at: datetime, apply: bool) -> Difference:
    try:
        with opened(create=True) as store:
            if not apply:
                with store.read() as session:
                    return importing.difference(session, found, at)
            with store.write() as session:
                return importing.take_in(session, found, at=at, by=staff())
    except IntegrityError:
        stop(
            "Une autre personne modifie les membres en ce moment. "
            "Rien n’a été changé; recommencer dans une minute."
        )


def _document(path: Path) -> bytes:
    """The file's bytes, one more than the limit at most."""
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except FileNotFoundError:
        stop(f"Le fichier {path} n’existe pas. Vérifier son nom et son dossier.")
    except OSError:
        stop(f"Le fichier {path} ne peut pas être lu. Vérifier que c’est un fichier et ses droits.")


@app.command("lister", help="Les entreprises, et pourquoi leurs contacts ne reçoivent rien.")
def list_members(
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
    day: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
) -> None:
    at = moment(day, utc_now())
    with opened(create=True) as store, store.read() as session:
        members = listing(session, at)
    if as_json:
        print_json({"at": at.isoformat(), "members": [_in_json(m) for m in members]})
        return
    out.print(_table(members))
    active = sum(m.active for m in members)
    mailed = sum(not c.hindrances for m in members for c in m.contacts)
    out.print(
        f"{count(len(members), 'entreprise', 'entreprises')}, dont "
        f"{count(active, 'active', 'actives')}; "
        f"{count(mailed, 'contact peut recevoir', 'contacts peuvent recevoir')} des lettres."
    )


def _table(members: tuple[ListedMember, ...]) -> Table:
    table = Table("Entreprise", "Active", "Contacts", "Fréquence", "Pourquoi rien n’est envoyé")
    for member in members:
        frequencies = Counter(c.frequency for c in member.contacts if c.frequency)
        why = dict.fromkeys(h for c in member.contacts for h in c.hindrances)
        table.add_row(
            member.name,
            "oui" if member.active else "non",
            str(len(member.contacts)),
            ", ".join(words.FREQUENCIES[f] for f in frequencies),
            "; ".join(words.HINDRANCES[h] for h in why) if member.contacts else "aucun contact",
        )
    return table


def _in_json(member: ListedMember) -> dict[str, object]:
    return {
        "id": member.id,
        "name": member.name,
        "active": member.active,
        "contacts": [
            {
                "id": c.id,
                "name": c.name,
                "address": c.address,
                "frequency": c.frequency,
                "not_mailed": [h.value for h in c.hindrances],
            }
            for c in member.contacts
        ],
    }
