"""`alertes personne …`: what the law asks of us for one person, and what is kept how long."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import access, dossier, erasure, persons, retention
from alerts.erasure import ErasureRefused, Planned
from alerts.persons import Person
from alerts.scrubbing import spellings
from base import audit, wiping
from base.clock import utc_now
from base.database import Database
from base.french import NBSP, count, day
from scripts import access_files, contacts, dossier_words
from scripts.console import err, moment, opened, out, print_json, staff, stop
from scripts.documents import document, write_private
from scripts.persons_words import becomes, refusal
from subscriptions import consent, erased, suppressions, wishes
from subscriptions.addresses import normalised
from subscriptions.errors import AddressRefused
from subscriptions.tables import Basis, Contact, Origin, Suppression

app = typer.Typer(
    help="Une personne et la loi\u00a0: preuve, accès, effacement, conservation.",
    no_args_is_help=True,
)

Key = Annotated[str, typer.Argument(metavar="CONTACT", help="Numéro, adresse ou nom.")]
AsJson = Annotated[bool, typer.Option("--json", help="Un objet JSON.")]
#: Days that the law gives to answer an access request (Loi 25).
ANSWER_WITHIN = timedelta(days=30)


@app.command(
    "dossier",
    help="Le dossier de consentement (LCAP)\u00a0: ce qui permettait chaque lettre reçue.",
)
def show_dossier(
    key: Key,
    file: Annotated[
        Path | None, typer.Option("--fichier", help="L’écrire dans ce fichier HTML, à imprimer.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    at = utc_now()
    with opened() as store, store.write() as session:
        contact = contacts.named(session, key, or_removed=True)
        found = dossier.dossier(session, persons.person(session, contact))
        _note(session, contact, "personne dossier")
        number = contact.id
    verdict, parts = dossier_words.verdict(found), dossier_words.parts(found)
    if file is not None:
        made = document("dossier.html", contact=number, at=at, verdict=verdict, parts=parts)
        write_private(file, made.encode())
        err.print(f"Dossier écrit dans {file}.")
    if as_json:
        told = {part.title: [dict(zip(part.heads, row, strict=True)) for row in part.rows]
                for part in parts}  # fmt: skip
        lacking = [one.letter.id for one in found.lacking]
        print_json({"contact": number, "verdict": verdict, "sans_preuve": lacking, "parties": told})
    elif file is None:
        out.print(verdict, soft_wrap=True)
        for part in parts:
            out.print(f"\n{part.title} ({len(part.rows)})")
            for row in part.rows:
                out.print(f"  {'; '.join(filter(None, row))}", soft_wrap=True)
    raise typer.Exit(1 if found.lacking else 0)


@app.command(
    "acces",
    help="Répondre à une demande d’accès\u00a0: tout ce qui est gardé d’une personne, "
    "en français, JSON et CSV.",
)
def give_access(
    key: Key,
    folder: Annotated[
        Path | None, typer.Option("--dossier", help="Dossier à créer. Par défaut, acces-N.")
    ] = None,
    received: Annotated[
        str | None, typer.Option("--recue", metavar="DATE", help="Quand la demande a été reçue.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    at = utc_now()
    asked = moment(received, at, option="--recue")
    due = asked + ANSWER_WITHIN
    with opened() as store:
        with store.read() as session:
            contact = contacts.named(session, key, or_removed=True)
            found = access.holdings(session, persons.person(session, contact))
        where = folder or Path(f"acces-{contact.id}")
        files = access_files.write(where, found, contact=contact.id, at=at)
        after = {"reçue": asked.date().isoformat(), "échéance": due.date().isoformat()}
        with store.write() as session:
            _note(session, contact, "personne acces", after)
    rows = {one.table: len(one.rows) for one in found.tables}
    if as_json:
        print_json({"dossier": where, "lignes": rows, "fichiers": files, "echeance": due.date()})
        return
    out.print(
        f"{count(sum(rows.values()), 'ligne', 'lignes')} de {count(len(rows), 'table', 'tables')} "
        f"dans {where}. À remettre à la personne{NBSP}: tout le dossier.",
        soft_wrap=True,
    )
    late = " Ce délai est passé." if due < at else ""
    out.print(
        f"La loi donne 30 jours{NBSP}: répondre au plus tard le {day(due)}.{late}", soft_wrap=True
    )


@app.command(
    "effacer",
    help="Effacer une personne, et garder sans elle ce que la loi demande. "
    "Sans --appliquer, rien n’est changé.",
)
def erase(
    key: Key,
    apply: Annotated[bool, typer.Option("--appliquer", help="Effacer, sans retour.")] = False,
    as_json: AsJson = False,
) -> None:
    at = utc_now()
    with opened() as store:
        with store.read() as session:
            contact = contacts.named(session, key, or_removed=True)
            who = persons.person(session, contact)
            planned, hindrance = erasure.plan(session, who), erasure.obstacle(session, who)
        if contact.erased_at is not None and not who.addresses:
            stop(f"Le contact {contact.id} est déjà effacé, depuis le {day(contact.erased_at)}.")
        if hindrance is not None:
            stop(refusal(*hindrance))
        left = _erased(store, who, at=at) if apply else None
    if as_json:
        rows = {one.table: asdict(one) for one in planned}
        print_json({"contacts": who.contacts, "fait": apply, "tables": rows, "fichiers": left})
    else:
        _say_erased(who, planned, apply=apply, left=left)
    raise typer.Exit(1 if left else 0)


def _erased(store: Database, who: Person, *, at: datetime) -> list[str] | None:
    """Erase; the files in which the address still stands, None on PostgreSQL."""
    try:
        with store.write() as session:
            erasure.erase(session, who, reason=erased.ERASED, at=at, by=staff())
    except ErasureRefused as error:
        stop(refusal(error.obstacle, error.letter_id))
    if not retention.rewrite(store, at=at):
        stop(
            "La personne est effacée des tables, mais les fichiers de la base de données n’ont pas "
            "pu être récrits (disque plein, ou un autre programme les lit). Le service essaiera de "
            f"nouveau cette nuit; ou, maintenant{NBSP}: alertes personne conservation --appliquer"
        )
    needles = [one.encode() for one in spellings(who.addresses)]
    found = wiping.places(store, needles)
    return None if found is None else [str(path) for path in found]


def _say_erased(
    who: Person, planned: list[Planned], *, apply: bool, left: list[str] | None
) -> None:
    which = ", ".join(str(one) for one in who.contacts)
    done = "Effacé" if apply else "Ce serait effacé"
    out.print(f"{done}{NBSP}: contact {which}. Adresses{NBSP}: {', '.join(who.addresses)}")
    for one in planned:
        out.print(f"  {one.table}{NBSP}: {becomes(one)}", soft_wrap=True)
    if left:
        out.print(f"L’adresse est encore dans {', '.join(left)}.", soft_wrap=True)
    elif left is not None:
        out.print("Vérifié\u00a0: l’adresse n’est plus dans les tables ni dans leurs fichiers.")
    elif apply:
        out.print(
            "Les tables ont été récrites sans la personne. Le journal de PostgreSQL (WAL) la garde "
            "jusqu’à ce que le serveur le recycle.",
            soft_wrap=True,
        )
    out.print(
        "Ne sont pas touchés\u00a0: les copies de sauvegarde (à détruire en 35 jours au plus), "
        "la boîte des retours et les journaux du serveur de courriel. Voir docs/privacy.md.",
        soft_wrap=True,
    )
    if not apply:
        out.print("C’était un essai\u00a0: rien n’a été changé. Pour effacer, ajouter --appliquer.")


@app.command(
    "conservation",
    help="Combien de temps chaque chose est gardée, et ce qui est échu. "
    "Le service l’applique chaque nuit; --appliquer le fait maintenant.",
)
def limits(
    apply: Annotated[bool, typer.Option("--appliquer", help="Effacer ce qui est échu.")] = False,
    as_json: AsJson = False,
) -> None:
    at, done = utc_now(), True
    with opened() as store:
        with store.read() as session:
            due = retention.due(session, at=at)
        if apply:
            retention.keep_to_limits(store, at=at)
            done = retention.rewrite(store, at=at)
    if as_json:
        print_json(
            {
                "fait": apply,
                "limites": [
                    {"table": one.kept.table, "apres": str(one.limit.term), "lignes": one.rows}
                    for one in due
                ],
            }
        )
        return
    for table in dict.fromkeys(one.kept.table for one in due):
        ours = [one for one in due if one.kept.table == table]
        over = sum(one.rows for one in ours)
        said = f"{count(over, 'ligne échue', 'lignes échues')}" if over else "rien d’échu"
        out.print(f"{ours[0].kept.title}{NBSP}: {ours[0].kept.retention} {said}.", soft_wrap=True)
    if apply and not done:
        stop("Les fichiers de la base de données n’ont pas pu être récrits. Recommencer plus tard.")
    out.print("C’est fait." if apply else "Rien n’a été changé.")


@app.command(
    "readmettre",
    help="Écrire de nouveau à une adresse effacée ou désabonnée, à la demande de la personne.",
)
def readmit(
    address: Annotated[str, typer.Argument(metavar="ADRESSE")],
    evidence: Annotated[
        str, typer.Option("--preuve", help="Où est sa demande\u00a0: date, formulaire.")
    ],
) -> None:
    if not evidence.strip():
        raise typer.BadParameter("Dire où est sa demande.", param_hint="--preuve")
    try:
        wanted = normalised(address)
    except AddressRefused:
        stop(f"«{NBSP}{address}{NBSP}» n’est pas une adresse courriel.")
    at = utc_now()
    with opened() as store, store.write() as session:
        live = select(Contact).where(Contact.address == wanted, Contact.ended_at.is_(None))
        contact = session.scalar(live)
        barred = _barred(session, wanted)
        # What a server or a complaint bars stays: only the person's own wish is taken back.
        own = barred <= {erased.ERASED, erased.UNSUBSCRIBED}
        back = _subscribed_again(session, contact, evidence, at) if own and contact else False
        if not own or not (barred or back):
            stop("Cette adresse n’est ni effacée ni désabonnée. Rien n’a été changé.")
        suppressions.lift(session, wanted, at=at)
        _note(session, contact, "personne readmettre", {"preuve": evidence})
    done = (
        f"Réabonné, avec les mêmes choix qu’avant. Les changer{NBSP}: alertes abonnements modifier"
        if back
        else "L’adresse peut servir de nouveau. Inscrire le contact et son consentement\u00a0: "
        "alertes membres importer"
    )
    out.print(done, soft_wrap=True)


def _subscribed_again(session: Session, contact: Contact, evidence: str, at: datetime) -> bool:
    """Who left is subscribed as before, by the consent that it gives with its request."""
    if wishes.come_back(session, contact.id, origin=Origin.STAFF, at=at) is None:
        return False
    consent.record(
        session, contact.id, Basis.EXPRESS, starts_at=at, at=at, by=staff(), evidence=evidence
    )
    return True


def _barred(session: Session, address: str) -> set[str]:
    """Why no letter may leave for it."""
    hidden = list(erased.digests(session, [address]))
    reasons = session.scalars(
        select(Suppression.reason).where(
            (Suppression.address == address) | Suppression.digest.in_(hidden),
            Suppression.lifted_at.is_(None),
        )
    )
    return set(reasons)


def _note(
    session: Session,
    contact: Contact | None,
    action: str,
    after: dict[str, Any] | None = None,
) -> None:
    """Every look at a person's file leaves a trace (Loi 25: who saw what)."""
    subject = f"contact:{contact.id}" if contact else "adresse"
    audit.record(session, at=utc_now(), who=staff(), action=action, subject=subject, after=after)
