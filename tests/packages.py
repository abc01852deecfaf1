"""SEAO packages for tests: the real excerpts, and honest edits of their releases."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "seao"
SEPTEMBER = SAMPLES / "hebdo_20260914_20260920_extrait.json"
JULY = SAMPLES / "tendersentry_hebdo_20260720_20260726_extrait.json"
LISTING = SAMPLES / "ckan" / "ckan_package_show_extrait_202607.json"

#: « Contrat de déneigement… », Municipalité de Saint-Sylvère: tag tender, closes 28 September.
SNOW = "ocds-ec9k95-20169865"


def release(of: str = SNOW, /, **changes: Any) -> dict[str, Any]:
    """A copy of a real release, with members of it replaced; tender's by "tender_<name>".

    A member whose new value is `...` is taken out.
    """
    package = json.loads(SEPTEMBER.read_text(encoding="utf-8"))
    made = copy.deepcopy(next(one for one in package["releases"] if one["ocid"] == of))
    for key, value in changes.items():
        place, name = (made["tender"], key[7:]) if key.startswith("tender_") else (made, key)
        if value is ...:
            place.pop(name, None)
        else:
            place[name] = value
    return made


def closing(written: object) -> dict[str, object]:
    """A tenderPeriod with that endDate."""
    return {"startDate": "2026-09-14T08:00:24-04:00", "endDate": written}


def package(*releases: object) -> bytes:
    """A release package."""
    return json.dumps({"version": "1.1", "releases": releases}).encode()
