"""`alertes base …`: create the database, bring it to this version or back to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alerts.restoring import at_work
from base.clock import utc_now
from base.database import downgrade, head, history, ready_or_new, revision, upgrade
from base.french import NBSP
from base.settings import Store
from scripts.console import out, stop
from scripts.copies_words import AT_WORK
from scripts.saving import saved

app = typer.Typer(help="La base de données.", no_args_is_help=True)

Copy = Annotated[
    Path | None,
    typer.Option("--copie", metavar="DOSSIER", help="Y mettre d’abord une copie de sauvegarde."),
]


@app.command("creer", help="Créer la base de données; si elle existe, ne rien changer.")
def create() -> None:
    url = Store.read().database_url
    if not url.startswith("sqlite") and revision(url) is None:
        upgrade(url)
    ready_or_new(url).dispose()
    out.print("La base de données est prête.")


@app.command("etat", help="Dire la version de la base de données, et celle qui est attendue.")
def state() -> None:
    found, wanted = revision(Store.read().database_url), head()
    out.print(f"Base de données{NBSP}: {found or 'absente'}. Programme{NBSP}: {wanted}.")
    if found is None:
        stop(f"La créer{NBSP}: alertes base creer")
    if found != wanted:
        stop(f"L’adapter{NBSP}: alertes base mettre-a-niveau")


@app.command("mettre-a-niveau", help="Adapter la base de données à cette version du programme.")
def bring_to_head(copy: Copy = None) -> None:
    url = Store.read().database_url
    if copy is not None and revision(url) is not None:
        out.print(f"Copie faite{NBSP}: {saved(copy)}", soft_wrap=True)
    upgrade(url)
    out.print("La base de données est à la version du programme.")


@app.command(
    "revenir",
    help="Ramener la base de données à une version plus ancienne, avant de réinstaller le "
    "programme qui l’attend. Ce que seule la nouvelle version garde est perdu.",
)
def go_back(
    to: Annotated[str, typer.Argument(metavar="VERSION", help="Par exemple 0011.")],
    copy: Annotated[
        Path, typer.Option("--copie", metavar="DOSSIER", help="Où mettre d’abord une copie.")
    ],
) -> None:
    url = Store.read().database_url
    found, known = revision(url), history()
    if found not in known or to not in known[: known.index(found)]:
        stop(
            f"La version {to} n’est pas plus ancienne que celle de la base ({found or 'absente'})."
        )
    if at_work(url, utc_now()):
        stop(AT_WORK)
    out.print(f"Copie faite{NBSP}: {saved(copy)}", soft_wrap=True)
    downgrade(url, to)
    out.print(f"La base de données est revenue à la version {to}.")
