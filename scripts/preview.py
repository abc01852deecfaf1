"""`alertes apercu`: the next letters in a folder, as they will be; nothing is reserved or sent."""

from __future__ import annotations

import email
import email.policy
import webbrowser
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Any

import typer

from alerts import assembly, holds, previewed, rehearsal
from alerts.previewed import Rehearsed
from alerts.rehearsal import Rehearsal
from alerts.writing import Desk
from base import settings
from base.clock import utc_now
from base.database import Database
from base.french import count
from scripts import contacts
from scripts import reports_page as pages
from scripts.console import err, moment, opened, out, print_json
from scripts.not_mailed_words import NOT_MAILED
from scripts.told_words import STREAMS

HELP = (
    "Écrire les prochaines lettres dans un dossier, telles qu’elles seront, et ouvrir la page qui "
    "les montre. Rien n’est réservé ni envoyé."
)
FOLDER = Path("var/apercu")
#: Letters that the page shows within itself; the others are links.
WITHIN = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A letter as the page lists it; its files are `name` with .html, .txt and .eml."""

    letter: Rehearsed
    name: str


def command(
    key: Annotated[str | None, typer.Argument(metavar="[CONTACT]", help="Un seul contact.")] = None,
    day: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
    *,
    folder: Annotated[
        Path, typer.Option("--dans", metavar="DOSSIER", help="Où écrire les lettres.")
    ] = FOLDER,
    unopened: Annotated[bool, typer.Option("--sans-ouvrir", help="Ne pas ouvrir la page.")] = False,
    as_json: pages.Json = False,
) -> None:
    at = moment(day, utc_now())
    desk = assembly.desk(settings.Identity.read(), settings.Relay.read(), settings.Keys.read())
    pages.clear(folder, "lettre-*.*")
    with opened() as store:
        with store.read() as session:
            contact = contacts.named(session, key) if key else None
            held = holds.is_held(session)
        lines, editions = _written(store, desk, folder, contact.id if contact else None, at)
    index = pages.keep(folder, "index.html", _page(lines, editions, held=held, at=at))
    if as_json:
        print_json(_in_json(lines, editions) | {"page": str(index)})
        return
    for line in said(lines, editions, held=held):
        out.print(line, soft_wrap=True)
    pages.say(index)
    if not unopened and not webbrowser.open(index.resolve().as_uri()):
        err.print("Aucun navigateur n’a pu être ouvert. Ouvrir ce fichier.")


def _written(
    store: Database, desk: Desk, folder: Path, contact_id: int | None, at: datetime
) -> tuple[list[Line], list[Rehearsal]]:
    lines: list[Line] = []
    editions: list[Rehearsal] = []
    with err.status("Composition des lettres…") as status:
        with store.read() as session:
            _keep(folder, previewed.waiting(session, contact_id=contact_id), lines)
        for edition, letters in rehearsal.rehearse(store, desk, at=at, contact_id=contact_id):
            editions.append(edition)
            for letter in letters:
                _keep(folder, [letter], lines)
                if len(lines) % 50 == 0:
                    status.update(f"Composition des lettres… {len(lines)}")
    return lines, editions


def _keep(folder: Path, letters: Iterable[Rehearsed], lines: list[Line]) -> None:
    for letter in letters:
        name = f"lettre-{len(lines) + 1:05}-contact-{letter.contact_id}"
        message = email.message_from_bytes(letter.content, policy=email.policy.default)
        for kind, ending in (("html", "html"), ("plain", "txt")):
            pages.keep(folder, f"{name}.{ending}", part(message, kind))
        pages.keep(folder, f"{name}.eml", letter.content)
        # Its bytes are in the file now: thousands of letters need not be held.
        lines.append(Line(letter=replace(letter, content=b""), name=name))


def part(message: EmailMessage, kind: str) -> str:
    """The text or the HTML of a message; "" where it has none."""
    found = message.get_body((kind,))
    return str(found.get_content()) if found is not None else ""


def said(lines: list[Line], editions: list[Rehearsal], *, held: bool) -> list[str]:
    """How many letters, and why others have none."""
    waiting = sum(one.letter.waiting for one in lines)
    told = []
    if waiting:
        told.append(
            f"{count(waiting, 'lettre déjà écrite attend', 'lettres déjà écrites attendent')}."
        )
    if held:
        told.append(
            "Les envois sont retenus. Pour les laisser partir\u00a0: alertes envois reprendre"
        )
    to_come = len(lines) - waiting
    told.append(f"{count(to_come, 'lettre à venir', 'lettres à venir')}.")
    for why, number in omitted(editions):
        told.append(f"{count(number, 'contact', 'contacts')} sans lettre\u00a0: {why}.")
    return told


def omitted(editions: Iterable[Rehearsal]) -> list[tuple[str, int]]:
    """Why contacts will have no letter, the most first."""
    counted: Counter[str] = Counter()
    for one in editions:
        counted += one.omitted
    return [(NOT_MAILED.get(why, why), number) for why, number in counted.most_common()]


def _page(lines: list[Line], editions: list[Rehearsal], *, held: bool, at: datetime) -> str:
    words = {
        "lines": lines,
        "within": lines[:WITHIN],
        "said": said(lines, editions, held=held),
        "streams": STREAMS,
    }
    return pages.page("preview", words, at=at)


def _in_json(lines: list[Line], editions: list[Rehearsal]) -> dict[str, Any]:
    return {
        "letters": [
            {
                "contact": one.letter.contact_id,
                "waiting": one.letter.waiting,
                "stream": one.letter.stream,
                "edition": one.letter.edition,
                "leaves_at": one.letter.leaves_at,
                "subject": one.letter.subject,
                "notices": [notice.number for notice in one.letter.notices],
                "days_left": one.letter.days_left,
                "file": f"{one.name}.eml",
            }
            for one in lines
        ],
        "omitted": {edition.label: dict(edition.omitted) for edition in editions},
    }
