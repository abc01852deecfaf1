"""`alertes a-voir`: what a person must look at, and how to say that it was dealt with."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from base import concerns
from base.clock import utc_now
from base.french import day
from scripts.concerns_words import sentence
from scripts.console import err, opened, out, print_json

HELP = "Ce qu’une personne doit regarder."


def command(
    settled: Annotated[
        int | None, typer.Option("--regle", metavar="N", help="Dire que le numéro N est réglé.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    if settled is not None:
        _settle(settled)
        return
    with opened() as store, store.read() as session:
        standing = concerns.standing(session)
    if as_json:
        print_json(
            {
                "a_voir": [
                    {"id": one.id, "cause": one.cause, "depuis": one.raised_at, **one.detail}
                    for one in standing
                ]
            }
        )
        return
    if not standing:
        out.print("Rien à voir\u00a0: tout va bien.")
        return
    table = Table("N", "Depuis", "Quoi")
    for one in standing:
        table.add_row(str(one.id), day(one.raised_at), sentence(one.cause, one.detail))
    out.print(table)
    out.print("Quand c’est réglé\u00a0: alertes a-voir --regle, suivi du numéro.")


def _settle(number: int) -> None:
    with opened() as store, store.write() as session:
        found = next((one for one in concerns.standing(session) if one.id == number), None)
        done = found is not None and concerns.settle(session, found.key, at=utc_now())
    if not done:
        err.print(f"Rien à voir sous le numéro {number}. Voir\u00a0: alertes a-voir")
        raise typer.Exit(1)
    out.print(f"Numéro {number}\u00a0: c’est noté.")
