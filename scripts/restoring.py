"""`alertes restaurer`: put a copy back in the place of the database; nothing leaves after it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alerts import restoring
from base import backup
from base.clock import utc_now
from base.database import revision
from base.errors import CopyRefused
from base.french import NBSP
from base.settings import Store
from scripts.console import out, staff, stop
from scripts.copies_words import AT_WORK, refused

HELP = "Remettre une copie à la place de la base de données. Sans --appliquer, rien n’est changé."


def command(
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="La copie.")],
    apply: Annotated[bool, typer.Option("--appliquer", help="La remettre vraiment.")] = False,
) -> None:
    url = Store.read().database_url
    try:
        version = backup.version(path, url)
        present = revision(url)
        if not apply:
            out.print(f"La copie est bonne (version {version} de la base de données).")
            out.print(
                "Tout ce qui a été fait depuis qu’elle existe serait oublié, et les envois "
                f"seraient retenus. Pour la remettre{NBSP}: ajouter --appliquer",
                soft_wrap=True,
            )
            return
        if present is not None:
            if restoring.at_work(url, utc_now()):
                stop(AT_WORK)
            folder = path.absolute().parent
            aside = backup.save(url, folder, at=utc_now(), name="avant-restauration")
            out.print(f"Ce qui est remplacé est gardé dans {aside}", soft_wrap=True)
        restoring.restore(path, url, at=utc_now(), by=staff())
    except CopyRefused as error:
        stop(refused(error))
    out.print("La copie est remise. Les envois sont retenus. Avant de les reprendre, lire la suite")
    out.print(f"dans docs/operations.md, puis{NBSP}: alertes envois reprendre")
