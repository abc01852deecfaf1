"""`alertes membres …`: the roster in, the members as they stand."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from rich.table import Table

from base.clock import utc_now
from base.french import count
from scripts import members_changes, members_files, members_import
from scripts import members_words as words
from scripts.console import moment, opened, out, print_json
from subscriptions.listing import ListedMember, listing

app = typer.Typer(help="Les membres et leur liste.", no_args_is_help=True)


app.command(
    "importer",
    help="Comparer la liste des membres (CSV ou .xlsx) à ce qui est connu, puis demander. "
    "Sans accord, ni --appliquer, rien n’est changé.",
)(members_import.import_roster)
app.command(
    "annuler-import",
    help="Défaire le dernier import, sauf ce qui a changé depuis. "
    "Sans accord, ni --appliquer, rien n’est changé.",
)(members_import.undo_import)


for name, command, help_ in (
    (
        "modele",
        members_files.template,
        "Écrire un classeur à remplir, avec ses listes déroulantes et son mode d’emploi.",
    ),
    (
        "exporter",
        members_files.export,
        "Écrire la liste des membres en .xlsx ou en CSV; l’importer n’y changerait rien.",
    ),
    ("ajouter", members_changes.add, "Ajouter une entreprise et son adhésion."),
    (
        "modifier",
        members_changes.modify,
        "Corriger le nom, le téléphone, ou les dates de la dernière adhésion.",
    ),
    ("terminer", members_changes.end, "L’adhésion prend fin, maintenant ou à une date."),
    ("retablir", members_changes.reinstate, "L’entreprise est membre de nouveau."),
    (
        "voir",
        members_changes.show,
        "Ses adhésions, ce qui en était su avant, et ses contacts.",
    ),
):
    app.command(name, help=help_)(command)


#: Lines of the list unless all are asked for: a terminal's table of thousands takes seconds.
MOST_SHOWN = 200


@app.command("lister", help="Les entreprises, et pourquoi leurs contacts ne reçoivent rien.")
def list_members(
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
    day: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--tout", help="Montrer toutes les entreprises.")
    ] = False,
) -> None:
    at = moment(day, utc_now())
    with opened(create=True) as store, store.read() as session:
        members = listing(session, at)
    if as_json:
        print_json({"at": at.isoformat(), "members": [_in_json(m) for m in members]})
        return
    shown = members if everything else members[:MOST_SHOWN]
    out.print(_table(shown))
    if left := len(members) - len(shown):
        more = count(left, "autre entreprise", "autres entreprises")
        out.print(f"… et {more}. Tout voir\u00a0: ajouter --tout.")
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
