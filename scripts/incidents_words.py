"""The French of the register of incidents: its fields as the regulation names them, and reading."""

from __future__ import annotations

from datetime import date

import typer

from base import incidents
from base.clock import quebec_day, utc_now
from base.french import NBSP, day
from base.incidents import Facts, Incident

#: The register's fields as the regulation asks for them (A-2.1, r. 3.1), and their option.
LABELS = {
    "concerned": ("Renseignements visés, ou pourquoi ils ne sont pas connus", "--renseignements"),
    "circumstances": ("Circonstances", "--circonstances"),
    "happened": ("Date ou période", "--quand"),
    "known_on": ("Date où l’organisation en a eu connaissance", "--connu-le"),
    "persons": ("Nombre de personnes, ou approximation", "--personnes"),
    "assessment": ("Éléments d’appréciation du risque", "--risque"),
    "serious": ("Risque qu’un préjudice sérieux soit causé", "--serieux"),
    "commission_on": ("Avis à la Commission d’accès à l’information", "--avis-cai"),
    "persons_on": ("Avis aux personnes", "--avis-personnes"),
    "public_notice": ("Avis publics, et pourquoi", "--avis-public"),
    "measures": ("Mesures prises", "--mesures"),
}


def told(incident: Incident) -> list[tuple[str, str]]:
    found = []
    for name, (label, _) in LABELS.items():
        value = getattr(incident, name)
        match value:
            case None | "":
                said = "à compléter" if name in incidents.owed(incident) else "aucun"
            case bool():
                said = "oui" if value else "non"
            case date():
                said = day(value)
            case _:
                said = str(value)
        found.append((label, said))
    return found


def plausible(facts: Facts) -> None:
    today = quebec_day(utc_now())
    for name in ("known_on", "commission_on", "persons_on"):
        value = getattr(facts, name)
        if value is not None and value > today:
            raise typer.BadParameter("Cette date est à venir.", param_hint=LABELS[name][1])


def text(value: str, name: str) -> str:
    if not value.strip():
        raise typer.BadParameter("Il faut un texte.", param_hint=LABELS[name][1])
    return value.strip()


def read_day(value: str | None, name: str) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        message = f"«{NBSP}{value}{NBSP}» n’est pas une date. Écrire par exemple 2026-09-21."
        raise typer.BadParameter(message, param_hint=LABELS[name][1]) from None


def yes(value: str | None) -> bool | None:
    if value is None:
        return None
    answers = {"oui": True, "o": True, "non": False, "n": False}
    if value.strip().lower() not in answers:
        raise typer.BadParameter("Écrire oui ou non.", param_hint="--serieux")
    return answers[value.strip().lower()]
