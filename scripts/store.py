"""`alertes base …`: create the database, bring it to this version."""

from __future__ import annotations

import typer

from base.database import ready_or_new, upgrade
from base.settings import Store
from scripts.console import out

app = typer.Typer(help="La base de données.", no_args_is_help=True)


@app.command("creer", help="Créer la base de données; si elle existe, ne rien changer.")
def create() -> None:
    url = Store.read().database_url
    if url.startswith("sqlite"):
        ready_or_new(url).dispose()
    else:
        upgrade(url)
    out.print("La base de données est prête.")


@app.command("mettre-a-niveau", help="Adapter la base de données à cette version du programme.")
def bring_to_head() -> None:
    upgrade(Store.read().database_url)
    out.print("La base de données est à la version du programme.")
