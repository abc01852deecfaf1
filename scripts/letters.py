"""`alertes envois …`: what waits, hand it over, hold it, and decide about what is uncertain."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import doubts, holds, quarantine
from alerts.hold_tables import Hold
from alerts.journal import agree, open_journal
from alerts.restoring import settle_accepted
from alerts.tables import Edition, Letter, LetterState
from base import audit, settings
from base.clock import utc_now
from base.french import count, day, hour
from scripts import returns
from scripts.console import err, opened, out, print_json, staff

app = typer.Typer(help="Les envois de lettres.", no_args_is_help=True)
app.add_typer(returns.app)

STATES = {
    LetterState.WRITTEN: "En attente",
    LetterState.CLAIMED: "En cours",
    LetterState.IN_DOUBT: "Réponse attendue",
    LetterState.ACCEPTED: "Acceptées",
    LetterState.DEFERRED: "Remises à plus tard",
    LetterState.REFUSED: "Refusées",
    LetterState.UNKNOWN: "Incertaines",
    LetterState.WITHDRAWN: "Retirées",
    LetterState.QUARANTINED: "Impossibles à composer",
    LetterState.STALE: "À refaire (l’avis a changé)",
}


#: Why nothing leaves, by cause of the hold.
HOLDS = {
    "staff": "à la demande du personnel",
    "brake": "édition bien plus grosse que les précédentes",
    holds.FIRST_RUN: "premier envoi, à vérifier avant de le laisser partir",
    "journal": "base de données restaurée ou copiée",
    "restored": "base de données restaurée d’une copie de sauvegarde",
    "policy": "trop de lettres refusées par les serveurs des destinataires",
}


@app.command("envoyer", help="Écrire les éditions dues et remettre les lettres en attente.")
def send() -> None:
    from scripts import letters_send  # noqa: PLC0415, the whole service, which no question needs

    letters_send.send()


@app.command("etat", help="Compter les lettres par état, et dire si les envois sont retenus.")
def state(
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    with opened() as store, store.read() as session:
        counted = dict(
            session.execute(select(Letter.state, func.count()).group_by(Letter.state)).all()
        )
        standing = holds.standing(session)
    if as_json:
        print_json({"lettres": counted, "retenues": [hold.cause for hold in standing]})
        return
    table = Table("État", "Lettres")
    for name, label in STATES.items():
        if counted.get(name):
            table.add_row(label, str(counted[name]))
    out.print(table if counted else "Aucune lettre pour le moment.")
    for one in standing:
        out.print(_said(one))
    if standing:
        out.print("Pour reprendre les envois : alertes envois reprendre")


def _said(hold: Hold) -> str:
    since = f"{day(hold.set_at)}, {hour(hold.set_at)}"
    cause = HOLDS.get(hold.cause, hold.cause)
    detail = f" ({hold.detail})" if hold.detail and hold.cause in {"staff", "journal"} else ""
    return f"Retenus depuis le {since} : {cause}{detail}"


@app.command("retenir", help="Ne plus rien envoyer, jusqu’à « alertes envois reprendre ».")
def hold(motif: Annotated[str, typer.Option(help="Pourquoi")] = "") -> None:
    at = utc_now()
    with opened() as store, store.write() as session:
        new = holds.hold(session, cause="staff", detail=motif, by=staff(), at=at)
        _record(session, "retenir", {"motif": motif})
    out.print("Les envois sont retenus." if new else "Les envois étaient déjà retenus.")


@app.command("reprendre", help="Permettre de nouveau les envois.")
def resume() -> None:
    relay = settings.Relay.read()
    at = utc_now()
    with opened() as store, store.write() as session:
        standing = holds.standing(session)
        for one in standing:
            out.print(_said(one))
        journal = open_journal(relay.journal_file)
        spared = settle_accepted(session, journal, at=at)
        lifted = holds.lift(session, by=staff(), at=at)
        holds.settle_concerns(session, at=at)
        agree(session, journal)
        _record(session, "reprendre", {"levées": lifted, "causes": [one.cause for one in standing]})
    if spared:
        told = count(
            spared, "lettre déjà partie ne repart pas", "lettres déjà parties ne repartent pas"
        )
        out.print(f"D’après le journal des remises, {told}.")
    out.print("Les envois reprennent." if lifted else "Les envois n’étaient pas retenus.")


@app.command("incertains", help="Les lettres dont personne ne sait si elles sont arrivées.")
def uncertain(
    received: Annotated[
        int | None, typer.Option("--recue", help="Considérer cette lettre comme reçue")
    ] = None,
    again: Annotated[
        int | None, typer.Option("--renvoyer", help="Renvoyer cette lettre telle quelle")
    ] = None,
    drop: Annotated[
        int | None, typer.Option("--abandonner", help="Ne pas la renvoyer; redire ses avis")
    ] = None,
) -> None:
    for number, decision in (
        (received, LetterState.ACCEPTED),
        (again, LetterState.WRITTEN),
        (drop, LetterState.WITHDRAWN),
    ):
        if number is not None:
            _decide(number, decision)
            return
    with opened() as store, store.read() as session:
        letters = session.scalars(
            select(Letter).where(Letter.state == LetterState.UNKNOWN).order_by(Letter.id)
        ).all()
    if not letters:
        out.print("Aucune lettre incertaine.")
        return
    table = Table("Lettre", "Contact", "Avis", "Depuis", "Dernière réponse")
    for one in letters:
        since = f"{day(one.in_doubt_at)}, {hour(one.in_doubt_at)}" if one.in_doubt_at else ""
        table.add_row(str(one.id), str(one.contact_id), str(one.notices), since, one.reply)
    out.print(table)
    out.print("Pour chacune\u00a0: --recue, --renvoyer ou --abandonner, suivi de son numéro.")


def _decide(number: int, decision: LetterState) -> None:
    with opened() as store, store.write() as session:
        done = doubts.resolve(
            session, number, decision, reply=f"décision de {staff()}", at=utc_now()
        )
        _record(session, "incertains", {"lettre": number, "décision": decision})
    if not done:
        err.print(f"La lettre {number} n’est pas incertaine.")
        raise typer.Exit(1)
    out.print(f"Lettre {number} : c’est noté.")


@app.command("quarantaine", help="Les lettres impossibles à composer ou à remettre.")
def quarantined(
    again: Annotated[
        int | None, typer.Option("--reessayer", help="La cause est corrigée : composer de nouveau")
    ] = None,
) -> None:
    if again is not None:
        _try_again(again)
        return
    with opened() as store, store.read() as session:
        rows = session.execute(
            select(Letter, Edition.label)
            .outerjoin(Edition, Edition.id == Letter.edition_id)
            .where(Letter.state == LetterState.QUARANTINED)
            .order_by(Letter.id)
        ).all()
    if not rows:
        out.print("Aucune lettre en quarantaine.")
        return
    table = Table("Lettre", "Contact", "Édition", "Essais", "Cause")
    for one, label in rows:
        table.add_row(str(one.id), str(one.contact_id), label or "", str(one.attempts), one.reply)
    out.print(table)
    out.print("Quand la cause est corrigée : --reessayer, suivi du numéro de la lettre.")


def _try_again(number: int) -> None:
    from alerts.freezing import WORTH_SENDING  # noqa: PLC0415, composes letters; no question needs it

    at = utc_now()
    with opened() as store, store.write() as session:
        done = quarantine.try_again(session, number, at=at, until=at + WORTH_SENDING)
        _record(session, "quarantaine", {"lettre": number, "composer de nouveau": done})
    if not done:
        err.print(f"La lettre {number} n’est pas en quarantaine, ou ne se compose pas de nouveau.")
        raise typer.Exit(1)
    out.print(f"Lettre {number} : elle sera composée de nouveau à la prochaine minute.")


def _record(session: Session, action: str, after: dict[str, object]) -> None:
    audit.record(
        session,
        at=utc_now(),
        who=staff(),
        action=f"envois {action}",
        subject="envois",
        after=after,
    )
