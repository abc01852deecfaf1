"""`alertes`: the staff command. Each group of commands is a module beside this one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import typer
from sqlalchemy.exc import DatabaseError, OperationalError

from alerts.errors import AlertError
from base.errors import BaseFault
from base.fault_words import in_french
from base.french import NBSP
from scripts.console import err
from scripts.usage import command_of, run
from sources.errors import SourceError
from subscriptions.errors import SubscriptionError

#: Each command and the module beside this one that has it, in the order of the help. Only the one
#: that is asked for is loaded: a question takes a fraction of a second, not the time to load all.
COMMANDS = {
    "installer": "install",
    "verifier": "verify",
    "base": "store",
    "sources": "sources",
    "avis": "notices",
    "membres": "members",
    "contacts": "mailboxes",
    "abonnements": "subscriptions",
    "secteurs": "sectors",
    "envois": "letters",
    "apercu": "preview",
    "repetition": "rehearsal",
    "pages": "pages",
    "ouvrier": "worker",
    "pourquoi": "why",
    "contact": "contact_history",
    "rapport": "reports",
    "personne": "persons",
    "incidents": "incidents",
    "a-voir": "concerns",
    "veiller": "watch",
    "sauvegarder": "saving",
    "restaurer": "restoring",
    "cles": "keys",
}


def application(*words: str) -> typer.Typer:
    """The command with what its first words name, or with everything for the help and wrong usage.

    A module offers `app`, a group of commands; or `command`, one with its `HELP`; or `COMMANDS`, a
    group with its `HELP` whose commands are modules again.
    """
    app = typer.Typer(
        name="alertes",
        help="Alertes d’appels d’offres pour les membres de la coopérative.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)  # keeps a single group a group
    _add(app, COMMANDS, words)
    return app


def _add(app: typer.Typer, commands: Mapping[str, str], words: Sequence[str]) -> None:
    named = [name for name in words[:1] if name in commands]
    for name in named or commands:
        module = import_module(f"scripts.{commands[name]}")
        if hasattr(module, "COMMANDS"):
            group = typer.Typer(help=module.HELP, no_args_is_help=True)
            _add(group, module.COMMANDS, words[1:])
            app.add_typer(group, name=name)
        elif hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name, help=module.HELP)(module.command)


def main() -> None:
    """Run the command; what a person must mend is said in French, with exit code 1."""
    # The commands say themselves what happened; without a handler, Python would print the log.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        sys.exit(run(command_of(application(*sys.argv[1:3]))))
    except KeyboardInterrupt:  # while a command is being loaded; `run` has the rest
        err.print("Abandonné avant d’avoir commencé. Rien n’a été changé.")
        sys.exit(1)
    except BaseFault as fault:
        err.print(in_french(fault), soft_wrap=True)
        sys.exit(1)
    except (SourceError, SubscriptionError, AlertError) as error:
        err.print(_told(error), soft_wrap=True)
        sys.exit(1)
    except DatabaseError as error:
        if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
            raise  # ours to mend, not the staff's
        err.print(_unopened(error))
        sys.exit(1)
    except OSError as error:
        err.print(_unusable(error))
        sys.exit(1)


def _unopened(error: DatabaseError) -> str:
    """The driver's own words may hold the address and the user; they are not repeated."""
    if "locked" in str(error.orig) or "timeout" in str(error.orig):
        return (
            "La base de données est occupée par un autre programme. "
            "Recommencer dans une minute; ce qui n’était pas fini n’a pas été fait."
        )
    return (
        "La base de données ne peut pas être ouverte. Vérifier DATABASE_URL dans le fichier .env, "
        "que le serveur répond ou que le fichier est bien une base de données, et vos droits."
    )


def _unusable(error: OSError) -> str:
    where = f"Le fichier ou dossier {error.filename}" if error.filename else "Un fichier"
    return f"{where} ne peut pas être lu ou écrit. Vérifier son nom, vos droits et l’espace libre."


def _told(error: Exception) -> str:
    if isinstance(error, SourceError):
        from scripts.sources_words import refused  # noqa: PLC0415, few commands need it

        return refused(error.source, error.reason)
    return f"La commande n’a pas pu finir. Détail technique{NBSP}: {error}"


if __name__ == "__main__":
    main()
