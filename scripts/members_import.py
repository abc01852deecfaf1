"""`alertes membres importer` and `annuler-import`: shown, agreed to, done whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy.exc import IntegrityError

from base.clock import utc_now
from base.database import Database
from base.french import NBSP, count, day, hour
from base.spreadsheet import LARGEST
from scripts import members_report
from scripts import members_words as words
from scripts.agreement import agreed, shown, somebody_is_there
from scripts.console import err, moment, opened, out, print_json, staff, stop
from subscriptions import importing, roster, sectors, undo_plan, undoing
from subscriptions.difference import Difference, Kind
from subscriptions.errors import Overtaken, RosterUnreadable
from subscriptions.sectors import Catalogue
from subscriptions.undo_plan import Undoing, Undone

ALL = 100_000

Everything = Annotated[bool, typer.Option("--tout", help="Montrer toutes les lignes.")]
AsJson = Annotated[bool, typer.Option("--json", help="Un objet JSON.")]
Apply = Annotated[bool, typer.Option("--appliquer", help="Faire les changements montrés.")]


def import_roster(
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="La liste des membres.")],
    *,
    apply: Apply = False,
    ended: Annotated[
        int | None,
        typer.Option(
            "--adhesions-terminees",
            min=0,
            metavar="NOMBRE",
            help="Combien d’adhésions se terminent, si c’est plus d’une sur dix.",
        ),
    ] = None,
    everything: Everything = False,
    as_json: AsJson = False,
    day: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
) -> None:
    at = moment(day, utc_now())
    catalogue = sectors.load()
    found = _read(path, catalogue)
    with opened(create=True) as store:
        with store.read() as session:
            difference = importing.difference(session, found, at)
        if not as_json:
            most = ALL if everything else members_report.MOST
            _print(members_report.report(difference, catalogue, most=most))
            _print(members_report.summary(difference))
        if apply:
            _may_end_many(difference, ended)
        elif not as_json and not difference.is_empty and somebody_is_there():
            apply = _asked(difference)
        if apply:
            _apply(store, found, difference, at)
    if as_json:
        result: dict[str, object] = {"at": at.isoformat(), "applied": apply}
        print_json(result | members_report.in_json(difference, catalogue))
    elif apply and not difference.is_empty:
        out.print(members_report.done(difference), soft_wrap=True)
    elif not apply:
        out.print(
            f"\nC’était un essai{NBSP}: rien n’a été changé. Pour appliquer, ajouter --appliquer."
        )


def undo_import(
    *, apply: Apply = False, everything: Everything = False, as_json: AsJson = False
) -> None:
    at, catalogue = utc_now(), sectors.load()
    with opened() as store:
        with store.read() as session:
            plan = undo_plan.undoing(session)
        if plan is None:
            stop("Aucun import n’a été fait : il n’y a rien à annuler.")
        if plan.undone_at is not None:
            stop(f"Le dernier import ({_when(plan)}) est déjà annulé. Rien n’a été changé.")
        if not as_json:
            _print(_undo_report(plan, catalogue, ALL if everything else members_report.MOST))
        if not plan.done:
            stop("Tout a été changé depuis : rien ne peut être annulé.")
        if not apply and not as_json and somebody_is_there():
            apply = agreed("Annuler cet import? Écrire oui pour confirmer")
        if apply:
            _undo(store, plan, at)
    if as_json:
        print_json(_undo_in_json(plan, applied=apply))
    elif apply:
        out.print(f"Fait{NBSP}: l’import du {_when(plan)} est annulé.", soft_wrap=True)
    else:
        out.print(
            f"\nC’était un essai{NBSP}: rien n’a été changé. Pour annuler, ajouter --appliquer."
        )


def _read(path: Path, catalogue: Catalogue) -> roster.Roster:
    try:
        with shown("Lecture de la liste") as progress:
            return roster.read(_document(path), catalogue, progress)
    except RosterUnreadable as error:
        stop(f"{path.name}{NBSP}: {words.unreadable(error)} Rien n’a été changé.")


def _document(path: Path) -> bytes:
    """The file's bytes, one more than the limit at most."""
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except FileNotFoundError:
        stop(f"Le fichier {path} n’existe pas. Vérifier son nom et son dossier.")
    except OSError:
        stop(f"Le fichier {path} ne peut pas être lu. Vérifier que c’est un fichier et ses droits.")


def _may_end_many(difference: Difference, ended: int | None) -> None:
    """A wrong column must not end half of the memberships."""
    if not difference.ends_many or ended == difference.ended:
        return
    stop(
        f"Cet import termine {count(difference.ended, 'adhésion', 'adhésions')} sur "
        f"{difference.active} en cours. Si c’est bien voulu, ajouter "
        f"--adhesions-terminees {difference.ended}. Rien n’a été changé."
    )


def _asked(difference: Difference) -> bool:
    if not difference.ends_many:
        return agreed("Appliquer ces changements? Écrire oui pour confirmer")
    err.print(
        f"Attention{NBSP}: {count(difference.ended, 'adhésion', 'adhésions')} sur "
        f"{difference.active} en cours se terminent."
    )
    question = "Pour appliquer, écrire le nombre d’adhésions qui se terminent"
    return agreed(question, str(difference.ended))


def _apply(store: Database, found: roster.Roster, difference: Difference, at: datetime) -> None:
    try:
        with shown("Changements") as progress, store.write() as session:
            importing.take_in(
                session, found, at=at, by=staff(), shown=difference, progress=progress
            )
    except (IntegrityError, Overtaken):
        _somebody_else()


def _undo(store: Database, plan: Undoing, at: datetime) -> None:
    try:
        with store.write() as session:
            undoing.undo(session, plan, at=at, by=staff())
    except (IntegrityError, Overtaken):
        _somebody_else()


def _somebody_else() -> None:
    stop(
        "Une autre personne modifie les membres en ce moment. "
        "Rien n’a été changé; recommencer dans une minute."
    )


def _print(lines: Iterable[Table | str]) -> None:
    for line in lines:
        out.print(line, soft_wrap=isinstance(line, str))


def _when(plan: Undoing) -> str:
    moment_, by = plan.imported_at, plan.imported_by
    return f"{day(moment_)}, {hour(moment_)}, par {by}"


def _undo_report(plan: Undoing, catalogue: Catalogue, most: int) -> Iterable[Table | str]:
    yield f"Import du {_when(plan)}"
    for title, steps in (
        ("Ce qui serait défait", plan.done),
        ("Ce qui reste, car changé depuis", plan.kept),
    ):
        if steps:
            yield f"{title} ({len(steps)})"
            rows = [(s.about, _undone(s, catalogue)) for s in steps[:most]]
            yield members_report.table(("Entreprise ou contact", "Quoi"), rows)
        if len(steps) > most:
            yield f"… et {count(len(steps) - most, 'autre', 'autres')}. Tout voir : ajouter --tout."


def _undone(step: Undone, catalogue: Catalogue) -> str:
    if step.since is not None:
        return f"{words.STEPS[step.what]}{NBSP}: {words.SINCE[step.since]}"
    lines = [members_report.told(Kind.CHANGED, fact, catalogue) for fact in step.facts]
    return "\n".join(lines) or words.STEPS[step.what]


def _undo_in_json(plan: Undoing, *, applied: bool) -> dict[str, object]:
    def told(steps: Iterable[Undone]) -> list[dict[str, object]]:
        return [
            {
                "what": s.what.value,
                "about": s.about,
                "since": s.since.value if s.since else None,
                "facts": [
                    {"field": f.field.value, "before": f.before, "after": f.after} for f in s.facts
                ],
            }
            for s in steps
        ]

    return {
        "imported_at": plan.imported_at.isoformat(),
        "imported_by": plan.imported_by,
        "applied": applied,
        "undone": told(plan.done),
        "kept": told(plan.kept),
    }
