"""The page of all commands, docs/guide/commandes.md, written from the commands themselves.

    python -m scripts.reference    # what `make reference` runs

A test compares the page with what this would write.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from typer._click.core import Command
from typer.core import TyperArgument, TyperGroup, TyperOption

from base.database import ROOT
from base.french import NBSP
from scripts.__main__ import COMMANDS, application
from scripts.usage import command_of

PAGE = ROOT / "docs" / "guide" / "commandes.md"
WIDTH = 100
OPENING = f"""\
# Toutes les commandes

<!-- Écrite par make reference, d’après le programme. Ne pas la corriger ici. -->

Chaque commande avec tout ce qu’elle accepte. Pour savoir laquelle employer, lire plutôt
[le guide](README.md) ou [les questions et leurs réponses](../support-tasks.md). La même aide
s’affiche dans le terminal{NBSP}: ajouter `--help` à n’importe quelle commande.

- Ce qui est en MAJUSCULES est à remplacer. Ce qui est entre crochets peut être omis. Un nom ou un
  titre qui contient des espaces s’écrit entre guillemets droits{NBSP}: `"Coop fictive du Nord"`.
- Un CONTACT se donne par son numéro, son adresse ou une partie de son nom; une ENTREPRISE, par son
  numéro, son nom ou une partie de son nom; un AVIS, par son numéro du SEAO.
- Une date s’écrit `2026-09-21`.
- `--json` donne la même réponse à un autre programme.
- La commande finit avec le code 0 si c’est fait, 1 si cela n’a pas pu se faire ou si quelque chose
  est à voir, 2 si la commande est mal écrite, et 3 quand la veille a trouvé qu’il faut agir.
"""


def page() -> str:
    """The page as it should be."""
    said = [OPENING, *(f"- [`alertes {name}`](#{_anchor(name)})" for name in COMMANDS), ""]
    whole = command_of(application(""))
    inner = whole.commands if isinstance(whole, TyperGroup) else {}
    for name in COMMANDS:
        said += _section(inner[name], f"alertes {name}", level=2)
    return "\n".join(said)


def _section(command: Command, path: str, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} {path}\n"
    yield f"{_wrapped(command.help or '')}\n"
    if not isinstance(command, TyperGroup):
        yield from _usage(command, path)
        return
    if command.invoke_without_command:
        yield from _usage(command, path)
    for name, inner in command.commands.items():
        yield from _section(inner, f"{path} {name}", level=level + 1)


def _usage(command: Command, path: str) -> Iterator[str]:
    shown = [one for one in command.params if isinstance(one, TyperArgument | TyperOption)]
    shown = [one for one in shown if not one.hidden]
    arguments = [_place(one) for one in shown if isinstance(one, TyperArgument)]
    options = ["[OPTIONS]"] if any(isinstance(one, TyperOption) for one in shown) else []
    yield f"```text\n{' '.join([path, *arguments, *options])}\n```\n"
    explained = [one for one in shown if isinstance(one, TyperOption) or one.help]
    for one in explained:
        meaning = _meaning(one)
        colon = f"{NBSP}: " if meaning else ""
        yield _wrapped(f"- `{_spelled(one)}`{colon}{meaning}", hanging="  ")
    if explained:
        yield ""


def _place(argument: TyperArgument) -> str:
    name = (argument.metavar or argument.name or "").strip("[]").upper()
    return name if argument.required else f"[{name}]"


def _spelled(one: TyperArgument | TyperOption) -> str:
    if isinstance(one, TyperArgument):
        return _place(one)
    names = " ou ".join([*one.opts, *one.secondary_opts])
    return names if one.is_flag else f"{names} {one.metavar or 'VALEUR'}"


def _meaning(one: TyperArgument | TyperOption) -> str:
    sentence = (one.help or "").strip()
    said = [f"{sentence.rstrip('.')}."] if sentence else []
    if one.required and isinstance(one, TyperOption):
        said.append("Obligatoire.")
    if isinstance(one, TyperOption) and not one.is_flag and one.default not in {None, ""}:
        said.append(f"Par défaut{NBSP}: {one.default}.")
    return " ".join(said)


def _wrapped(text: str, hanging: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _anchor(name: str) -> str:
    return re.sub(r"[^\w-]", "", f"alertes-{name}")


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
