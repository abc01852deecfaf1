"""`alertes pourquoi CONTACT AVIS`: told when and by which letter, or not and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from alerts.classification import Lexicon
from alerts.explanation import Explanation
from alerts.inquiry import explained
from alerts.known import LetterFacts
from base.clock import utc_now
from base.french import NBSP
from scripts import contacts
from scripts.console import opened, out, print_json
from scripts.why_words import lines
from sources import tenders
from subscriptions import sectors

HELP = "Dire si et pourquoi un contact a été avisé d’un avis, ou non."


def command(
    key: Annotated[str, typer.Argument(metavar="CONTACT", help="Numéro, adresse ou nom.")],
    notice: Annotated[
        str, typer.Argument(metavar="AVIS", help="Numéro du SEAO, ou identifiant (ocid).")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    at, catalogue = utc_now(), sectors.load()
    with opened() as store, store.read() as session:
        contact = contacts.named(session, key, or_removed=True)
        lexicon = Lexicon.of(catalogue)
        found = [
            (ids, explained(session, lexicon, contact, ids, at=at))
            for ids in tenders.named(session, notice) or [[]]
        ]
        title = {ids[0]: _title(session, ids) for ids, _ in found if ids}
    if as_json:
        answers = [_in_json(one) | {"tenders": ids} for ids, one in found]
        print_json({"contact": contact.id, "notice": notice, "answers": answers})
        return
    for ids, one in found:
        out.print(f"{contact.name} <{contact.address}>", soft_wrap=True)
        named = title[ids[0]] if ids else ""
        out.print(f"Avis {notice.strip()}{NBSP}: {named or '(inconnu)'}", soft_wrap=True)
        for line in lines(one, catalogue, at):
            out.print(line, soft_wrap=True)


def _title(session: Session, ids: list[int]) -> str:
    return tenders.histories(session, ids[:1])[-1][1].title


def _in_json(found: Explanation) -> dict[str, Any]:
    return {
        "because": found.because.value,
        "at": found.at,
        "edition": found.edition,
        "seen_at": found.seen_at,
        "closes_at": found.closes_at,
        "why": found.why.value if found.why else None,
        "lacked": _missed(found),
        "letter": _letter(found.letter),
        "reasons": [{"sector": r.sector, "evidence": r.evidence} for r in found.reasons],
        "sectors": [one.sector for one in found.sectors],
        "again": found.again,
        "next_letter_at": found.waits.until if found.waits else None,
        "waits_because": found.waits.because if found.waits else None,
        "promoted": found.promoted,
    }


def _missed(found: Explanation) -> dict[str, Any] | None:
    miss = found.lacked
    return {"what": miss.lacked, "detail": miss.detail, "score": miss.score} if miss else None


def _letter(letter: LetterFacts | None) -> dict[str, Any] | None:
    if letter is None:
        return None
    return {
        "id": letter.id,
        "state": letter.state,
        "written_at": letter.written_at,
        "settled_at": letter.settled_at,
        "reply": letter.reply,
    }
