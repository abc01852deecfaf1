"""`alertes`: the staff command. Each group of commands is a module beside this one."""

from __future__ import annotations

import sys

import typer

from alerts.errors import AlertError
from base.errors import (
    BaseFault,
    DatabaseAbsent,
    DatabaseOutdated,
    SettingInvalid,
    SettingMissing,
)
from scripts import (
    concerns,
    letters,
    members,
    notices,
    pages,
    returns,
    sectors,
    sources,
    store,
    subscriptions,
    why,
)
from scripts.console import err
from scripts.settings_words import EXPECTED
from scripts.usage import command_of, run
from sources.errors import SourceError
from subscriptions.errors import SubscriptionError

app = typer.Typer(
    name="alertes",
    help="Alertes d’appels d’offres pour les membres de la coopérative.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(store.app, name="base")
app.add_typer(sources.app, name="sources")
app.add_typer(notices.app, name="avis")
app.add_typer(members.app, name="membres")
app.add_typer(subscriptions.app, name="abonnements")
app.add_typer(sectors.app, name="secteurs")
letters.app.add_typer(returns.app)
app.add_typer(letters.app, name="envois")
app.add_typer(pages.app, name="pages")
app.command("pourquoi", help=why.HELP)(why.why)
app.command("a-voir", help="Ce qu’une personne doit regarder.")(concerns.show)


def main() -> None:
    """Run the command; what a person must mend is said in French, with exit code 1."""
    try:
        sys.exit(run(command_of(app)))
    except BaseFault as fault:
        err.print(_in_french(fault), markup=False)
        sys.exit(1)
    except (SourceError, SubscriptionError, AlertError) as error:
        err.print(str(error), markup=False)
        sys.exit(1)


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
