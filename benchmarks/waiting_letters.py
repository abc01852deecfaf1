"""Databases full of letters that wait for their turn, as `alerts.editions` leaves them.

Each of another contact of another member, entitled in every way, with its notices RESERVED in the
ledger. The bytes are the product's own, of the excerpt's real notices.
"""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from alerts import holds
from alerts.digest import Digest
from alerts.letter import Press, compose
from alerts.message_tables import Message
from alerts.tables import Edition, EditionState, Kind, Letter, LetterState, Told, ToldState
from base.database import Base, Database
from subscriptions.tables import Basis, Consent, Contact, Member, Membership, Origin, Subscription
from tests.coop import AT, LONG_AGO, tender
from tests.emails import gallery

#: Open calls that letters choose from, and digests that are drawn of them.
WINDOW, DIGESTS = 200, 40
#: Rows of one statement.
BATCH = 200
#: The number of the one edition that they are of.
EDITION = 1


def fill(database: Database, letters: int, notices: int, seed: int) -> int:
    """That many WRITTEN letters of so many notices each; the octets of all."""
    chosen = random.Random(seed)  # noqa: S311, no secret
    with database.write() as session:
        holds.release_first_run(session, by="benchmark", at=AT)
        session.add(_edition(letters, notices))
        revisions = [
            tender(session, f"{30000000 + number}", closes_at=AT + timedelta(days=8 + number % 20))[
                1
            ]
            for number in range(WINDOW)
        ]
        calls = {one.tender_id: (one.id, one.closes_at) for one in revisions}
        _people(session, letters)
    made = _letters(letters, notices, chosen)
    size = 0
    while batch := list(islice(made, BATCH)):
        size += sum(one["size"] for one in batch)
        with database.write() as session:
            octets = [{"id": one["id"], "content": one.pop("content")} for one in batch]
            session.execute(insert(Letter), batch)
            session.execute(insert(Message), octets)
            session.execute(insert(Told), list(_ledger(batch, calls, chosen)))
    return size


def _edition(letters: int, notices: int) -> Edition:
    return Edition(
        id=EDITION,
        frequency="weekly",
        label="2026-W39",
        starts_at=AT - timedelta(days=7),
        ends_at=AT,
        opened_at=AT,
        written_at=AT,
        state=EditionState.WRITTEN,
        letters=letters,
        notices=letters * notices,
    )


def _people(session: Session, number: int) -> None:
    known = {"recorded_at": LONG_AGO, "recorded_by": "benchmark", "starts_at": LONG_AGO}
    ids = range(1, number + 1)
    rows: dict[type[Base], dict[str, Any]] = {
        Member: {"created_at": AT},
        Membership: known,
        Contact: {"created_at": AT, "name": "Personne fictive"},
        Consent: known | {"basis": Basis.EXPRESS},
        Subscription: {
            "frequency": "weekly",
            "sectors": ["deneigement"],
            "started_at": LONG_AGO,
            "origin": Origin.ROSTER,
        },
    }
    own: dict[type[Base], Any] = {
        Member: lambda i: {"id": i, "name": f"Coop {i}", "name_key": f"coop {i}"},
        Membership: lambda i: {"member_id": i},
        Contact: lambda i: {
            "id": i,
            "member_id": i,
            "public_id": secrets.token_hex(8),
            "address": _address(i),
        },
        Consent: lambda i: {"contact_id": i},
        Subscription: lambda i: {"contact_id": i},
    }
    for table, values in rows.items():
        session.execute(insert(table), [values | own[table](i) for i in ids])
    assert session.scalar(select(func.count()).select_from(Contact)) == number  # noqa: S101


def _address(number: int) -> str:
    return f"lecteur{number}@exemple.quebec"


def _letters(number: int, notices: int, chosen: random.Random) -> Iterator[dict[str, Any]]:
    press = Press.of(gallery.SENDER)
    for i, digest in zip(range(1, number + 1), cycle(_digests(notices, chosen)), strict=False):
        key = f"digest:weekly:2026-W39:{i}"
        made = compose(press, digest, gallery.LINKS, recipient=_address(i), key=key, at=AT)
        yield {
            "id": i,
            "key": key,
            "edition_id": EDITION,
            "contact_id": i,
            "address": _address(i),
            "message_id": made.message_id,
            "content": made.content,
            "sha256": hashlib.sha256(made.content).hexdigest(),
            "size": len(made.content),
            "notices": notices,
            "state": LetterState.WRITTEN,
            "written_at": AT,
            "expires_at": AT + timedelta(hours=72),
            "next_attempt_at": AT,
        }


def _digests(notices: int, chosen: random.Random) -> list[Digest]:
    """Digests of real notices, each with titles and numbers of its own."""
    plain, real = gallery.CASES["tous-les-avis-reels"](), gallery.real_notices()
    found = []
    for number in range(DIGESTS):
        drawn = chosen.choices(real, k=notices)
        shown = tuple(
            replace(one, cluster_id=i, revision_id=i, number=f"{20160000 + i}")
            for i, one in enumerate(drawn, start=1 + number * notices)
        )
        found.append(replace(plain, contact_name=f"Personne fictive {number}", notices=shown))
    return found


def _ledger(
    batch: list[dict[str, Any]],
    calls: dict[int, tuple[int, datetime | None]],
    chosen: random.Random,
) -> Iterator[dict[str, Any]]:
    for one in batch:
        for cluster_id in chosen.sample(sorted(calls), one["notices"]):
            revision_id, closes_at = calls[cluster_id]
            yield {
                "contact_id": one["contact_id"],
                "cluster_id": cluster_id,
                "kind": Kind.NEW,
                "occasion": "-",
                "revision_id": revision_id,
                "letter_id": one["id"],
                "state": ToldState.RESERVED,
                "at": AT,
                "closes_at": closes_at,
                "reasons": [{"sector": "deneigement", "evidence": "« déneigement » dans le titre"}],
            }
