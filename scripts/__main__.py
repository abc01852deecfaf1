"""`alertes`: the staff command. Each group of commands is a module beside this one."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from alerts.errors import AlertError
from base.errors import (
    BaseFault,
    DatabaseAbsent,
    DatabaseOutdated,
    SettingInvalid,
    SettingMissing,
)
from base.french import NBSP
from scripts.console import err
from scripts.settings_words import EXPECTED
from scripts.usage import command_of, run
from sources.errors import SourceError
from subscriptions.errors import SubscriptionError

#: Each command and the module beside this one that has it, in the order of the help. Only the one
#: that is asked for is loaded: a question takes a fraction of a second, not the time to load all.
COMMANDS = {
    "base": "store",
    "sources": "sources",
    "avis": "notices",
    "membres": "members",
    "abonnements": "subscriptions",
    "secteurs": "sectors",
    "envois": "letters",
    "pages": "pages",
    "pourquoi": "why",
    "a-voir": "concerns",
}


def application(first: str) -> typer.Typer:
    """The command with what `first` names, or with everything for the help and wrong usage.

    A module offers either `app`, a group of commands, or `command`, one with its `HELP`.
    """
    app = typer.Typer(
        name="alertes",
        help="Alertes d’appels d’offres pour les membres de la coopérative.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)  # keeps a single group a group
    for name in [first] if first in COMMANDS else COMMANDS:
        module = import_module(f"scripts.{COMMANDS[name]}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name, help=module.HELP)(module.command)
    return app


def main() -> None:
    """Run the command; what a person must mend is said in French, with exit code 1."""
    try:
        sys.exit(run(command_of(application(sys.argv[1] if sys.argv[1:] else ""))))
    except BaseFault as fault:
        err.print(_in_french(fault))
        sys.exit(1)
    except (SourceError, SubscriptionError, AlertError) as error:
        err.print(_told(error), soft_wrap=True)
        sys.exit(1)


def _told(error: Exception) -> str:
    if isinstance(error, SourceError):
        from scripts.sources_words import refused  # noqa: PLC0415, few commands need it

        return refused(error.source, error.reason)
    return f"La commande n’a pas pu finir. Détail technique{NBSP}: {error}"


def _in_french(fault: BaseFault) -> str:
    match fault:
        case SettingMissing(names=names):
            return (
                f"Réglage manquant : {', '.join(names)}. "
                "Le remplir dans le fichier .env (voir .env.example)."
            )
        case SettingInvalid(name=name):
            expected = EXPECTED.get(name, "Sa valeur ne peut pas être utilisée.")
            return f"Réglage incorrect\u00a0: {name}. {expected} Le corriger dans le fichier .env."
        case DatabaseAbsent(where=where):
            return (
                f"Aucune base de données à {where}. "
                "Vérifier DATABASE_URL, ou la créer avec : alertes base creer"
            )
        case DatabaseOutdated(found=found, wanted=wanted):
            return (
                f"La base de données est à la version {found}, le programme attend {wanted}. "
                "Faire une copie de sauvegarde, puis : alertes base mettre-a-niveau"
            )
        case _:
            return str(fault)


if __name__ == "__main__":
    main()
