"""`alertes envois retours` and `a-appeler`: what came back, and whom to telephone for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import select

from alerts import callsheet
from alerts.answer_tables import Bounce
from alerts.bounces_dsn import ReturnKind
from alerts.callsheet import Call
from alerts.errors import MailboxUnreadable
from base import settings
from base.clock import utc_now
from base.french import NBSP, count, day
from scripts.console import err, opened, out, print_json
from scripts.returns_words import KINDS

app = typer.Typer()


@app.command("retours", help="Lire maintenant la boîte des retours, et dire ce qui y était.")
def read_now(
    unread: Annotated[
        bool, typer.Option("--a-lire", help="Montrer plutôt ce qu’une personne doit lire.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    if unread:
        _show_unread(as_json=as_json)
        return
    from alerts import assembly, returns  # noqa: PLC0415, what sends, which no question needs

    reception = assembly.reception(
        settings.Identity.read(),
        settings.Relay.read(),
        settings.Keys.read(),
        settings.Returns.read(),
    )
    if reception is None:
        err.print(f"Aucune boîte des retours{NBSP}: remplir BOUNCE_MAILBOX dans le fichier .env.")
        raise typer.Exit(1)
    try:
        with opened() as store:
            counted = returns.take_in(store, reception, at=utc_now())
    except MailboxUnreadable as error:
        err.print(f"La boîte des retours ne peut pas être lue{NBSP}: {error}")
        raise typer.Exit(1) from None
    _say(counted, as_json=as_json)


def _say(counted: Counter[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"retours": {str(kind): number for kind, number in counted.items()}})
        return
    if not counted:
        out.print("Rien de nouveau dans la boîte des retours.")
    for kind, words in KINDS.items():
        if counted[kind]:
            out.print(count(counted[kind], *words))


def _show_unread(*, as_json: bool) -> None:
    with opened() as store, store.read() as session:
        kept = session.scalars(
            select(Bounce)
            .where((Bounce.kind == ReturnKind.OTHER) | (Bounce.proof == ""))
            .where(Bounce.kind != ReturnKind.AUTO_REPLY, Bounce.words != "")
            .order_by(Bounce.id)
        ).all()
    if as_json:
        keys = ("at", "kind", "status", "letter_id", "words")
        print_json({"a_lire": [{key: getattr(one, key) for key in keys} for one in kept]})
        return
    if not kept:
        out.print("Rien à lire.")
        return
    table = Table("Lu le", "Quoi", "Lettre", "Ce qu’il dit")
    for one in kept:
        what = KINDS[one.kind][0]
        table.add_row(day(one.at), what, str(one.letter_id or ""), Text(one.words))
    out.print(table)
    out.print("Sans preuve, rien n’a été changé. Les messages sont dans la boîte, marqués lus.")


@app.command("a-appeler", help="La feuille d’appels des adresses qui ne reçoivent plus.")
def to_call(
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    with opened() as store, store.read() as session:
        calls = callsheet.to_call(session, at=utc_now())
    if as_json:
        print_json({"a_appeler": [asdict(call) for call in calls]})
        return
    if not calls:
        out.print("Personne à appeler.")
    for call in calls:
        for line in _lines(call):
            out.print(line, soft_wrap=True)


def _lines(call: Call) -> list[str]:
    reason = call.reason.partition(" ")[2]
    why = "échecs répétés" if reason == "soft" else f"code {reason}" if reason else "refus"
    who = f", {call.contact}" if call.contact else ""
    telephone = call.telephone or "téléphone inconnu"
    missed = [f"    {one.title} ({one.buyer}){_closing(one)}" for one in call.missed]
    lines = [
        f"{call.member}{who}{NBSP}: {telephone}",
        f"  {call.address} ne reçoit plus depuis le {day(call.since)} ({why}).",
        f"  «{NBSP}Bonjour, ici la coopérative. Nos courriels ne vous parviennent plus.",
        f"  Quelle adresse devons-nous utiliser?{NBSP}»",
    ]
    if call.editions:
        lines.append(f"  {count(call.editions, 'bulletin non envoyé', 'bulletins non envoyés')}.")
    if missed:
        lines.append(f"  Avis manqués, encore ouverts{NBSP}:")
    return [*lines, *missed, ""]


def _closing(missed: callsheet.Missed) -> str:
    return f", clôture le {day(missed.closes_at)}" if missed.closes_at else ""
