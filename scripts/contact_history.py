"""`alertes contact historique`: what a contact received, and why it did not get the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from alerts.history import Carried, History, Missed, Sent, Silence, history
from alerts.tables import Kind, LetterState
from base.clock import utc_now
from base.french import NBSP, count
from scripts import contacts
from scripts import told_words as words
from scripts.console import moment, opened, out, print_json
from scripts.not_mailed_words import NOT_MAILED
from scripts.why_words import lacked
from subscriptions import sectors
from subscriptions.sectors import Catalogue

app = typer.Typer(help="Un contact, et ce qu’il a reçu.", no_args_is_help=True)
app.callback()(lambda: None)  # keeps a single command a command

#: Near misses that are shown; --json has all that are kept.
NEAREST = 10


@app.command(
    "historique",
    help="Tout ce que ce contact a reçu, et pourquoi le reste n’a pas été envoyé.",
)
def show(
    key: Annotated[str, typer.Argument(metavar="CONTACT", help="Numéro, adresse ou nom.")],
    day: Annotated[
        str | None, typer.Option("--depuis", metavar="DATE", help="À partir de ce jour.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    since = moment(day, utc_now(), option="--depuis") if day else None
    with opened() as store, store.read() as session:
        contact = contacts.named(session, key, or_removed=True)
        found = history(session, contact.id, since=since)
    if as_json:
        print_json({"contact": contact.id, **_in_json(found)})
        return
    out.print(f"{contact.name} <{contact.address}>", soft_wrap=True)
    for line in _lines(found, sectors.load()):
        out.print(line, soft_wrap=True)


def _lines(found: History, catalogue: Catalogue) -> Iterator[str]:
    accepted = [one for one in found.letters if one.letter.state == LetterState.ACCEPTED]
    told = sum(len(one.notices) for one in accepted)
    yield (
        f"{count(len(accepted), 'lettre acceptée', 'lettres acceptées')} par le serveur de "
        f"courriel, {count(told, 'avis', 'avis')}."
    )
    for turn in found.turns:
        yield ""
        yield from _sent(turn) if isinstance(turn, Sent) else _silence(turn)
    if found.missed:
        yield ""
        yield f"Presque pour lui, depuis 90{NBSP}jours{NBSP}:"
    for missed in found.missed[:NEAREST]:
        yield from _missed(missed, catalogue)


def _sent(one: Sent) -> Iterator[str]:
    letter = one.letter
    edition = f", édition {letter.edition}" if letter.edition else ""
    became = words.became(letter.state, letter.why)
    yield f"{words.stamp(one.at)}, lettre {letter.id}{edition}{NBSP}: {became}"
    if letter.reply:
        yield f"  Réponse du serveur de courriel{NBSP}: {letter.reply}"
    for _, status in one.returns:
        yield f"  Un message est revenu{NBSP}: {status or 'sans code'}"
    for notice in one.notices:
        yield f"  {_notice(notice)}"


def _notice(notice: Carried) -> str:
    kind = "" if notice.kind == Kind.NEW else f" ({words.KINDS[notice.kind]})"
    closes = f", ferme le {words.date(notice.closes_at)}" if notice.closes_at else ""
    return f"{notice.number}{kind} {notice.title}{closes}"


def _silence(one: Silence) -> Iterator[str]:
    why = NOT_MAILED.get(one.why, one.why)
    if len(one.editions) == 1:
        yield f"{words.stamp(one.at)}, édition {one.editions[0]}{NBSP}: rien, {why}"
        return
    editions = count(len(one.editions), "édition", "éditions")
    between = f"{words.date(one.since)} au {words.date(one.until)}"
    yield f"{between}, {editions} ({one.editions[0]} à {one.editions[-1]}){NBSP}: rien, {why}"


def _missed(one: Missed, catalogue: Catalogue) -> Iterator[str]:
    yield f"  {one.number} {one.title}"
    yield f"    {lacked(one.miss, catalogue)}"


def _in_json(found: History) -> dict[str, Any]:
    return {
        "turns": [
            {"what": "letter" if isinstance(turn, Sent) else "nothing", **asdict(turn)}
            for turn in found.turns
        ],
        "near_misses": [asdict(one) for one in found.missed],
    }
