"""The answers of `alertes installer`: from the keyboard, from options, from a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import typer
from dotenv import dotenv_values

from base import settings
from base.french import NBSP
from scripts.console import out, print_block
from scripts.install_questions import QUESTIONS, Question

#: Every variable that may be given without being asked for.
_VARIABLES = frozenset(name.upper() for group in settings.GROUPS for name in group.model_fields)
_YES, _NO = frozenset({"o", "oui", "y"}), frozenset({"n", "non"})
#: What empties an answer that has a value.
EMPTY = "-"


def given(pairs: Iterable[str], path: Path | None) -> dict[str, str]:
    """The answers given in advance; options win over the file.

    Raises typer.BadParameter with a French message.
    """
    answers: dict[str, str] = {}
    if path is not None:
        try:
            answers = {k: v or "" for k, v in dotenv_values(path, interpolate=False).items()}
        except UnicodeDecodeError:
            message = f"{path.name} n’est pas en UTF-8."
            raise typer.BadParameter(message, param_hint="--reponses") from None
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            message = f"«{NBSP}{pair}{NBSP}» n’est pas de la forme NOM=VALEUR."
            raise typer.BadParameter(message, param_hint="--reponse")
        answers[name.strip()] = value
    strange = sorted(set(answers) - _VARIABLES)
    if strange:
        message = f"{strange[0]} n’est pas un réglage (voir .env.example)."
        raise typer.BadParameter(message, param_hint="--reponse")
    return answers


def proposed(question: Question, known: Mapping[str, str]) -> str:
    """What holds now, or what fits the other answers."""
    return known.get(question.name, "") or question.default(known)


def taken(
    answers: Mapping[str, str], current: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Without asking: the settings that those answers lead to, and what is wrong with them."""
    known, faults = {**current, **answers}, []
    for question in QUESTIONS:
        if question.is_asked(known):
            known[question.name] = value = question.read(proposed(question, known))
            fault = question.fault(value, known)
            faults += [f"{question.name}{NBSP}: {fault}"] if fault else []
    faults += list(_others(answers, known))
    return known, faults


def _others(answers: Mapping[str, str], known: Mapping[str, str]) -> Iterator[str]:
    """What was given beyond the questions must be usable too."""
    asked = {question.name for question in QUESTIONS}
    for name in sorted(set(answers) - asked):
        if not settings.is_usable(name, known):
            yield f"{name}{NBSP}: sa valeur ne peut pas être utilisée."


def asked(answers: Mapping[str, str], current: Mapping[str, str]) -> dict[str, str]:
    """From the keyboard: every question, again after a wrong answer."""
    known = {**current, **answers}
    for number, question in enumerate(QUESTIONS, start=1):
        if question.is_asked(known):
            out.print(f"\n{number}/{len(QUESTIONS)} {question.label}")
            print_block(question.why, 3)
            known[question.name] = _answer(question, known)
    return known


def _answer(question: Question, known: Mapping[str, str]) -> str:
    shown = proposed(question, known)
    while True:
        bracket = f" [{'inchangé' if question.secret else shown}]" if shown else ""
        answer = _prompt(f"  {bracket}{NBSP}:", hidden=question.secret)
        value = "" if answer.strip() == EMPTY else question.read(answer) or shown
        fault = question.fault(value, known)
        if not fault:
            return value
        print_block(fault, 3)


def _prompt(text: str, *, hidden: bool = False) -> str:
    """One line; a password is not shown on a terminal. Raises typer.Abort at Ctrl-C."""
    answer = typer.prompt(
        text,
        default="",
        show_default=False,
        prompt_suffix=" ",
        hide_input=hidden and sys.stdin.isatty(),
    )
    return str(answer)


def agreed(question: str) -> bool:
    """Yes or no; nothing is yes."""
    while True:
        answer = _prompt(f"{question} [O/n]{NBSP}:").strip().casefold()
        if not answer or answer in _YES:
            return True
        if answer in _NO:
            return False
        out.print("Répondre o (oui) ou n (non).")


def file(question: str) -> Path | None:
    """A file that exists, or nothing."""
    while True:
        # A file dragged into a terminal comes within quotes.
        answer = _prompt(f"{question}{NBSP}:").strip().strip("'\"")
        if not answer:
            return None
        if Path(answer).expanduser().is_file():
            return Path(answer).expanduser()
        out.print(f"Le fichier {answer} n’existe pas.", soft_wrap=True)
