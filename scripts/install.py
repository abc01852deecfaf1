"""`alertes installer`: from nothing to the first letter, asked in the words of a co-op.

Nothing is written before the last answer; from there each step is whole or not at all, and the
command can be run again: it shows what holds and asks for the rest.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from alerts.delivery import Outcome
from alerts.doctor import connection_checks, key_age
from alerts.errors import RelayMisconfigured, RelayUnreachable
from alerts.trial import send_trial
from base import audit, env_file, settings
from base.clock import utc_now
from base.database import Database, ready_or_new, upgrade
from base.french import NBSP, listed
from scripts import install_asking, staff_door
from scripts.console import err, out, staff, stop
from scripts.install_questions import BY_NAME
from scripts.members_import import import_roster

HELP = (
    f"Installer le service{NBSP}: quelques questions, puis le fichier .env, les clés, la base, la "
    "liste des membres et une lettre d’essai à vous-même. Peut être relancé."
)
_WELCOME = (
    f"Installation du service d’alertes{NBSP}: quelques questions, chacune expliquée.\n"
    "Entrée garde la réponse entre crochets; un tiret (-) la vide.\n"
    "Rien n’est écrit avant la dernière réponse; Ctrl+C abandonne."
)
_OPEN = "Les lettres partent à tous les contacts qui y ont droit (MAIL_ALLOWED=*)."
_ALLOWED = (
    f"Les lettres ne peuvent partir qu’ici{NBSP}: {{allowed}}.\n"
    f"Quand tout vous convient, écrire dans le fichier .env{NBSP}: MAIL_ALLOWED=*"
)
#: What is written without being asked for.
_UNASKED = {"LINK_KEYS": "Clé des liens", "MAIL_ALLOWED": "Envois permis"}
_AGAIN = "Tout le reste est installé; relancer alertes installer quand c’est corrigé."
_NEXT = (
    f"\nC’est installé. Ensuite{NBSP}:\n"
    "  alertes verifier        tout vérifier, et savoir quoi corriger\n"
    "  alertes sources lire    lire les avis une première fois"
)


def command(
    *,
    path: Annotated[
        Path | None,
        typer.Option("--reponses", metavar="FICHIER", help="Réponses, une par ligne (NOM=VALEUR)."),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option("--reponse", metavar="NOM=VALEUR", help="Une réponse; peut être répétée."),
    ] = None,
    roster: Annotated[
        Path | None, typer.Option("--membres", metavar="FICHIER", help="La liste des membres.")
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option("--sans-question", help="Prendre les réponses données, ne rien demander."),
    ] = False,
    apply: Annotated[
        bool, typer.Option("--appliquer", help="Avec --sans-question, importer les membres.")
    ] = False,
    letter: Annotated[
        bool, typer.Option("--lettre/--sans-lettre", help="Envoyer la lettre d’essai.")
    ] = True,
) -> None:
    current, answers = settings.written(), _given(path, pairs or [])
    known = _without_asking(answers, current) if quiet else _by_asking(answers, current)
    _write(known, current)
    _note(_database(), known, current)
    _import(roster, quiet=quiet, apply=apply)
    if letter and (quiet or install_asking.agreed("\nVous envoyer une lettre d’essai?")):
        _send()
    out.print(_NEXT, soft_wrap=True)


def _given(path: Path | None, pairs: list[str]) -> dict[str, str]:
    if path is not None and not path.is_file():
        stop(f"Le fichier {path} n’existe pas. Rien n’a été changé.")
    return install_asking.given(pairs, path)


def _without_asking(answers: Mapping[str, str], current: Mapping[str, str]) -> dict[str, str]:
    known, faults = install_asking.taken(answers, current)
    if faults:
        stop("\n".join([*faults, "Rien n’a été changé."]))
    return _completed(known)


def _by_asking(answers: Mapping[str, str], current: Mapping[str, str]) -> dict[str, str]:
    out.print(_WELCOME)
    known = _completed(install_asking.asked(answers, current))
    changed = _changed(known, current)
    names = listed([_label(name) for name in changed]) or "rien"
    out.print(f"\nÀ écrire dans le fichier .env{NBSP}: {names}.")
    if not install_asking.agreed("Continuer?"):
        stop("Abandonné. Rien n’a été changé.")
    return known


def _completed(known: Mapping[str, str]) -> dict[str, str]:
    """With what is not asked for: the keys, and whom letters may go to at first."""
    whole = dict(known)
    if not settings.is_usable("LINK_KEYS", whole):
        whole["LINK_KEYS"] = secrets.token_urlsafe(32)
    if not whole.get("MAIL_ALLOWED"):
        whole["MAIL_ALLOWED"] = whole["STAFF_EMAIL"]
    return whole


def _changed(known: Mapping[str, str], current: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in known.items() if value != current.get(name, "")}


def _label(name: str) -> str:
    return BY_NAME[name].label if name in BY_NAME else _UNASKED.get(name, name)


def _write(known: Mapping[str, str], current: Mapping[str, str]) -> None:
    changed = _changed(known, current)
    # What signed links that are in mailboxes is never lost.
    env_file.put(settings.FILE, changed, kept={"LINK_KEYS"})
    out.print("\nLe fichier .env est écrit; vous seul pouvez le lire.")
    allowed = known["MAIL_ALLOWED"].split()
    said = _OPEN if "*" in allowed else _ALLOWED.format(allowed=listed(allowed))
    out.print(said, soft_wrap=True)
    hidden = sorted(settings.from_environment() & set(changed))
    if hidden:
        err.print(
            f"L’environnement de ce terminal fixe déjà {listed(hidden)}{NBSP}: tant qu’il le fait, "
            "le fichier .env n’y change rien.",
            soft_wrap=True,
        )


def _database() -> Database:
    """Made where there is none; one of an older version is for a person to bring up."""
    url = settings.Store.read().database_url
    if not url.startswith("sqlite"):
        upgrade(url)
    store = ready_or_new(url)
    out.print("La base de données est prête.")
    return store


def _note(store: Database, known: Mapping[str, str], current: Mapping[str, str]) -> None:
    """Keep in the audit which settings were changed, never to what, and the key's first day."""
    at, who = utc_now(), staff()
    names = sorted(_changed(known, current))
    with store.write() as session:
        key_age.note(session, settings.Keys.read().as_list(), who=who, at=at)
        audit.record(
            session, at=at, who=who, action="installer", subject="réglages", after={"noms": names}
        )
    store.dispose()


def _import(path: Path | None, *, quiet: bool, apply: bool) -> None:
    """`alertes membres importer`: its difference, then at a terminal a question."""
    if path is None and not quiet:
        path = install_asking.file("\nListe des membres à importer (Entrée pour plus tard)")
    if path is not None:
        import_roster(path, apply=apply)


def _send() -> None:
    door = staff_door.door()
    if door is None:
        return
    store = ready_or_new(settings.Store.read().database_url)
    try:
        receipts = asyncio.run(send_trial(store, door, now=utc_now))
    except (RelayMisconfigured, RelayUnreachable) as error:
        from scripts.doctor_words import sentence  # noqa: PLC0415, only where it failed

        finding = connection_checks.fault(door.relay, error)
        stop(f"La lettre d’essai n’est pas partie. {sentence(finding)} {_AGAIN}")
    finally:
        store.dispose()
    refused = [one.reply for one in receipts if one.outcome is not Outcome.ACCEPTED]
    if refused:
        stop(
            f"La lettre d’essai n’a pas été acceptée. {_AGAIN} "
            f"Réponse du relais{NBSP}: {refused[0]}"
        )
    out.print(f"La lettre d’essai est partie à {door.to}. Regardez si elle arrive.", soft_wrap=True)
