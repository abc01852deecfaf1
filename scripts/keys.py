"""`alertes cles …`: change the key of the signed links without any link dying before its time."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from dotenv import dotenv_values
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from base import audit, env_file
from base.audit import Audit
from base.clock import utc_now
from base.french import NBSP, day
from base.settings import Keys
from scripts.console import err, opened, out, staff, stop

app = typer.Typer(help="Les clés des liens signés.", no_args_is_help=True)

#: How long a link to leave must work after its letter (requirement S-03).
KEPT = timedelta(days=400)
_FILE, _NAME = Path(".env"), "LINK_KEYS"
_RENEWED = "cles renouveler"


@app.command("voir", help="Les clés par leur empreinte, et jusqu’à quand chacune doit rester.")
def show() -> None:
    keys = Keys.read().as_list()
    with opened() as store, store.read() as session:
        ended = _ended(session)
    table = Table("Empreinte", "Ce qu’elle fait")
    for key in keys:
        mark = fingerprint(key)
        table.add_row(mark, "Signe les nouveaux liens" if key == keys[-1] else _role(ended, mark))
    out.print(table)


@app.command("renouveler", help="Ajouter une nouvelle clé, qui signera; les anciennes restent.")
def renew() -> None:
    keys = _of_file()
    at = utc_now()
    new = secrets.token_urlsafe(32)
    with opened() as store, store.write() as session:
        _record(session, _RENEWED, fingerprint(keys[-1]), at)
        env_file.put(_FILE, {_NAME: " ".join([*keys, new])})
    out.print(f"Nouvelle clé{NBSP}: {fingerprint(new)}. Elle est dans le fichier .env.")
    out.print(
        f"L’ancienne ({fingerprint(keys[-1])}) doit y rester jusqu’au {day(at + KEPT)}, pour que "
        "les liens des lettres déjà envoyées fonctionnent."
    )
    out.print("Redémarrer les pages d’abord, puis le service, pour que personne n’ait un lien mort")
    out.print("(en root)\u00a0: systemctl restart alertes-pages && systemctl restart alertes")


@app.command("retirer", help="Retirer une ancienne clé, quand plus aucun lien n’en a besoin.")
def remove(
    mark: Annotated[str, typer.Argument(metavar="EMPREINTE", help="Voir\u00a0: alertes cles voir")],
    now: Annotated[
        bool,
        typer.Option(
            "--tout-de-suite",
            help="Elle a été volée\u00a0: la retirer quand même; ses liens meurent.",
        ),
    ] = False,
) -> None:
    keys = _of_file()
    kept = [key for key in keys if fingerprint(key) != mark]
    if len(kept) == len(keys):
        stop(f"Aucune clé n’a l’empreinte {mark}. Voir{NBSP}: alertes cles voir")
    if mark == fingerprint(keys[-1]):
        stop(f"Cette clé signe les nouveaux liens. D’abord{NBSP}: alertes cles renouveler")
    at = utc_now()
    with opened() as store, store.write() as session:
        ended = _ended(session).get(mark)
        if not now and (ended is None or at - ended < KEPT):
            stop(f"Il est trop tôt{NBSP}: {_role({mark: ended}, mark)}. Rien n’a été changé.")
        _record(session, "cles retirer", mark, at)
        env_file.put(_FILE, {_NAME: " ".join(kept)})
    out.print(f"La clé {mark} est retirée. Redémarrer les pages et le service.")
    if now:
        err.print(
            "Les liens qu’elle a signés ne fonctionnent plus. Qui en ouvre un peut en demander un "
            "nouveau sur la page qui s’affiche."
        )


def fingerprint(key: str) -> str:
    """What a key is called where it must not be shown."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def _of_file() -> list[str]:
    """The keys, where it is the file .env that gives them."""
    keys = Keys.read().as_list()
    if (dotenv_values(_FILE, interpolate=False).get(_NAME) or "").split() != keys:
        stop(
            "LINK_KEYS ne vient pas du fichier .env de ce dossier, mais de l’environnement. La "
            "changer là où elle est donnée\u00a0: la nouvelle clé à la suite, après un espace."
        )
    return keys


def _ended(session: Session) -> dict[str, datetime]:
    """When each key that was replaced ceased to sign."""
    rows = session.execute(
        select(Audit.subject, Audit.at).where(Audit.action == _RENEWED).order_by(Audit.id)
    )
    return {subject.partition(":")[2]: at for subject, at in rows}


def _role(ended: dict[str, datetime] | dict[str, datetime | None], mark: str) -> str:
    at = ended.get(mark)
    if at is None:
        return "doit rester, car rien ne dit quand elle a cessé de signer"
    return f"doit rester jusqu’au {day(at + KEPT)}"


def _record(session: Session, action: str, mark: str, at: datetime) -> None:
    audit.record(session, at=at, who=staff(), action=action, subject=f"key:{mark}")
