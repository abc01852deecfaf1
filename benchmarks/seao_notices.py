"""Real notices of 2018 to 2021 (samples/seao), of which generated files and databases are made."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "seao" / "avis_2018_2021.csv.gz"


@dataclass(frozen=True, slots=True)
class Notice:
    """A real notice of 2018-2021, as sampled."""

    title: str
    buyer: str
    municipal: str
    nature: str
    category: str
    category_label: str
    unspsc: str
    unspsc_label: str


@cache
def notices() -> tuple[Notice, ...]:
    """The sampled notices."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8", newline="") as lines:
        return tuple(Notice(**row) for row in csv.DictReader(lines))


def items(notice: Notice) -> Iterator[dict[str, Any]]:
    """None or one; the code's label as published where it was seen, else the category's."""
    if not notice.category:
        return
    item: dict[str, Any] = {
        "id": notice.category,
        "description": f"{notice.category} - {notice.category_label}",
    }
    if notice.unspsc:
        label = notice.unspsc_label or notice.category_label
        item["classification"] = {"scheme": "UNSPSC", "id": notice.unspsc, "description": label}
    yield item
