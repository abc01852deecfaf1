"""The days that a weekly file tells of, by its name."""

from __future__ import annotations

import re
from datetime import date

_PERIOD = re.compile(r"([0-9]{8})_([0-9]{8})")


def period(name: str) -> tuple[date, date] | None:
    """The days that a file's name tells, "hebdo_20260914_20260920.json"; None where it does not."""
    match = _PERIOD.search(name)
    try:
        first, last = (date.fromisoformat(day) for day in match.groups()) if match else (None, None)
    except ValueError:
        return None
    return (first, last) if first and last and first <= last else None
