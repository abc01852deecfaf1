"""Single rows of the two years: a call, its revision, the relay's answer to a letter."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from benchmarks.seao_notices import Notice
from sources import places


def tender_row(number: int, seen_at: datetime, closes_at: datetime) -> dict[str, Any]:
    """A call that is open until then."""
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


def revision_row(
    number: int,
    *,
    reading: int,
    notice: Notice,
    place: places.Place,
    seen_at: datetime,
    closes_at: datetime,
) -> dict[str, Any]:
    """Its only revision, from a real notice."""
    item = {"code": f"UNSPSC:{notice.unspsc}", "label": notice.unspsc_label}
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


def attempt_row(letter: dict[str, Any]) -> dict[str, Any]:
    """The relay took charge of that letter."""
    return {
        "letter_id": letter["id"],
        "at": letter["settled_at"],
        "phase": "dot",
        "outcome": "accepted",
        "reply": letter["reply"],
    }
