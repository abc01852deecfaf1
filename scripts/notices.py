"""`alertes avis …`: reserved invitations, and what came too late to be news."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from base import audit
from base.clock import utc_now
from base.french import NBSP, count, day, hour
from base.text import fold
from scripts import notice_who
from scripts import sources_words as words
from scripts.console import err, opened, out, staff, stop
from sources import attachments, tenders
from sources.errors import AttachmentRefused
from sources.invitation_words import CATEGORIES
from sources.invitations import Invitation
from sources.release import Fault
from sources.stored import RESERVED
from sources.tables import Revision, Tender

if TYPE_CHECKING:
    from sources.reading import Outcome

app = typer.Typer(
    help="Les invitations réservées, et les avis vus trop tard.", no_args_is_help=True
)

app.command("qui", help=notice_who.HELP)(notice_who.command)

_DONE = {
    "new": "ajoutée; elle sera dans la prochaine lettre des membres actifs concernés",
    "amended": "modifiée; les membres qui l’ont reçue le sauront",
    "cancelled": "annulée; les membres qui l’ont reçue le sauront",
    "": "déjà connue, rien d’important n’a changé",
}
_REFUSED = {
    attachments.Refusal.EMPTY: "le fichier est vide",
    attachments.Refusal.TOO_LARGE: f"il dépasse {attachments.LARGEST // 2**20}{NBSP}Mo",
    attachments.Refusal.TOO_MANY: f"l’invitation a déjà {attachments.MOST}{NBSP}documents",
    attachments.Refusal.TYPE: "ce type de fichier n’est pas gardé, ou le contenu n’est pas celui "
    f"que le nom annonce (permis{NBSP}: {', '.join(attachments.TYPES)})",
}


@app.command(
    "ajouter",
    help="Ajouter une invitation réservée, ou la modifier si elle est connue (même organisme et "
    "même numéro); avec --fichier, toutes celles d’un tableau (CSV ou .xlsx).",
)
def add(  # noqa: PLR0917, Typer's options
    title: Annotated[str, typer.Option("--titre", help="Le titre de l’invitation.")] = "",
    buyer: Annotated[str, typer.Option("--organisme", help="La municipalité ou l’organisme.")] = "",
    limit: Annotated[
        str, typer.Option("--limite", help="Jour et heure, par exemple 2026-12-04 11:00.")
    ] = "",
    number: Annotated[str, typer.Option("--numero", help="Le numéro de l’organisme.")] = "",
    description: Annotated[str, typer.Option("--description", help="Ce qui est demandé.")] = "",
    category: Annotated[str, typer.Option("--categorie", help="biens, services ou travaux.")] = "",
    link: Annotated[str, typer.Option("--lien", help="Une page Web, s’il y en a une.")] = "",
    paths: Annotated[
        list[Path] | None, typer.Option("--document", help="Un document; peut être répété.")
    ] = None,
    spreadsheet: Annotated[
        Path | None, typer.Option("--fichier", metavar="F", help="Un tableau d’invitations.")
    ] = None,
) -> None:
    if spreadsheet is not None:
        if title or buyer or limit or paths:
            raise typer.BadParameter("--fichier va seul.", param_hint="--fichier")
        if not spreadsheet.is_file():
            stop(f"{spreadsheet} n’est pas un fichier qui peut être lu. Vérifier son nom.")
        _add_all(spreadsheet)
        return
    if category and fold(category) not in CATEGORIES:
        message = f"«{NBSP}{category}{NBSP}» ne va pas. Écrire biens, services ou travaux."
        raise typer.BadParameter(message, param_hint="--categorie")
    if link and not link.startswith(("https://", "http://")):
        raise typer.BadParameter("Elle doit commencer par https://.", param_hint="--lien")
    lacking = {"--titre": title, "--organisme": buyer, "--limite": limit}
    if not all(lacking.values()):
        names = ", ".join(option for option, value in lacking.items() if not value)
        raise typer.BadParameter(f"Il manque{NBSP}: {names}.", param_hint="ajouter")
    invitation = Invitation(
        buyer=buyer,
        title=title,
        closes_at=limit,
        number=number,
        description=description,
        category=category,
        link=link,
    )
    _add(invitation, {path.name: _content(path) for path in paths or ()})


def _add(invitation: Invitation, documents: dict[str, bytes]) -> None:
    from sources import entering  # noqa: PLC0415, every reader, which no question needs

    at = utc_now()
    try:
        with opened(create=True) as store, store.write() as session:
            entered = entering.enter(session, invitation, documents, by=staff(), at=at)
            if isinstance(entered, Fault):
                stop(f"Rien n’a été ajouté{NBSP}: {words.why(entered.reason)}.")
            after = {"changement": entered.what, "documents": len(documents)}
            subject = f"tender:{entered.tender_id}"
            audit.record(
                session, at=at, who=staff(), action="avis ajouter", subject=subject, after=after
            )
    except AttachmentRefused as error:
        reason = _REFUSED[attachments.Refusal(error.reason)]
        stop(f"{error.name}{NBSP}: {reason}. Rien n’a été ajouté.")
    out.print(f"Invitation {entered.number}{NBSP}: {_DONE[entered.what]}.")


def _add_all(path: Path) -> None:
    from sources.reading import read_path  # noqa: PLC0415, as above

    at = utc_now()
    try:
        with opened(create=True) as store:
            (outcome,) = read_path(store, path, source=RESERVED, at=at)
            after = {"nouvelles": outcome.counts.new, "modifiées": outcome.counts.amended}
            with store.write() as session:
                audit.record(
                    session,
                    at=at,
                    who=staff(),
                    action="avis ajouter",
                    subject="tableau",
                    after=after,
                )
    except (FileNotFoundError, ValueError):
        stop(f"{path} n’est pas un fichier qui peut être lu. Vérifier son nom.")
    _say(path.name, outcome)


def _say(name: str, outcome: Outcome) -> None:
    if outcome.fault:
        stop(words.refused(name, outcome.fault))
    added = count(outcome.counts.new, "invitation ajoutée", "invitations ajoutées")
    changed = count(outcome.counts.amended + outcome.counts.cancelled, "modifiée", "modifiées")
    out.print(f"{added}, {changed}.")
    if outcome.counts.passed_over:
        past = count(outcome.counts.passed_over, "invitation laissée", "invitations laissées")
        err.print(f"{past} de côté, car la date limite est passée.")
    for fault in outcome.faults:
        err.print(f"  ligne {fault.position}{NBSP}: {words.why(fault.reason)}")
    if outcome.faults:
        raise typer.Exit(code=1)


@app.command("annuler", help="Annuler une invitation réservée.")
def cancel(number: Annotated[str, typer.Argument(metavar="NUMERO")]) -> None:
    from sources import entering  # noqa: PLC0415, as above

    at = utc_now()
    with opened() as store, store.write() as session:
        cancelled = entering.cancel(session, number, at=at)
        if cancelled is None:
            stop(
                f"Aucune invitation ouverte sous le numéro {number}. Voir{NBSP}: alertes avis liste"
            )
        audit.record(
            session, at=at, who=staff(), action="avis annuler", subject=f"tender:{cancelled}"
        )
    out.print(f"Invitation {number}{NBSP}: {_DONE['cancelled']}.")


@app.command("liste", help="Les invitations réservées qui sont ouvertes, avec leurs documents.")
def listing() -> None:
    with opened() as store, store.read() as session:
        found = tenders.reserved_at(session, utc_now())
        kept = {one.id: attachments.of_tender(session, one.id) for one, _ in found}
    if not found:
        out.print("Aucune invitation réservée n’est ouverte.")
        return
    table = _table(found)
    out.print(table)
    for tender, _ in found:
        for one in kept[tender.id]:
            out.print(f"{tender.number}{NBSP}: {one.name}", soft_wrap=True)


@app.command("documents", help="Écrire les documents d’une invitation dans un dossier.")
def documents(
    number: Annotated[str, typer.Argument(metavar="NUMERO")],
    folder: Annotated[Path, typer.Option("--dans", help="Le dossier.")],
) -> None:
    with opened() as store, store.read() as session:
        found = [tender.id for tender, _ in tenders.by_number(session, number)]
        if not found:
            stop(f"Aucune invitation sous le numéro {number}. Voir{NBSP}: alertes avis liste")
        kept = [
            (one.name, one.content)
            for tender in found
            for one in attachments.of_tender(session, tender)
        ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in kept:
            (folder / name).write_bytes(content)
    except OSError:
        stop(f"Le dossier {folder} ne peut pas être écrit. Vérifier son nom et vos droits.")
    written = len(kept)
    out.print(f"{count(written, 'document écrit', 'documents écrits')}.")


@app.command(
    "anciens",
    help="Les avis vus trop tard pour être des nouvelles; --offrir les met dans les lettres.",
)
def backlog(
    offered: Annotated[
        str | None, typer.Option("--offrir", metavar="NUMERO", help="L’offrir quand même.")
    ] = None,
) -> None:
    at = utc_now()
    if offered is not None:
        _offer(offered)
        return
    with opened() as store, store.read() as session:
        found = tenders.backlog_at(session, at)
    if not found:
        out.print("Aucun avis ouvert n’a été vu trop tard.")
        return
    out.print(_table(found))
    out.print(f"Pour en offrir un{NBSP}: alertes avis anciens --offrir, suivi du numéro.")


def _offer(number: str) -> None:
    at = utc_now()
    with opened() as store, store.write() as session:
        ids = [tender.id for tender, _ in tenders.by_number(session, number)]
        done = [one for one in ids if tenders.offer(session, one)]
        for one in done:
            audit.record(
                session, at=at, who=staff(), action="avis anciens", subject=f"tender:{one}"
            )
    if not done:
        stop(f"Aucun avis ancien sous le numéro {number}. Voir{NBSP}: alertes avis anciens")
    out.print(f"Avis {number}{NBSP}: il sera dans les prochaines lettres.")


def _table(found: list[tuple[Tender, Revision]]) -> Table:
    table = Table("Numéro", "Titre", "Organisme", "Ferme le")
    for tender, revision in found:
        ends = f"{day(tender.closes_at)}, {hour(tender.closes_at)}" if tender.closes_at else "?"
        table.add_row(tender.number, revision.title, revision.buyer, ends)
    return table


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(attachments.LARGEST + 1)
    except OSError:
        stop(f"{path} ne peut pas être lu. Vérifier le nom du fichier.")
