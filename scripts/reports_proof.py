"""`alertes rapport preuve`: that nobody but active members got the letters of a notice or a time.

The lines are a CSV file; what the page gives as their print is the SHA-256 of that file, so that
anybody can check one against the other, and staff both against the database.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated

import typer
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from alerts import proof
from alerts.proof import Counted, Entry
from alerts.tables import LetterState
from base.clock import utc_now
from base.french import NBSP, count, period
from scripts import reports_charts as charts
from scripts import reports_page as pages
from scripts.console import opened, out, print_json, stop
from scripts.reports_dates import Since, Until, between
from scripts.told_words import became
from sources import tenders

HELP = (
    "Prouver que seuls des membres actifs ont reçu les lettres d’un avis, ou d’une période "
    "(par défaut les 7 derniers jours)."
)
#: Lines that a page shows, and carries; more are in the file beside it.
MOST = 3000
HEADINGS = (
    "Lettre", "Édition", "État", "Vérifiée à (UTC)", "Réglée à (UTC)", "Contact", "Nom",
    "Adresse", "Entreprise n°", "Entreprise", "Adhésion n°", "Début (UTC)", "Fin (UTC)",
    "Inscrite à (UTC)", "Inscrite par", "Dans l’adhésion", "Réponse du serveur",
    "SHA-256 du message",
)  # fmt: skip
#: Those that name somebody.
NAMING = ("Nom", "Adresse", "Entreprise", "Inscrite par")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What is proven: the letters, in words, in a file's name and on the command line."""

    which: ColumnElement[bool]
    of: str
    name: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What the database answered."""

    subject: Subject
    entries: Sequence[Entry]
    counted: Counted
    query: str
    lines: bytes

    @property
    def digest(self) -> str:
        """The print of the lines."""
        return hashlib.sha256(self.lines).hexdigest()


def command(
    notice: Annotated[
        str | None, typer.Argument(metavar="[AVIS]", help="Numéro du SEAO, ou identifiant (ocid).")
    ] = None,
    since: Since = None,
    until: Until = None,
    *,
    nameless: Annotated[
        bool, typer.Option("--sans-noms", help="Des numéros au lieu des noms et des adresses.")
    ] = False,
    expected: Annotated[
        str | None,
        typer.Option("--verifier", metavar="EMPREINTE", help="Comparer, et ne rien écrire."),
    ] = None,
    folder: pages.Folder = pages.FOLDER,
    workbook: pages.Workbook = False,
    as_json: pages.Json = False,
) -> None:
    at = utc_now()
    with opened() as store, store.read() as session:
        subject = _of(session, notice, between(since, until, at))
        made = _proven(session, subject, named=not nameless)
    if expected is not None:
        _verify(made, expected)
        return
    written = [
        pages.keep(folder, f"{subject.name}.html", _page(made, at, named=not nameless)),
        pages.keep(folder, f"{subject.name}.csv", made.lines),
    ]
    if workbook:
        cells = [_cells(one, named=not nameless) for one in made.entries]
        book = pages.workbook({"Lettres": (_headings(named=not nameless), cells)})
        written.append(pages.keep(folder, f"{subject.name}.xlsx", book))
    if as_json:
        files = [str(path) for path in written]
        print_json({**asdict(made.counted), "sha256": made.digest, "files": files})
    else:
        _say(made.counted)
        pages.say(*written)
    if made.counted.outside:
        raise typer.Exit(1)


def _of(session: Session, notice: str | None, chosen: tuple[datetime, datetime]) -> Subject:
    start, end = chosen
    if notice is None:
        days = pages.days(start, end)
        return Subject(
            which=proof.of_period(start, end),
            of=period(start, end),
            name=f"preuve-{days[0]}-{days[1]}",
            words=f"--du {days[0]} --au {days[1]}",
        )
    found = tenders.named(session, notice)
    if not found:
        stop(f"Aucune source n’a montré l’avis {notice.strip()}. Vérifier son numéro.")
    ids = [one for call in found for one in call]
    latest = tenders.histories(session, ids)[-1][1]
    return Subject(
        which=proof.of_call(session, ids),
        of=f"Avis {notice.strip()}{NBSP}: {latest.title} ({latest.buyer})",
        name=f"preuve-{pages.file_name(notice)}",
        words=notice.strip(),
    )


def _proven(session: Session, subject: Subject, *, named: bool) -> Proof:
    entries = proof.entries(session, subject.which)
    return Proof(
        subject=subject,
        entries=entries,
        counted=proof.counted(session, subject.which),
        query=proof.question(session, subject.which),
        lines=_csv(entries, named=named),
    )


def _csv(entries: Sequence[Entry], *, named: bool) -> bytes:
    """The lines as they are hashed: always the same bytes for the same rows."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, delimiter=";", lineterminator="\r\n")
    writer.writerow(_headings(named=named))
    for one in entries:
        writer.writerow([pages.safe(_text(cell)) for cell in _cells(one, named=named)])
    return made.getvalue().encode("utf-8-sig")


def _text(cell: str | float | date | datetime | None) -> str:
    return cell.isoformat() if isinstance(cell, date) else "" if cell is None else str(cell)


def _headings(*, named: bool) -> list[str]:
    return [heading for heading in HEADINGS if named or heading not in NAMING]


def _cells(one: Entry, *, named: bool) -> list[str | int | datetime | None]:
    interval = one.membership
    cells: list[str | int | datetime | None] = [
        one.letter_id, one.edition, became(one.state, ""), one.guarded_at, one.settled_at,
        one.contact_id, one.contact, one.address, one.member_id, one.member,
        interval.id if interval else None,
        interval.starts_at if interval else None,
        interval.ends_at if interval else None,
        interval.recorded_at if interval else None,
        interval.recorded_by if interval else None,
        "oui" if one.within else "non", one.reply, one.sha256,
    ]  # fmt: skip
    pairs = zip(HEADINGS, cells, strict=True)
    return [cell for heading, cell in pairs if named or heading not in NAMING]


def _page(made: Proof, at: datetime, *, named: bool) -> str:
    name = f"{made.subject.name}.csv"
    fits = len(made.entries) <= MOST
    option = "" if named else " --sans-noms"
    verify = f"alertes rapport preuve {made.subject.words}{option} --verifier {made.digest}"
    words = {
        "of": made.subject.of,
        "counted": made.counted,
        "uncertain": sum(one.state != LetterState.ACCEPTED for one in made.entries),
        "rows": made.entries if fits else [],
        "named": named,
        "picture": _picture(made.entries),
        "digest": made.digest,
        "csv_name": name,
        "csv_link": _link(made.lines) if fits and made.entries else "",
        "verify": verify,
        "query": made.query,
    }
    return pages.page("proof", words, at=at)


def _link(lines: bytes) -> str:
    return f"data:text/csv;base64,{base64.b64encode(lines).decode()}"


def _picture(entries: Sequence[Entry]) -> str:
    """Letters by edition, where there are several."""
    by_edition = Counter(one.edition or "sans édition" for one in entries)
    if len(by_edition) < 2:
        return ""
    labels = list(by_edition)
    series = {"Lettres": [by_edition[label] for label in labels]}
    return charts.columns("editions", labels, series, alt="Lettres remises, par édition")


def _say(counted: Counted) -> None:
    letters = count(counted.letters, "lettre remise", "lettres remises")
    members = count(counted.members, "entreprise", "entreprises")
    out.print(f"{letters} à {members}; hors d’une adhésion{NBSP}: {counted.outside}.")
    if counted.corrected:
        corrected = count(counted.corrected, "adhésion", "adhésions")
        out.print(f"Corrigées depuis l’envoi{NBSP}: {corrected}.")


def _verify(made: Proof, expected: str) -> None:
    if made.digest != expected.strip().lower():
        stop(
            "Les lignes ne sont plus les mêmes. Elles changent quand un nom est corrigé, quand une "
            "personne fait effacer ses renseignements ou quand une lettre incertaine est réglée. "
            f"Empreinte d’aujourd’hui{NBSP}: {made.digest}"
        )
    out.print(f"Les lignes sont les mêmes{NBSP}: {count(len(made.entries), 'lettre', 'lettres')}.")
