"""Rows of invented readers and of real calls for tenders, in bulk, as the service's tables ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from random import Random
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from base.database import Base, Database
from benchmarks.seao_notices import Notice, notices
from sources import places
from sources.tables import Reading, Revision, Tender
from subscriptions import sectors
from subscriptions.tables import Basis, Consent, Contact, Member, Membership, Origin, Subscription

#: Rows of one statement.
LOT = 10_000
#: Sectors that a reader declares.
SECTORS = 3


#: What a reader asks for: columns of its subscription.
Wishes = Callable[[Random], dict[str, Any]]


def three_sectors(chosen: Random) -> dict[str, Any]:
    """Sectors of the catalogue, as most readers declare them."""
    return {"sectors": chosen.sample(_slugs(), SECTORS)}


@cache
def _slugs() -> tuple[str, ...]:
    return tuple(sector.slug for sector in sectors.load())


def readers(
    database: Database,
    count: int,
    chosen: Random,
    since: datetime,
    wishes: Wishes = three_sectors,
) -> None:
    """So many contacts, each entitled since then, with a weekly subscription."""
    numbers = iter(range(1, count + 1))
    while lot := list(islice(numbers, LOT)):
        rows: dict[type[Base], list[dict[str, Any]]] = {}
        for number in lot:
            for table, row in reader(number, wishes(chosen), since):
                rows.setdefault(table, []).append(row)
        with database.write() as session:
            for table, every in rows.items():
                add(session, table, every)


def reader(
    number: int, asked: dict[str, Any], since: datetime
) -> Iterator[tuple[type[Base], dict[str, Any]]]:
    """One contact with all that entitles it."""
    name = f"Coop fictive {number}"
    known = {"recorded_at": since, "recorded_by": "essai"}
    yield Member, {"id": number, "name": name, "name_key": name.lower(), "created_at": since}
    yield Membership, {"id": number, "member_id": number, "starts_at": since, **known}
    yield (
        Contact,
        {
            "id": number,
            "public_id": f"{number:016x}",
            "member_id": number,
            "name": f"Personne fictive {number}",
            "address": f"contact{number}@exemple.quebec",
            "created_at": since,
        },
    )
    yield (
        Consent,
        {"contact_id": number, "basis": Basis.EXPRESS, "starts_at": since, **known},
    )
    yield (
        Subscription,
        {
            "contact_id": number,
            "frequency": "weekly",
            "started_at": since,
            "origin": Origin.ROSTER,
            **asked,
        },
    )


def calls(
    session: Session, count: int, chosen: Random, due: datetime, *, reading: int = 1
) -> range:
    """So many open calls with real titles and buyers, read at `due`; the ids of those made."""
    session.add(Reading(id=reading, source="seao", at=due, address=f"{reading}.json"))
    session.flush()
    first = (reading - 1) * count + 1
    tenders, revisions = [], []
    for number in range(first, first + count):
        notice = chosen.choice(notices())
        closes_at = due + timedelta(days=chosen.randint(5, 30), hours=5)
        tenders.append(_tender(number, due, closes_at))
        revisions.append(_revision(number, reading, notice, seen_at=due, closes_at=closes_at))
    add(session, Tender, tenders)
    add(session, Revision, revisions)
    return range(first, first + count)


def add(session: Session, table: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    """Insert them, so many a statement."""
    every = list(rows)
    for start in range(0, len(every), LOT):
        session.connection().execute(insert(table), every[start : start + LOT])


def _tender(number: int, seen_at: datetime, closes_at: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "source": "seao",
        "ocid": f"ocds-ec9k95-{20_000_000 + number}",
        "number": str(20_000_000 + number),
        "cluster_id": number,
        "first_seen_at": seen_at,
        "latest": 1,
        "status": "active",
        "closes_at": closes_at,
    }


def _revision(
    number: int, reading: int, notice: Notice, *, seen_at: datetime, closes_at: datetime
) -> dict[str, Any]:
    item = {"code": f"UNSPSC:{notice.unspsc}", "label": notice.unspsc_label}
    place = places.place(
        places.load(),
        buyer=notice.buyer,
        municipal=notice.municipal == "1",
        locality="",
        postal_code="",
    )
    return {
        "id": number,
        "tender_id": number,
        "number": 1,
        "reading_id": reading,
        "release_id": "20260914120024",
        "seen_at": seen_at,
        "published_at": seen_at - timedelta(days=number % 7),
        "changed_at": seen_at,
        "material_hash": f"{number:064x}",
        "status": "active",
        "title": notice.title,
        "buyer": notice.buyer,
        "buyer_id": "",
        "reference": "",
        "municipality": place.municipality,
        "mrc": place.mrc,
        "region": place.region,
        "place_basis": place.basis,
        "category": {"1": "goods", "2": "services", "3": "works"}.get(notice.nature, ""),
        "procurement_method_details": "Avis d’appel d’offres",
        "closes_at": closes_at,
        "items": [item] if notice.unspsc else [],
        "description": "",
        "documents": [],
        "uri": "https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId=1",
    }
