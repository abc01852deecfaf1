"""`alertes membres ajouter, modifier, terminer, retablir, voir`: one enterprise at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from base.clock import quebec_day, utc_now
from base.french import NBSP
from scripts import enterprises
from scripts.changes_words import day_of, hand, refusals_told, text_of
from scripts.console import opened, out, print_json
from scripts.members_report import table
from subscriptions import cells, editing, members
from subscriptions.editing import Days
from subscriptions.stretches import last_day, midnight
from subscriptions.tables import Contact, Member, Membership

Key = Annotated[str, typer.Argument(metavar="ENTREPRISE", help="Numéro, nom ou partie du nom.")]
Phone = Annotated[str | None, typer.Option("--telephone", help="Vide : plus de numéro.")]
Why = Annotated[str, typer.Option("--motif", help="Pourquoi, pour qui relira.")]
AsJson = Annotated[bool, typer.Option("--json", help="Un objet JSON.")]
First = Annotated[
    str | None, typer.Option("--debut", metavar="DATE", help="Premier jour, passé ou à venir.")
]
Last = Annotated[
    str | None, typer.Option("--fin", metavar="DATE", help="Dernier jour, inclus. Vide : sans fin.")
]


def add(
    name: Annotated[str, typer.Argument(metavar="NOM", help="Le nom de l’entreprise.")],
    *,
    telephone: Phone = None,
    first: First = None,
    last: Last = None,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    at = utc_now()
    called = text_of(name, cells.enterprise, "NOM")
    days = Days(day_of(first, "--debut") or quebec_day(at), day_of(last, "--fin"))
    with opened(create=True) as store, refusals_told(), store.write() as session:
        member = editing.add(
            session,
            called,
            telephone=text_of(telephone or "", cells.telephone, "--telephone") or "",
            days=days,
            reason=why,
            hand=hand("membres ajouter", at),
        )
        lines = _state(session, member, at, as_json=as_json)
    _print(lines)
    if not as_json:
        out.print(f"Ajouter un contact{NBSP}: alertes contacts ajouter {member.id} ADRESSE")


def modify(
    key: Key,
    *,
    name: Annotated[str | None, typer.Option("--nom", help="Le nouveau nom.")] = None,
    telephone: Phone = None,
    first: First = None,
    last: Last = None,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    if name is telephone is first is last is None:
        raise typer.BadParameter("Indiquer ce qui change (voir --help).")
    at = utc_now()
    by = hand("membres modifier", at)
    called = text_of(name, cells.enterprise, "--nom") if name is not None else None
    phone = text_of(telephone, cells.telephone, "--telephone") if telephone is not None else None
    starts_on, ends_on = day_of(first, "--debut"), day_of(last, "--fin")
    with opened() as store, refusals_told(), store.write() as session:
        member = enterprises.named(session, key)
        number = None if telephone is None else phone or ""
        editing.rename(session, member, name=called, telephone=number, hand=by)
        if first or last is not None:
            editing.redate(
                session,
                member,
                first=starts_on,
                last=ends_on,
                endless=last is not None and ends_on is None,
                reason=why,
                hand=by,
            )
        lines = _state(session, member, at, as_json=as_json)
    _print(lines)


def end(
    key: Key,
    *,
    last: Annotated[
        str | None,
        typer.Option(
            "--dernier-jour",
            metavar="DATE",
            help="Le dernier jour de l’adhésion, passé ou à venir. Sans lui : dès maintenant.",
        ),
    ] = None,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    at = utc_now()
    day_ = day_of(last, "--dernier-jour")
    with opened() as store, refusals_told(), store.write() as session:
        member = enterprises.named(session, key)
        editing.end(session, member, last=day_, reason=why, hand=hand("membres terminer", at))
        lines = _state(session, member, at, as_json=as_json)
    _print(lines)


def reinstate(
    key: Key,
    *,
    first: Annotated[
        str | None,
        typer.Option("--des", metavar="DATE", help="Premier jour. Sans lui : aujourd’hui."),
    ] = None,
    last: Last = None,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    at = utc_now()
    starts_on, ends_on = day_of(first, "--des"), day_of(last, "--fin")
    with opened() as store, refusals_told(), store.write() as session:
        member = enterprises.named(session, key)
        editing.reinstate(
            session,
            member,
            first=starts_on,
            last=ends_on,
            reason=why,
            hand=hand("membres retablir", at),
        )
        lines = _state(session, member, at, as_json=as_json)
    _print(lines)


def show(
    key: Key,
    *,
    known_on: Annotated[
        str | None,
        typer.Option("--su-le", metavar="DATE", help="Ce qui était su à la fin de ce jour."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    at = utc_now()
    asked = day_of(known_on, "--su-le")
    known_at = min(midnight(asked + timedelta(days=1)), at) if asked else at
    with opened() as store, store.read() as session:
        member = enterprises.named(session, key)
        rows = members.memberships(session, member.id)
        contacts = session.scalars(
            select(Contact).where(Contact.member_id == member.id).order_by(Contact.id)
        ).all()
    if as_json:
        print_json(_in_json(member, rows, known_at))
        return
    known = [row for row in rows if _was_known(row, known_at)]
    _print(_told(member, known, known_at))
    earlier = [row for row in rows if row not in known]
    if earlier and asked is None:
        out.print("Ce qui était su avant, et ne l’est plus :")
        headings = ("Du", "Au (inclus)", "Inscrit le", "Par", "Remplacé le")
        out.print(table(headings, [(*_row(r)[:4], _date(r.superseded_at)) for r in earlier]))
    if contacts:
        out.print("Contacts :")
        listed = [(str(c.id), c.name, c.address, _date(c.ended_at)) for c in contacts]
        out.print(table(("No", "Nom", "Courriel", "Retiré le"), listed))


def _state(session: Session, member: Member, at: datetime, *, as_json: bool) -> list[object]:
    rows = members.memberships(session, member.id)
    if as_json:
        return [_in_json(member, rows, at)]
    return _told(member, [r for r in rows if r.superseded_at is None], at)


def _told(member: Member, known: list[Membership], at: datetime) -> list[object]:
    holds = any(r.starts_at <= at and (r.ends_at is None or r.ends_at > at) for r in known)
    active = "active" if holds else "non active"
    phone = f", {member.telephone}" if member.telephone else ""
    lines: list[object] = [f"{member.id} {member.name}{phone}{NBSP}: adhésion {active}"]
    if known:
        lines.append(table(("Du", "Au (inclus)", "Inscrit le", "Par", "Motif"), map(_row, known)))
    return lines


def _row(row: Membership) -> tuple[str, str, str, str, str]:
    last = last_day(row.ends_at).isoformat() if row.ends_at else "sans fin"
    if row.ends_at == row.starts_at:
        last = "aucun jour"
    reason = "import annulé" if row.reason == "import undone" else row.reason
    return _date(row.starts_at), last, _date(row.recorded_at), row.recorded_by, reason


def _date(moment: datetime | None) -> str:
    return quebec_day(moment).isoformat() if moment else ""


def _was_known(row: Membership, at: datetime) -> bool:
    return row.recorded_at <= at and (row.superseded_at is None or row.superseded_at > at)


def _print(lines: list[object]) -> None:
    for line in lines:
        if isinstance(line, dict):
            print_json(line)
            continue
        out.print(line, soft_wrap=isinstance(line, str))


def _in_json(member: Member, rows: list[Membership], known_at: datetime) -> dict[str, object]:
    return {
        "id": member.id,
        "name": member.name,
        "telephone": member.telephone,
        "known_at": known_at.isoformat(),
        "memberships": [
            {
                "id": r.id,
                "starts_at": r.starts_at.isoformat(),
                "ends_at": r.ends_at.isoformat() if r.ends_at else None,
                "recorded_at": r.recorded_at.isoformat(),
                "recorded_by": r.recorded_by,
                "reason": r.reason,
                "superseded_at": r.superseded_at.isoformat() if r.superseded_at else None,
                "known": _was_known(r, known_at),
            }
            for r in rows
        ],
    }
