"""`alertes rapport semaine`: a week for staff: what left, what did not and why, what is unusual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Annotated, Any

import typer

from alerts import holds, summary
from alerts.summary import Week
from alerts.tables import LetterState
from base import concerns
from base.clock import quebec_day, utc_now
from base.database import Database
from base.french import NBSP, count, day, period, short_day, thousands
from scripts import reports_charts as charts
from scripts import reports_heaps as heaps
from scripts import reports_page as pages
from scripts.concerns_words import sentence
from scripts.console import moment, opened, out, print_json
from scripts.not_mailed_words import NOT_MAILED
from scripts.returns_words import KINDS
from scripts.told_words import STATES, STREAMS

HELP = "Le bilan d’une semaine pour l’équipe (par défaut, celle qui est en cours)."


def command(
    on: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Un jour de la semaine voulue.")
    ] = None,
    *,
    mailed: Annotated[
        bool, typer.Option("--envoyer", help="L’écrire à STAFF_EMAIL, une fois par semaine.")
    ] = False,
    folder: pages.Folder = pages.FOLDER,
    workbook: pages.Workbook = False,
    as_json: pages.Json = False,
) -> None:
    at = utc_now()
    start = summary.monday_of(moment(on, at))
    label = f"{quebec_day(start):%G-S%V}"
    with opened() as store:
        with store.read() as session:
            made = summary.week(session, start)
            standing = [sentence(one.cause, one.detail) for one in concerns.standing(session)]
            held = holds.is_held(session)
        if mailed:
            _mail(store, made, standing, label=label, held=held)
            return
    page = _page(made, standing, held=held, at=at)
    written = [pages.keep(folder, f"semaine-{label}.html", page)]
    if workbook:
        book = pages.workbook({"Éditions": (_HEADINGS, [_cells(run) for run in made.runs])})
        written.append(pages.keep(folder, f"semaine-{label}.xlsx", book))
    if as_json:
        print_json(_in_json(made) | {"files": [str(path) for path in written]})
        return
    for line in unusual(made):
        out.print(line, soft_wrap=True)
    pages.say(*written)


def unusual(made: Week) -> list[str]:
    """What a person should read first: the letters against the usual, and what is missing."""
    letters = sum(run.letters for run in made.runs)
    lines = [f"{count(letters, 'lettre écrite', 'lettres écrites')} cette semaine."]
    if made.usual is not None:
        lines[0] = f"{lines[0][:-1]}; d’habitude {thousands(made.usual)}."
    if made.proof.outside:
        lines.append(f"Parties hors d’une adhésion{NBSP}: {made.proof.outside}.")
    return lines


def _mail(store: Database, made: Week, standing: Sequence[str], *, label: str, held: bool) -> None:
    from alerts import staff_mail  # noqa: PLC0415, what sends, which the report does not need
    from scripts import staff_door  # noqa: PLC0415, the same

    to = staff_door.required()
    words = {
        "of": period(made.start, made.end),
        "lines": [*unusual(made), *_became(made, held=held)],
        "standing": standing,
    }
    with store.write() as session:
        new = staff_mail.write(session, to, "week", words, key=f"week:{label}", at=utc_now())
    if not staff_door.hand_over(store, to):
        raise typer.Exit(1)
    out.print("Le bilan est parti au personnel." if new else "Ce bilan était déjà écrit.")


def _became(made: Week, *, held: bool) -> list[str]:
    """What became of the week's letters, in sentences."""
    states, omitted = _counted(made)
    told = [
        f"{count(number, 'lettre', 'lettres')}{NBSP}: {STATES[state]}."
        for state, number in states.most_common()
    ]
    told += [
        f"{count(number, 'contact', 'contacts')} sans lettre{NBSP}: {NOT_MAILED.get(why, why)}."
        for why, number in omitted.most_common()
    ]
    if made.told.days_left:
        left = count(round(median(made.told.days_left)), "jour", "jours")
        notices = count(made.told.notices, "avis transmis", "avis transmis")
        told.append(f"{notices}, avec {left} pour soumissionner (médiane).")
    told.append(f"Lettres parties hors d’une adhésion{NBSP}: {made.proof.outside}.")
    if held:
        told.append(f"Les envois sont retenus. Voir{NBSP}: alertes envois etat")
    return told


def _counted(made: Week) -> tuple[Counter[str], Counter[str]]:
    """The week's letters by state, and its contacts without one by reason."""
    states: Counter[str] = Counter()
    omitted: Counter[str] = Counter()
    for run in made.runs:
        states += Counter(run.states)
        omitted += Counter(run.omitted)
    return states, omitted


def _page(made: Week, standing: Sequence[str], *, held: bool, at: datetime) -> str:
    states, omitted = _counted(made)
    left = made.told.days_left
    words: dict[str, object] = {
        "of": period(made.start, made.end),
        "week": made,
        "lines": unusual(made),
        "standing": standing,
        "held": held,
        "states": [(STATES[state], number) for state, number in states.most_common()],
        "omitted": [(NOT_MAILED.get(why, why), n) for why, n in omitted.most_common()],
        "runs": [_cells(run) for run in made.runs],
        "accepted": states[LetterState.ACCEPTED],
        "days_left": round(median(left)) if left else None,
        "hours": round(median(made.told.hours)) if made.told.hours else None,
        "heaps": list(zip(heaps.NAMES, heaps.heaps(Counter(left)), strict=True)),
        "returns": [(KINDS[kind][1], number) for kind, number in made.returns.items()],
        "past_picture": _past(made),
        "days_picture": heaps.picture({"avis": Counter(left)}),
    }
    return pages.page("week", words, at=at)


def _past(made: Week) -> str:
    labels = [short_day(one.monday) for one in made.past]
    series = {
        "acceptées": [one.accepted for one in made.past],
        "en attente": [one.waiting for one in made.past],
        "refusées, retirées, incertaines": [one.other for one in made.past],
    }
    alt = f"Lettres par semaine, la dernière commençant le {day(made.start)}"
    return charts.columns("semaines", labels, series, alt=alt)


_HEADINGS = (
    "Édition", "Rythme", "Lettres", "Acceptées", "En attente", "Refusées", "Retirées",
    "Incertaines", "Impossibles", "Contacts sans lettre",
)  # fmt: skip


def _cells(run: summary.Run) -> tuple[str | int, ...]:
    states = run.states
    waiting = (
        LetterState.WRITTEN,
        LetterState.CLAIMED,
        LetterState.DEFERRED,
        LetterState.IN_DOUBT,
    )
    return (
        run.label,
        STREAMS.get(run.stream, run.stream),
        run.letters,
        states.get(LetterState.ACCEPTED, 0),
        sum(states.get(state, 0) for state in waiting),
        states.get(LetterState.REFUSED, 0),
        states.get(LetterState.WITHDRAWN, 0),
        states.get(LetterState.UNKNOWN, 0),
        states.get(LetterState.QUARANTINED, 0),
        sum(run.omitted.values()),
    )


def _in_json(made: Week) -> dict[str, Any]:
    return {
        "start": made.start,
        "end": made.end,
        "usual_letters": made.usual,
        "runs": [
            {
                "stream": run.stream,
                "label": run.label,
                "states": dict(run.states),
                "omitted": dict(run.omitted),
            }
            for run in made.runs
        ],
        "notices_told": made.told.notices,
        "median_days_left": median(made.told.days_left) if made.told.days_left else None,
        "median_hours": median(made.told.hours) if made.told.hours else None,
        "seen": dict(made.seen),
        "returns": dict(made.returns),
        "left": made.left,
        "outside": made.proof.outside,
    }
