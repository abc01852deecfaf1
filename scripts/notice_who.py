"""`alertes avis qui NUMERO`: everyone who was told of a notice, and entitled by what."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from alerts.proof import Interval
from alerts.recipients import Recipient, members_told, recipients
from alerts.tables import Kind
from base.french import NBSP, count
from scripts import told_words as words
from scripts.console import opened, out, print_json, stop
from sources import tenders

HELP = "Dire qui a été avisé d’un avis, quand, et en vertu de quelle adhésion."


def command(
    number: Annotated[
        str, typer.Argument(metavar="NUMERO", help="Numéro du SEAO, ou identifiant (ocid).")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    with opened() as store, store.read() as session:
        calls = [
            (ids, _titled(session, ids), recipients(session, ids))
            for ids in tenders.named(session, number)
        ]
    if as_json:
        print_json({"notice": number, "calls": [_in_json(*one) for one in calls]})
        return
    if not calls:
        stop(f"Aucune source n’a montré l’avis {number.strip()}. Vérifier son numéro.")
    for _, (title, buyer), found in calls:
        out.print(f"Avis {number.strip()}{NBSP}: {title} ({buyer})", soft_wrap=True)
        _print(found)


def _titled(session: Session, ids: list[int]) -> tuple[str, str]:
    latest = tenders.histories(session, ids)[-1][1]
    return latest.title, latest.buyer


def _print(found: list[Recipient]) -> None:
    told = [one for one in found if one.is_told]
    contacts = count(len({one.contact_id for one in told}), "contact avisé", "contacts avisés")
    out.print(
        f"{contacts}, de {count(members_told(found), 'entreprise', 'entreprises')}.",
        soft_wrap=True,
    )
    others = Counter(words.became(one.state, one.why) for one in found if not one.is_told)
    for state, number in others.most_common():
        out.print(f"{count(number, 'lettre', 'lettres')} de plus{NBSP}: {state}.", soft_wrap=True)
    if found:
        out.print(_table(found))
        out.print(f"Un contact qui n’y est pas{NBSP}: alertes pourquoi CONTACT AVIS")


def _table(found: list[Recipient]) -> Table:
    table = Table("Contact", "Lettre, et réponse du serveur")
    table.add_column("Adhésion", min_width=16)
    for one in found:
        kind = "" if one.kind == Kind.NEW else f" ({words.KINDS[one.kind]})"
        when = words.stamp(one.settled_at or one.written_at)
        letter = f"{one.letter_id}{kind} {words.became(one.state, one.why)}, {when}"
        table.add_row(
            f"{one.contact_id} {one.contact or one.address}\n{one.member}",
            f"{letter}\n{one.reply}".strip(),
            words.interval(one.membership),
        )
    return table


def _in_json(ids: list[int], titled: tuple[str, str], found: list[Recipient]) -> dict[str, Any]:
    return {
        "tenders": ids,
        "title": titled[0],
        "buyer": titled[1],
        "members_told": members_told(found),
        "recipients": [
            {
                "contact": one.contact_id,
                "name": one.contact,
                "address": one.address,
                "member": one.member,
                "kind": one.kind,
                "letter": one.letter_id,
                "edition": one.edition,
                "state": one.state,
                "why": one.why,
                "guarded_at": one.guarded_at,
                "settled_at": one.settled_at,
                "membership": interval_in_json(one.membership),
                "reply": one.reply,
            }
            for one in found
        ],
    }


def interval_in_json(membership: Interval | None) -> dict[str, Any] | None:
    """The interval of a membership as an object."""
    if membership is None:
        return None
    return {
        "id": membership.id,
        "starts_at": membership.starts_at,
        "ends_at": membership.ends_at,
        "recorded_at": membership.recorded_at,
        "recorded_by": membership.recorded_by,
    }
