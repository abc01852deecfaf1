"""Real releases of the samples, as their reader gives them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sources import seao
from sources.release import Release

SAMPLES = Path(__file__).parent.parent / "samples" / "seao"
DOCUMENTS = tuple(sorted(SAMPLES.glob("*hebdo_*.json")))


@cache
def releases() -> tuple[Release, ...]:
    """Every call of the samples, open or cancelled."""
    found = [r for path in DOCUMENTS for r in seao.read(path.read_bytes())]
    return tuple(r for r in found if isinstance(r, Release))
