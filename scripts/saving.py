"""`alertes sauvegarder`: copy the database while it is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from base import backup
from base.clock import utc_now
from base.database import revision
from base.errors import CopyRefused
from base.french import NBSP, count
from base.settings import Store
from scripts.console import out, stop
from scripts.copies_words import refused

HELP = "Copier la base de données dans un dossier, sans arrêter le service."


def command(
    folder: Annotated[Path, typer.Argument(metavar="DOSSIER", help="Où mettre la copie.")],
    keep: Annotated[
        int | None,
        typer.Option("--garder", metavar="N", min=1, help="Ne garder que les N dernières copies."),
    ] = None,
) -> None:
    made = saved(folder)
    out.print(f"Copie faite{NBSP}: {made}", soft_wrap=True)
    if keep is not None:
        old = backup.prune(folder, keep)
        out.print(f"{count(len(old), 'copie plus ancienne effacée', 'copies anciennes effacées')}.")
    out.print(
        "Elle contient des renseignements personnels\u00a0: la chiffrer et la mettre sur une autre "
        "machine. Elle ne contient ni les clés (.env) ni le journal des remises.",
        soft_wrap=True,
    )


def saved(folder: Path) -> Path:
    """A copy of the database of the settings, in `folder`; ends the command where it cannot."""
    url = Store.read().database_url
    if revision(url) is None:
        stop("Il n’y a pas encore de base de données à copier.")
    try:
        return backup.save(url, folder, at=utc_now())
    except CopyRefused as error:
        stop(refused(error))
