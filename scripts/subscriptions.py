"""`alertes abonnements …`: what a contact asked for, for who telephones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Annotated

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.leaving import leave
from alerts.own_words import looks_for_nothing
from base import audit
from base.clock import utc_now
from base.french import NBSP, count, day, listed
from base.text import clean
from scripts import contacts
from scripts.category_words import CATEGORIES
from scripts.console import err, moment, opened, out, staff, stop
from scripts.members_words import BASES
from scripts.subscriptions_words import ENDS, FREQUENCIES, NAMES, ORIGINS
from subscriptions import consent, sectors, wishes
from subscriptions.members import active_membership
from subscriptions.sectors import Catalogue
from subscriptions.tables import Contact, Member, Origin, Subscription, Via
from subscriptions.wishes import Wishes

app = typer.Typer(help="Ce que chaque contact a demandé.", no_args_is_help=True)

STAFF = Origin.STAFF.value

Key = Annotated[str, typer.Argument(metavar="CONTACT", help="Numéro, adresse ou nom.")]


@app.command("voir", help="Montrer l’adhésion, le consentement, l’abonnement et son histoire.")
def show(key: Key) -> None:
    at, catalogue = utc_now(), sectors.load()
    with opened() as store, store.read() as session:
        contact = contacts.named(session, key)
        lines = _state(session, contact, at)
        rows = wishes.history(session, contact.id)
        lines += [_told(row, catalogue) for row in rows] or [f"Abonnement{NBSP}: aucun"]
    for line in lines:
        out.print(line, soft_wrap=True)


@app.command("modifier", help='Changer ce que le contact demande. Vide ("") : plus rien.')
def modify(
    key: Key,
    *,
    frequency: Annotated[
        str | None, typer.Option("--frequence", help="hebdomadaire ou quotidien.")
    ] = None,
    named: Annotated[
        str | None, typer.Option("--secteurs", help="Noms ou codes, séparés par des virgules.")
    ] = None,
    territory: Annotated[
        str | None,
        typer.Option("--territoire", help="MRC ou municipalités, séparées par des virgules."),
    ] = None,
    words: Annotated[
        str | None, typer.Option("--mots", help="Ses mots-clés, séparés par des virgules.")
    ] = None,
    excluded: Annotated[
        str | None, typer.Option("--mots-exclus", help="Les mots dont il ne veut pas.")
    ] = None,
    kinds: Annotated[
        str | None, typer.Option("--genres", help="biens, services, travaux; vide : tous.")
    ] = None,
    days: Annotated[
        int | None,
        typer.Option("--jours-restants", min=0, max=60, help="Jours qu’un avis doit encore durer."),
    ] = None,
) -> None:
    if all(one is None for one in (frequency, named, territory, words, excluded, kinds, days)):
        raise typer.BadParameter("Indiquer ce qui change (voir --help).")
    _warn(words, excluded)

    def wished(old: Wishes) -> Wishes:
        return replace(
            old,
            frequency=old.frequency if frequency is None else _frequency(frequency),
            sectors=old.sectors if named is None else _sectors(named, sectors.load()),
            territory=old.territory if territory is None else _parts(territory),
            own_words=old.own_words if words is None else _parts(words),
            excluded_words=old.excluded_words if excluded is None else _parts(excluded),
            categories=old.categories if kinds is None else _categories(kinds),
            minimum_days_left=old.minimum_days_left if days is None else days,
        )

    _change(key, "abonnements modifier", wished)


@app.command("pause", help="Ne rien envoyer avant une date.")
def pause(
    key: Key,
    until: Annotated[
        str | None, typer.Option("--jusqu-au", metavar="DATE", help="Jusqu’à ce jour.")
    ] = None,
    days: Annotated[int, typer.Option("--jours", min=1, max=366, help="Ou pendant ce temps.")] = 30,
) -> None:
    at = utc_now()
    ends = moment(until, at, option="--jusqu-au") if until else at + timedelta(days=days)
    if ends <= at:
        raise typer.BadParameter("La date est déjà passée.", param_hint="--jusqu-au")
    _change(key, "abonnements pause", lambda old: replace(old, paused_until=ends))


@app.command("desabonner", help="Cesser tout envoi à ce contact.")
def unsubscribe(
    key: Key, yes: Annotated[bool, typer.Option("--oui", help="Ne pas demander.")] = False
) -> None:
    at = utc_now()
    with opened() as store:
        with store.read() as session:
            contact = contacts.named(session, key)
        if not yes:
            question = f"Désabonner {contact.address}? Écrire oui pour confirmer"
            if typer.prompt(question, default="non", err=True).strip().lower() not in {"o", "oui"}:
                raise typer.Abort
        with store.write() as session:
            left = leave(session, contact.id, via=Via.STAFF, at=at)
            if left:
                _record(session, contact, "abonnements desabonner", None, None, at=at)
    nothing = f"Aucun abonnement en cours{NBSP}: rien n’a changé."
    out.print("Désabonné." if left else nothing)


def _change(key: str, action: str, wished: Callable[[Wishes], Wishes]) -> None:
    at = utc_now()
    with opened() as store, store.write() as session:
        contact = contacts.named(session, key)
        current = wishes.live(session, contact.id)
        if current is None:
            stop("Aucun abonnement en cours\u00a0: rien n’a changé.")
        old = wishes.wishes_of(current)
        new = wished(old)
        changed = wishes.change(session, contact.id, new, origin=STAFF, at=at)
        if changed is None:
            stop("L’abonnement vient d’être changé par ailleurs\u00a0: réessayer.")
        if new != old:
            _record(session, contact, action, old, new, at=at)
        line = _told(changed, sectors.load())
    out.print(line, soft_wrap=True)


def _record(
    session: Session,
    contact: Contact,
    action: str,
    old: Wishes | None,
    new: Wishes | None,
    *,
    at: datetime,
) -> None:
    before, after = (_plain(w) if w else None for w in (old, new))
    subject = f"contact:{contact.id}"
    audit.record(
        session, at=at, who=staff(), action=action, subject=subject, before=before, after=after
    )


def _plain(asked: Wishes) -> dict[str, object]:
    until = asked.paused_until
    return asdict(asked) | {"paused_until": until.isoformat() if until else None}


def _state(session: Session, contact: Contact, at: datetime) -> list[str]:
    name = session.scalar(select(Member.name).where(Member.id == contact.member_id))
    active = active_membership(session, contact.member_id, at)
    basis = consent.holds(session, contact.id, at)
    why = (
        f"{BASES.get(basis.basis, basis.basis)}, depuis {day(basis.starts_at)}"
        if basis
        else "aucun"
    )
    return [
        f"Contact {contact.id}{NBSP}: {contact.name} <{contact.address}>, {name}",
        f"Adhésion{NBSP}: {'active' if active else 'aucune en cours'}",
        f"Consentement{NBSP}: {why}",
    ]


def _told(row: Subscription, catalogue: Catalogue) -> str:
    labels = listed([catalogue.label(s) for s in row.sectors]) or "aucun"
    told = (
        f"{day(row.started_at)} ({ORIGINS.get(row.origin, row.origin)}){NBSP}: "
        f"{NAMES.get(row.frequency, row.frequency)}; secteurs{NBSP}: {labels}; "
        f"territoire{NBSP}: {listed(row.territory) or 'partout'}"
    )
    if row.own_words:
        told += f"; mots-clés{NBSP}: {listed(row.own_words)}"
    if row.excluded_words:
        told += f"; mots exclus{NBSP}: {listed(row.excluded_words)}"
    if row.categories:
        told += f"; genres{NBSP}: {listed([CATEGORIES.get(c, c) for c in row.categories])}"
    if row.minimum_days_left:
        told += f"; encore {count(row.minimum_days_left, 'jour', 'jours')} au moins"
    if row.paused_until:
        told += f"; en pause jusqu’au {day(row.paused_until)}"
    if row.ended_at is None:
        return f"{told}; en cours"
    by = ORIGINS.get(row.end_origin, row.end_origin)
    return f"{told}; {ENDS.get(row.end_reason, row.end_reason)} {day(row.ended_at)} ({by})"


def _frequency(name: str) -> str:
    if name not in FREQUENCIES:
        message = f"«{NBSP}{name}{NBSP}» n’est pas une fréquence. Écrire hebdomadaire ou quotidien."
        raise typer.BadParameter(message, param_hint="--frequence")
    return FREQUENCIES[name]


def _sectors(named: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Labels may hold commas themselves: the longest name that is known is taken."""
    parts, slugs = list(_parts(named)), list[str]()
    while parts:
        tries = ((n, catalogue.find(", ".join(parts[:n]))) for n in range(len(parts), 0, -1))
        length, sector = next(((n, s) for n, s in tries if s), (0, None))
        if sector is None:
            raise typer.BadParameter(_unknown(parts[0], catalogue), param_hint="--secteurs")
        slugs.append(sector.slug)
        del parts[:length]
    if not slugs:
        raise typer.BadParameter("Indiquer au moins un secteur.", param_hint="--secteurs")
    return tuple(dict.fromkeys(slugs))


def _unknown(name: str, catalogue: Catalogue) -> str:
    near = get_close_matches(name, [n for s in catalogue for n in (s.label, s.slug)], 1)
    hint = f" Vouliez-vous dire «{NBSP}{near[0]}{NBSP}»?" if near else ""
    return f"Secteur inconnu{NBSP}: «{NBSP}{name}{NBSP}».{hint}"


def _categories(named: str) -> tuple[str, ...]:
    """OCDS categories by their French names."""
    by_name = {name: value for value, name in CATEGORIES.items()}
    for part in _parts(named):
        if part not in by_name:
            message = f"«{NBSP}{part}{NBSP}» n’est pas un genre. Écrire biens, services ou travaux."
            raise typer.BadParameter(message, param_hint="--genres")
    return tuple(by_name[part] for part in _parts(named))


def _warn(*typed: str | None) -> None:
    """Say which words look for nothing: they are kept, and harmless."""
    for word in (part for one in typed if one for part in _parts(one)):
        if looks_for_nothing(word):
            err.print(f"«{NBSP}{word}{NBSP}» est trop courant pour chercher quoi que ce soit.")


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in map(clean, text.split(",")) if part))
