"""OCDS releases for tests: the official example, and honest edits of it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from sources import ocds
from sources.release import Fault, PassedOver, Release

DATA = Path(__file__).parent / "sources" / "data" / "ocds"
EXAMPLE = DATA / "ocp_sample_ocds-213czf-000-00001-02-tender.json"


def release(**changes: Any) -> dict[str, Any]:
    """The official example's call, with members replaced; tender's by "tender_<name>"."""
    made = copy.deepcopy(json.loads(EXAMPLE.read_text("utf-8"))["releases"][0])
    for key, value in changes.items():
        place, name = (made["tender"], key[7:]) if key.startswith("tender_") else (made, key)
        if value is ...:
            place.pop(name, None)
        else:
            place[name] = value
    return made  # type: ignore[no-any-return]


def package(*releases: object) -> bytes:
    return json.dumps({"version": "1.1", "releases": releases}).encode()


def read_one(**changes: Any) -> Release | Fault | PassedOver:
    (result,) = ocds.read(package(release(**changes)))
    return result


def read_release(**changes: Any) -> Release:
    result = read_one(**changes)
    assert isinstance(result, Release), result
    return result


ONE = json.dumps(release()).encode()
OTHER = json.dumps(release(ocid="ocds-213czf-000-00002")).encode()
