"""The sources and the formats they are read in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sources import canadabuys, feed, ocds, seao, seao_search
from sources.release import Reader

#: Every format by the name that `--format` takes.
READERS: Mapping[str, Reader] = {
    "seao": seao.read,
    "seao_search": seao_search.read,
    "canadabuys": canadabuys.read,
    "feed": feed.read,
    "ocds": ocds.read,
}

_FILE = Path(__file__).with_name("sources.toml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One line of the catalogue."""

    key: str
    #: As letters name it.
    name: str
    #: A key of `READERS`.
    format: str
    #: How often it publishes.
    rhythm: str
    licence: str
    #: Who must be named with what is taken from it.
    attribution: str

    @property
    def reader(self) -> Reader:
        """The function that reads its documents."""
        return READERS[self.format]


@lru_cache(maxsize=1)
def load() -> Mapping[str, Source]:
    """The catalogue, by key, from the packaged file."""
    tables = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {key: Source(key=key, **table) for key, table in tables.items()}
