"""What the commands that change members and contacts share: days, texts, why it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TypeVar

import typer
from sqlalchemy.exc import IntegrityError

from scripts import members_words
from scripts.console import staff, stop
from subscriptions import cells
from subscriptions.cells import CellRefused
from subscriptions.editing import Hand, Refusal
from subscriptions.errors import ChangeRefused, Overtaken

T = TypeVar("T")

REFUSALS: dict[str, str] = {
    Refusal.NAME_TAKEN: "L’entreprise « {detail} » a déjà ce nom.",
    Refusal.DATES_REVERSED: "La fin serait avant le début ({detail}).",
    Refusal.OVERLAPS: (
        "L’adhésion est déjà en cours certains de ces jours ({detail}). "
        "Pour en corriger les dates : alertes membres modifier"
    ),
    Refusal.ADDRESS_ELSEWHERE: (
        "Cette adresse est déjà celle d’un contact de « {detail} ». "
        "Une adresse ne peut être qu’à une seule entreprise."
    ),
    Refusal.ADDRESS_HERE: "Un contact de « {detail} » a déjà cette adresse.",
    Refusal.ADDRESS_LEFT: (
        "La personne qui lit à cette adresse s’est désabonnée : elle seule peut se réabonner."
    ),
    Refusal.SAME_CONTACT: "C’est deux fois le même contact.",
    Refusal.TWO_ENTERPRISES: "Ces contacts sont de deux entreprises ({detail}).",
}


def hand(action: str, at: datetime) -> Hand:
    """Whoever runs the command, now."""
    return Hand(at=at, by=staff(), action=action)


@contextmanager
def refusals_told() -> Iterator[None]:
    """Say in French why something cannot be; nothing of it is done then."""
    try:
        yield
    except ChangeRefused as error:
        stop(f"{_refused(error)} Rien n’a été changé.")
    except (IntegrityError, Overtaken):
        stop(
            "Une autre personne modifie les membres en ce moment. "
            "Rien n’a été changé; recommencer dans une minute."
        )


def _refused(error: ChangeRefused) -> str:
    if error.reason == Refusal.NOT_ACTIVE:
        since = f" Elle a pris fin le {error.detail}." if error.detail else ""
        return f"Aucune adhésion n’est en cours à cette date.{since}"
    return REFUSALS[error.reason].format(detail=error.detail)


def day_of(value: str | None, option: str) -> date | None:
    """The day of an option, AAAA-MM-JJ; None where it is not given."""
    return None if value is None else _parsed(value, cells.day, option)


def text_of(value: str, parse: Callable[[str], T], option: str) -> T:
    """What a roster's cell of that text would be; a wrong usage where it would be refused."""
    return _parsed(value, parse, option)


def _parsed(value: str, parse: Callable[[str], T], option: str) -> T:
    try:
        return parse(value)
    except CellRefused as fault:
        raise typer.BadParameter(members_words.fault(fault), param_hint=option) from None
