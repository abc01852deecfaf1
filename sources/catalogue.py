"""The sources and the formats they are read in."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

#: Every format, as `--format` names it; `sources.readers` has the reader of each.
FORMATS = ("seao", "seao_search", "canadabuys", "feed", "ocds", "invitations")

_FILE = Path(__file__).with_name("sources.toml")


class Access(StrEnum):
    """How a source's documents are reached."""

    #: Each address is a CKAN package_show that lists weekly files.
    CKAN = "ckan"
    #: Each address is a document.
    DOCUMENT = "document"
    #: Each address is SEAO's search, asked page by page.
    SEARCH = "search"
    #: Nobody is asked: staff enter what they were handed.
    STAFF = "staff"


class Rhythm(StrEnum):
    """How often a source publishes something new."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    #: Weeks without news are nothing special.
    IRREGULAR = "irregular"

    @property
    def working_days(self) -> int | None:
        """From one publication to the next; None where nothing is expected."""
        return {"daily": 1, "weekly": 5, "monthly": 22}.get(self.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a source is asked."""

    url: str
    #: Hours between two questions.
    every: int = 24
    #: True where the document lists all that is open, so that what is missing from it is gone.
    complete: bool = False
    #: As the source's, where its addresses differ.
    expected: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One entry of the catalogue."""

    key: str
    name: str
    #: As letters name it.
    short: str
    #: One of `FORMATS`.
    format: str
    access: Access
    rhythm: Rhythm
    licence: str
    #: Who must be named with what is taken from it, as letters write it.
    credit: str
    #: Releases that a document usually has; 0 where fewer mean nothing, as in a feed.
    expected: int = 0
    enabled: bool = True
    addresses: tuple[Address, ...] = ()

    def expected_at(self, url: str) -> int:
        """Releases that the document at that address usually has; 0 where fewer mean nothing."""
        found = [one.expected for one in self.addresses if one.url == url and one.expected]
        return found[0] if found else self.expected

    def complete_at(self, url: str) -> bool:
        """Whether the document at that address lists all that is open."""
        return any(one.url == url and one.complete for one in self.addresses)


@lru_cache(maxsize=1)
def load() -> Mapping[str, Source]:
    """The catalogue, by key, from the packaged file.

    Raises ValueError or TypeError where the file is not as this module says.
    """
    return parsed(_FILE.read_text(encoding="utf-8"))


def parsed(text: str) -> Mapping[str, Source]:
    """The catalogue that a text holds; see `load`."""
    return {key: _source(key, table) for key, table in tomllib.loads(text).items()}


def found(key: str) -> Source:
    """The source of that key; of a format's name, one that holds the files read by hand.

    Raises KeyError where it is neither.
    """
    known = load().get(key)
    if known is not None:
        return known
    if key not in FORMATS:
        raise KeyError(key)
    return Source(
        key=key,
        name=key,
        short=key,
        format=key,
        access=Access.STAFF,
        rhythm=Rhythm.IRREGULAR,
        licence="",
        credit="",
    )


def short_name(key: str) -> str:
    """A source as letters name it."""
    known = load().get(key)
    return known.short if known else key


def configured(
    urls: Mapping[str, str], *, off: Collection[str] = frozenset()
) -> tuple[Source, ...]:
    """The catalogue's sources in its order, the first address of some being that of the settings.

    One whose address there is "", or that is in `off`, is not asked.
    """
    chosen = {**urls, **dict.fromkeys(off, "")}
    return tuple(_at(one, chosen[one.key]) if one.key in chosen else one for one in load().values())


def _at(source: Source, url: str) -> Source:
    if not url:
        return replace(source, enabled=False)
    first, *rest = source.addresses
    return replace(source, enabled=True, addresses=(replace(first, url=url), *rest))


def _source(key: str, table: dict[str, Any]) -> Source:
    words = dict(table)
    addresses = tuple(Address(**one) for one in words.pop("addresses", ()))
    source = Source(
        key=key,
        access=Access(words.pop("access")),
        rhythm=Rhythm(words.pop("rhythm")),
        addresses=addresses,
        **words,
    )
    if source.format not in FORMATS:
        raise ValueError(f"{key}: no format {source.format}")
    if source.access is not Access.STAFF and not addresses:
        raise ValueError(f"{key}: no address")
    return source
