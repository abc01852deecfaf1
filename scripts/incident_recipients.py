"""`alertes incidents destinataires`: whom a letter or a notice reached, to tell them."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from alerts.tables import Letter, LetterState, Told
from base.clock import utc_now
from base.french import NBSP, count
from scripts.console import moment, opened, out, print_json, stop
from scripts.persons_words import moment as said
from sources import tenders
from sources.tables import Tender
from subscriptions.tables import Contact, Member

app = typer.Typer()


@app.command(
    "destinataires",
    help="Qui a reçu quoi\u00a0: les personnes touchées par un envoi, pour les aviser.",
)
def recipients(
    *,
    since: Annotated[str | None, typer.Option("--du", metavar="DATE")] = None,
    until: Annotated[str | None, typer.Option("--au", metavar="DATE")] = None,
    letter: Annotated[int | None, typer.Option("--lettre", help="Cette lettre.")] = None,
    notice: Annotated[str | None, typer.Option("--avis", help="Cet avis.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    if since is None and until is None and letter is None and notice is None:
        raise typer.BadParameter("Indiquer --du, --au, --lettre ou --avis.")
    at = utc_now()
    with opened() as store, store.read() as session:
        statement = _received()
        if since is not None:
            statement = statement.where(Letter.settled_at >= moment(since, at, option="--du"))
        if until is not None:
            statement = statement.where(Letter.settled_at < moment(until, at, option="--au"))
        if letter is not None:
            statement = statement.where(Letter.id == letter)
        if notice is not None:
            statement = statement.where(Letter.id.in_(_letters_with(session, notice)))
        found = [dict(row._mapping) for row in session.execute(statement)]  # noqa: SLF001, SQLAlchemy's own name
    if as_json:
        print_json({"destinataires": found})
        return
    for row in found:
        who = f"contact {row['contact']}, {row['adresse'] or 'effacé'}, {row['entreprise']}"
        out.print(f"lettre {row['lettre']}, {said(row['acceptee'])}{NBSP}: {who}", soft_wrap=True)
    persons = len({row["contact"] for row in found})
    letters = count(len(found), "lettre acceptée", "lettres acceptées")
    out.print(f"{letters}, {count(persons, 'personne', 'personnes')}.")


def _received() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Letter.id.label("lettre"),
            Letter.settled_at.label("acceptee"),
            Letter.contact_id.label("contact"),
            Letter.address.label("adresse"),
            Member.name.label("entreprise"),
        )
        .join(Contact, Contact.id == Letter.contact_id)
        .join(Member, Member.id == Contact.member_id)
        .where(Letter.state == LetterState.ACCEPTED)
        .order_by(Letter.settled_at, Letter.id)
    )


def _letters_with(session: Session, notice: str) -> Select[Any]:
    ids = [number for group in tenders.named(session, notice) for number in group]
    if not ids:
        stop(f"Aucun avis ne répond à «{NBSP}{notice}{NBSP}».")
    clusters = select(Tender.cluster_id).where(Tender.id.in_(ids))
    return select(Told.letter_id).where(Told.cluster_id.in_(clusters))
