"""`alertes contacts …`: the mailboxes of an enterprise, one at a time."""

from __future__ import annotations

from typing import Annotated

import typer

from alerts import uniting
from alerts.leaving import withdraw_waiting
from alerts.tables import Why
from base.clock import utc_now
from base.french import NBSP
from scripts import contacts, enterprises
from scripts.agreement import agreed, somebody_is_there
from scripts.changes_words import day_of, hand, refusals_told, text_of
from scripts.console import err, opened, out, print_json, stop
from subscriptions import cells, mailboxes, sectors
from subscriptions.difference import NewConsent
from subscriptions.likeness import likenesses
from subscriptions.mailboxes import Asked, Outcome
from subscriptions.tables import Contact, Frequency
from subscriptions.wishes import Wishes

app = typer.Typer(help="Les contacts des entreprises membres.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="CONTACT", help="Numéro, adresse ou nom.")]
Name = Annotated[str | None, typer.Option("--nom", help="Le nom de la personne.")]
BasisName = Annotated[
    str | None,
    typer.Option("--base", help="Base de consentement : exprès, adhésion, achat, contrat, autre."),
]
Evidence = Annotated[str, typer.Option("--preuve", help="Où est la preuve du consentement.")]
Since = Annotated[
    str | None, typer.Option("--consenti-le", metavar="DATE", help="Sans lui : aujourd’hui.")
]
Yes = Annotated[bool, typer.Option("--oui", help="Ne pas demander.")]
AsJson = Annotated[bool, typer.Option("--json", help="Un objet JSON.")]

OUTCOMES: dict[Outcome, str] = {
    Outcome.KEPT: "son abonnement reste tel quel.",
    Outcome.TAKEN_OVER: "il reprend l’abonnement de l’autre.",
    Outcome.LEFT: "l’un des deux s’est désabonné : plus rien ne lui sera envoyé.",
    Outcome.NOTHING: "ni l’un ni l’autre n’a d’abonnement.",
}


@app.command("ajouter", help="Ajouter un contact à une entreprise; elle peut en avoir plusieurs.")
def add(
    key: Annotated[str, typer.Argument(metavar="ENTREPRISE", help="Numéro ou nom.")],
    typed: Annotated[str, typer.Argument(metavar="ADRESSE", help="Son courriel.")],
    *,
    named: Annotated[
        str, typer.Option("--secteurs", help="Noms ou codes, séparés par un point-virgule.")
    ],
    name: Name = None,
    frequency: Annotated[
        str, typer.Option("--frequence", help="hebdomadaire, quotidien ou dès la parution.")
    ] = "hebdomadaire",
    territory: Annotated[
        str,
        typer.Option(
            "--territoire", help="MRC ou municipalités, séparées par des points-virgules."
        ),
    ] = "",
    basis: BasisName = None,
    evidence: Evidence = "",
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    at = utc_now()
    address = text_of(typed, cells.address, "ADRESSE")
    asked = Asked(
        name=text_of(name, cells.name, "--nom") if name else None,
        wishes=Wishes(
            frequency=(
                text_of(frequency, cells.frequency, "--frequence") or Frequency.WEEKLY
            ).value,
            sectors=text_of(named, cells.sectors(sectors.load()), "--secteurs"),
            territory=text_of(territory, cells.names, "--territoire"),
        ),
        consent=_consent(basis, evidence, since),
    )
    with opened() as store, refusals_told(), store.write() as session:
        member = enterprises.named(session, key)
        others = contacts.live_addresses(session)
        by = hand("contacts ajouter", at)
        contact, subscribed = mailboxes.add(session, member, address, asked, hand=by)
    said = f"Ajouté à {member.name}{NBSP}: {_told(contact)}"
    _say(said, contact, as_json=as_json, subscribed=subscribed)
    _warn_of_likeness(address, others)
    if not subscribed:
        err.print(f"{address} s’est désabonné{NBSP}: son abonnement n’est pas rouvert.")
    elif asked.consent is None:
        err.print("Sans base de consentement, rien ne lui sera envoyé (option --base).")


@app.command("modifier", help="Corriger le nom ou l’adresse, inscrire une base de consentement.")
def modify(
    key: Key,
    *,
    name: Name = None,
    typed: Annotated[str | None, typer.Option("--adresse", help="Son nouveau courriel.")] = None,
    basis: BasisName = None,
    evidence: Evidence = "",
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    if name is typed is basis is None:
        raise typer.BadParameter("Indiquer ce qui change (voir --help).")
    at = utc_now()
    address = text_of(typed, cells.address, "--adresse") if typed is not None else None
    called = (text_of(name, cells.name, "--nom") or "") if name is not None else None
    asked = Asked(name=called, consent=_consent(basis, evidence, since))
    with opened() as store, refusals_told(), store.write() as session:
        contact = contacts.named(session, key)
        others = contacts.live_addresses(session) - {contact.address}
        by = hand("contacts modifier", at)
        mailboxes.correct(session, contact, asked, address=address, hand=by)
    _say(_told(contact), contact, as_json=as_json)
    if address is not None:
        _warn_of_likeness(address, others)


@app.command("retirer", help="Le contact n’est plus de l’entreprise; son histoire reste.")
def remove(key: Key, yes: Yes = False, as_json: AsJson = False) -> None:
    at = utc_now()
    with opened() as store:
        with store.read() as session:
            contact = contacts.named(session, key)
        _confirm(f"Retirer {_told(contact)}? Écrire oui pour confirmer", yes=yes)
        with refusals_told(), store.write() as session:
            contact = contacts.named(session, str(contact.id))
            mailboxes.remove(session, contact, hand=hand("contacts retirer", at))
            withdraw_waiting(session, contact.id, Why.SUBSCRIPTION, at=at)
    _say("Retiré. Rien ne lui sera envoyé.", contact, as_json=as_json)


@app.command("fusionner", help="Deux contacts d’une entreprise n’en font qu’un.")
def merge(
    kept_key: Annotated[str, typer.Argument(metavar="GARDÉ", help="Le contact qui reste.")],
    merged_key: Annotated[str, typer.Argument(metavar="AUTRE", help="Le contact en double.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    at = utc_now()
    with opened() as store:
        with store.read() as session, refusals_told():
            kept, merged = (contacts.named(session, k) for k in (kept_key, merged_key))
            found = mailboxes.outcome(session, kept, merged)
        # What will be is for whoever is asked, not for a script.
        err.print(f"Gardé{NBSP}: {_told(kept)}; {OUTCOMES[found]}", soft_wrap=True)
        err.print(
            f"Retiré{NBSP}: {_told(merged)}; son histoire et ses preuves restent.", soft_wrap=True
        )
        _confirm("Fusionner ces deux contacts? Écrire oui pour confirmer", yes=yes)
        with refusals_told(), store.write() as session:
            both = [contacts.named(session, str(one.id)) for one in (kept, merged)]
            uniting.merge(session, both[0], both[1], hand=hand("contacts fusionner", at))
            lacks = not contacts.may_be_written_to(session, kept.id, at)
    _say("Fusionnés.", kept, as_json=as_json, merged=merged.id, subscription=found.value)
    if lacks and found in {Outcome.KEPT, Outcome.TAKEN_OVER}:
        err.print(
            "Le contact gardé n’a pas de base de consentement : rien ne lui sera envoyé. "
            f"L’inscrire{NBSP}: alertes contacts modifier {kept.id} --base BASE"
        )


def _warn_of_likeness(address: str, others: frozenset[str]) -> None:
    near = likenesses([address], others).get(address)
    if near is not None:
        err.print(
            f"Attention, {address} ressemble à {near}. Vérifier que ce n’est pas une faute de "
            f"frappe. Pour corriger{NBSP}: alertes contacts modifier {address} --adresse ADRESSE",
            soft_wrap=True,
        )


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not somebody_is_there():
        stop("Personne n’est là pour confirmer : ajouter --oui. Rien n’a été changé.")
    if not agreed(question):
        raise typer.Abort


def _consent(basis: str | None, evidence: str, since: str | None) -> NewConsent | None:
    if basis is None:
        if evidence or since:
            raise typer.BadParameter("Indiquer aussi la base.", param_hint="--base")
        return None
    found = text_of(basis, cells.basis, "--base")
    proof = text_of(evidence, cells.evidence, "--preuve")
    return NewConsent(found, proof, day_of(since, "--consenti-le")) if found else None


def _say(sentence: str, contact: Contact, *, as_json: bool, **more: object) -> None:
    if not as_json:
        out.print(sentence, soft_wrap=True)
        return
    known = {"id": contact.id, "name": contact.name, "address": contact.address}
    print_json({**known, "member_id": contact.member_id, "ended_at": contact.ended_at, **more})


def _told(contact: Contact) -> str:
    who = f"{contact.name} <{contact.address}>" if contact.name else contact.address
    return f"{contact.id} {who}"
