"""`alertes repetition`: on the eve, what Monday's letters will be, for staff to look at or hold."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from alerts import assembly, crediting, previewed, rehearsal, staff_mail
from alerts.previewed import Rehearsed
from alerts.rehearsal import Rehearsal
from alerts.tables import Stream
from alerts.writing import Desk
from base import settings
from base.clock import utc_now
from base.database import Database
from base.french import NBSP, count, day, hour, short_day
from scripts import staff_door
from scripts.console import err, moment, opened, out, print_json
from scripts.not_mailed_words import NOT_MAILED
from scripts.preview import part

HELP = (
    "Dire ce que sera la prochaine édition hebdomadaire, et comment la retenir; avec --envoyer, "
    "l’écrire au personnel (du vendredi au dimanche, une fois par édition)."
)
#: Lines of a letter that a sample shows.
LINES = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Eve:
    """What staff are told."""

    edition: Rehearsal
    waiting: int
    #: The sources that notices may be missing from.
    gaps: Sequence[str]
    samples: Sequence[Rehearsed]


def command(
    on: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
    mailed: Annotated[bool, typer.Option("--envoyer", help="L’écrire à STAFF_EMAIL.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    at = moment(on, utc_now())
    if mailed and not rehearsal.is_eve(at):
        out.print("Rien à écrire aujourd’hui\u00a0: la répétition part du vendredi au dimanche.")
        return
    with opened() as store:
        made = _eve(store, at)
        if mailed:
            _mail(store, made)
            return
    if as_json:
        print_json(_in_json(made))
        return
    for line in lines(made):
        out.print(line, soft_wrap=True)
    for title, text in samples(made):
        out.print(f"\n--- {title}", soft_wrap=True)
        out.print(text, soft_wrap=True)


def _eve(store: Database, at: datetime) -> Eve:
    desk = assembly.desk(settings.Identity.read(), settings.Relay.read(), settings.Keys.read())
    with err.status("Composition des lettres…"):
        ((edition, letters),) = rehearsal.rehearse(store, desk, at=at, streams=[Stream.WEEKLY])
        # Of thousands of letters only who has how many notices is kept.
        sizes = sorted((len(one.notices), one.contact_id) for one in letters)
        shown = _samples(store, desk, [contact_id for _, contact_id in sizes], at)
        with store.read() as session:
            waiting = previewed.count_waiting(session)
            gaps = [gap.source for gap in crediting.covered(session, at).gaps]
    return Eve(
        edition=edition,
        waiting=waiting,
        gaps=gaps,
        samples=shown,
    )


def _samples(store: Database, desk: Desk, by_size: list[int], at: datetime) -> list[Rehearsed]:
    """The shortest of those contacts' letters, one in the middle and the longest."""
    places = sorted({0, len(by_size) // 2, len(by_size) - 1}) if by_size else []
    return [
        letter
        for place in places
        for _, letters in rehearsal.rehearse(
            store, desk, at=at, contact_id=by_size[place], streams=[Stream.WEEKLY]
        )
        for letter in letters
    ]


def lines(made: Eve) -> list[str]:
    """How many contacts and notices, what is unusual, and how to hold it."""
    edition = made.edition
    contacts = count(edition.letters, "contact recevra", "contacts recevront")
    due = f"Le {day(edition.due_at)}, à partir de {hour(edition.due_at)}"
    notices = count(edition.notices, "avis", "avis")
    told = [f"{due}, {contacts} {notices} en tout (édition {edition.label}).", _compared(edition)]
    told += [
        f"{count(number, 'contact', 'contacts')} sans lettre{NBSP}: {NOT_MAILED.get(why, why)}."
        for why, number in edition.omitted.most_common()
    ]
    if made.waiting:
        waits = count(made.waiting, "lettre déjà écrite attend", "lettres déjà écrites attendent")
        told.append(f"{waits} encore de partir.")
    if made.gaps:
        told.append(f"Des avis peuvent manquer{NBSP}: {', '.join(made.gaps)}.")
    told.append(f"Voir les lettres elles-mêmes{NBSP}: alertes apercu")
    told.append(f'Empêcher l’envoi{NBSP}: alertes envois retenir --motif "la raison"')
    return told


def _compared(edition: Rehearsal) -> str:
    if edition.usual is None:
        return "Trop peu d’éditions sont passées pour dire si c’est comme d’habitude."
    letters, a_letter = (f"{number:.0f}" for number in edition.usual)
    usual = f"d’habitude {letters} lettres, et {a_letter} avis par lettre"
    return f"INHABITUEL{NBSP}: {usual}." if edition.is_unusual else f"Comme d’habitude ({usual})."


def samples(made: Eve) -> list[tuple[str, str]]:
    """Some letters: to whom and about what, then the beginning of their text."""
    found = []
    for one in made.samples:
        message = email.message_from_bytes(one.content, policy=email.policy.default)
        text = part(message, "plain").splitlines()[:LINES]
        who = one.contact or one.address
        notices = count(len(one.notices), "avis", "avis")
        found.append((f"{who}, {one.member} ({notices}){NBSP}: {one.subject}", "\n".join(text)))
    return found


def _mail(store: Database, made: Eve) -> None:
    to = staff_door.required()
    words = {
        "lines": lines(made),
        "samples": samples(made),
        "on": short_day(made.edition.due_at),
        "unusual": made.edition.is_unusual,
    }
    key = f"rehearsal:{made.edition.label}"
    with store.write() as session:
        new = staff_mail.write(session, to, "rehearsal", words, key=key, at=utc_now())
    if not staff_door.hand_over(store, to):
        raise typer.Exit(1)
    again = f"La répétition de l’édition {made.edition.label} était déjà écrite."
    out.print("La répétition est partie au personnel." if new else again)


def _in_json(made: Eve) -> dict[str, Any]:
    edition = made.edition
    return {
        "edition": edition.label,
        "due_at": edition.due_at,
        "contacts": edition.letters,
        "notices": edition.notices,
        "usual": edition.usual,
        "unusual": edition.is_unusual,
        "omitted": dict(edition.omitted),
        "waiting": made.waiting,
        "gaps": list(made.gaps),
        "samples": [one.contact_id for one in made.samples],
    }
