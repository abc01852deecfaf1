"""The command's own words in French: its help, and what it says to a wrong usage.

Typer speaks English where it speaks by itself, and offers no translation.
"""

from __future__ import annotations

import re

import typer
from typer._click import exceptions
from typer._click.core import Command, Context
from typer.core import TyperGroup

from base.french import NBSP
from scripts.console import err

_UNKNOWN_COMMAND = re.compile(r"No such command '(.*)'\.")
_NO_VALUE = re.compile(r"Option '?(\S+?)'? requires an argument\.")
#: What Typer makes of Ctrl-C.
_INTERRUPTED = 130
_EXTRA = re.compile(r"Got unexpected extra argument\S* \((.*)\)")


class _Context(Context):
    """Where a command is run; its help is French."""

    def get_help(self) -> str:
        from typer import rich_utils  # noqa: PLC0415, a tenth of a second that only help needs

        rich_utils.COMMANDS_PANEL_TITLE = "Commandes"
        rich_utils.DEFAULT_STRING = f"[par défaut{NBSP}: {{}}]"
        rich_utils.REQUIRED_LONG_STRING = "[obligatoire]"
        return super().get_help()


def command_of(app: typer.Typer) -> Command:
    """The application as a command whose help is French throughout."""
    command = typer.main.get_command(app)
    _translate(command, "alertes")
    return command


def _translate(command: Command, name: str) -> None:
    command.context_class = _Context
    help_option = command.get_help_option(command.context_class(command, info_name=name))
    if help_option is not None:
        help_option.help = "Montrer cette aide."
        help_option.metavar = ""
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = "COMMANDE [ARGUMENTS]..."
        for inner_name, inner in command.commands.items():
            _translate(inner, inner_name)


def run(command: Command) -> int:
    """Run it on the process's arguments; the exit code: 2 for a wrong usage, said in French."""
    try:
        code = command.main(standalone_mode=False)
    except exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except exceptions.UsageError as error:
        path = error.ctx.command_path if error.ctx else "alertes"
        err.print(f"{in_french(error)}\nAide{NBSP}: {path} --help", soft_wrap=True)
        return error.exit_code
    except typer.Abort:
        return _given_up()
    if code == _INTERRUPTED:
        return _given_up()
    return code if isinstance(code, int) else 0


def _given_up() -> int:
    err.print("Abandonné. Ce qui n’était pas fini n’a pas été fait.")
    return 1


def in_french(error: exceptions.UsageError) -> str:
    """What is wrong with the usage, and where."""
    match error:
        case exceptions.MissingParameter(param=param):
            return f"Il manque {_named(param.get_error_hint() if param else '')}."
        case exceptions.BadParameter(param_hint=None, param=param) if param is not None:
            return f"Valeur incorrecte pour {_named(param.get_error_hint())}.{_wanted(param)}"
        case exceptions.BadParameter(param_hint=hint):
            return f"{hint}{NBSP}: {error.message}" if hint else error.message
        case exceptions.NoSuchOption(option_name=name, possibilities=near):
            hint = f" Vouliez-vous dire {min(near)}?" if near else ""
            return f"L’option {name} n’existe pas.{hint}"
    for pattern, sentence in (
        (_UNKNOWN_COMMAND, "La commande {} n’existe pas."),
        (_NO_VALUE, "L’option {} attend une valeur."),
        (_EXTRA, "De trop sur la ligne\u00a0: {}."),
    ):
        found = pattern.match(error.message)
        if found:
            return sentence.format(found[1])
    return error.message


def _wanted(param: object) -> str:
    """Between what a number must be; nothing for the rest."""
    low, high = getattr(param, "min", None), getattr(param, "max", None)
    return f" Il faut un nombre de {low} à {high}." if None not in {low, high} else ""


def _named(hint: str) -> str:
    return hint.replace("'", "").strip() or "un argument"
