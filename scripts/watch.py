"""`alertes veiller`: look once for what is absent, tell staff; keep silent during maintenance."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from alerts import watching
from alerts.watch import Finding
from base import concerns, maintenance
from base.clock import utc_now
from base.database import Database
from base.french import NBSP, day, hour
from scripts import staff_door
from scripts.asked_sources import configured
from scripts.concerns_words import sentence
from scripts.console import opened, out, print_json, staff

if TYPE_CHECKING:
    from alerts.staff_mail import Door

HELP = "Constater ce qui manque, et prévenir le personnel seulement si quelqu’un doit agir."
#: Exit code where somebody must act.
MUST_ACT = 3
#: Where the pages answer on the machine they run on (deploy/systemd/alertes-pages.service).
PAGES = "http://127.0.0.1:8080/sante"


def command(
    pages: Annotated[
        str, typer.Option(metavar="ADRESSE", help="Où demander si les pages répondent.")
    ] = PAGES,
    without_pages: Annotated[
        bool, typer.Option("--sans-pages", help="Ne pas le demander.")
    ] = False,
    maintained: Annotated[
        float | None,
        typer.Option(
            "--entretien",
            metavar="HEURES",
            min=0.1,
            max=72,
            help="Annoncer un entretien\u00a0: se taire pendant ce temps.",
        ),
    ] = None,
    resumed: Annotated[bool, typer.Option("--fin-entretien", help="L’entretien est fini.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    if maintained is not None or resumed:
        _maintain(maintained)
        return
    answer = None if without_pages else _pages_answer(pages)
    door = staff_door.door()
    with opened() as store:
        found, lines = _look(store, door, answer)
        reached = staff_door.hand_over(store, door)
    if as_json:
        print_json({"constats": [{"quoi": one.what, "sujet": one.subject} for one in found]})
    else:
        for line in lines or ["Rien à signaler."]:
            out.print(line, soft_wrap=True)
    if found or not reached:
        raise typer.Exit(MUST_ACT)


def _pages_answer(address: str) -> bool:
    from alerts import watch_pages  # noqa: PLC0415, the network, where it is to be asked

    return watch_pages.pages_answer(address)


def _look(
    store: Database, door: Door | None, answer: bool | None
) -> tuple[tuple[Finding, ...], list[str]]:
    at = utc_now()
    with store.write() as session:
        found = watching.look(session, configured(), at=at, pages=answer)
        if door is not None:
            from alerts import watch_mail  # noqa: PLC0415, what sends, where there is a door

            watch_mail.tell(session, door, found, sentence, at=at)
        keys = {one.key for one in found}
        standing = [one for one in concerns.standing(session) if one.key in keys]
    return found, [sentence(one.cause, one.detail) for one in standing]


def _maintain(hours: float | None) -> None:
    at = utc_now()
    with opened() as store, store.write() as session:
        if hours is None:
            ended = maintenance.end(session, at=at)
            out.print("L’entretien est fini." if ended else "Aucun entretien n’était annoncé.")
            return
        until = at + timedelta(hours=hours)
        maintenance.announce(session, at=at, until=until, by=staff())
    out.print(f"Entretien annoncé{NBSP}: la veille se tait jusqu’au {day(until)}, {hour(until)}.")
