"""The catalogue of sectors that members choose from: a readable TOML that staff can edit."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from base.text import fold
from subscriptions.errors import CatalogueInvalid

#: The catalogue that ships with the service.
DEFAULT = Path(__file__).with_name("sectors.toml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sector:
    """One entry; how the words and codes are used is alerts.classification's business."""

    slug: str
    label: str
    description: str
    #: Precise UNSPSC prefixes: strong evidence by themselves.
    unspsc: tuple[str, ...]
    #: Broad or misused prefixes: weak evidence, to be confirmed by a word.
    broad_unspsc: tuple[str, ...]
    #: SEAO categories where the sector is found; never enough by themselves.
    seao: tuple[str, ...]
    keywords: tuple[str, ...]
    exclusions: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """All sectors, in the file's order."""

    sectors: tuple[Sector, ...]

    def __iter__(self) -> Iterator[Sector]:
        return iter(self.sectors)

    @cached_property
    def _names(self) -> dict[str, Sector]:
        by_label = {fold(s.label): s for s in self.sectors}
        return by_label | {fold(s.slug): s for s in self.sectors}

    def find(self, name: str) -> Sector | None:
        """The sector of that slug or French label, whatever its accents and capitals."""
        return self._names.get(fold(name))

    def label(self, slug: str) -> str:
        """The label of a slug; the slug itself where the catalogue no longer has it."""
        sector = self.find(slug)
        return sector.label if sector else slug


def load(path: Path = DEFAULT) -> Catalogue:
    """Read a catalogue.

    Raises:
        CatalogueInvalid: the file is no TOML, an entry lacks a field, or a slug or label is twice.
    """
    try:
        entries = tomllib.loads(path.read_text("utf-8"))["secteur"]
        sectors = tuple(_sector(entry) for entry in entries)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CatalogueInvalid(f"{path.name}: {error!r}") from error
    for name in ("slug", "label"):
        seen = [fold(getattr(sector, name)) for sector in sectors]
        twice = sorted({value for value in seen if seen.count(value) > 1})
        if twice:
            raise CatalogueInvalid(f"{path.name}: {name} twice: {', '.join(twice)}")
    return Catalogue(sectors)


def _sector(entry: dict[str, object]) -> Sector:
    return Sector(
        slug=_word(entry["slug"]),
        label=_word(entry["libelle"]),
        description=_word(entry["description"]),
        unspsc=_words(entry["unspsc"]),
        broad_unspsc=_words(entry["unspsc_larges"]),
        seao=_words(entry["seao"]),
        keywords=_words(entry["mots_cles"]),
        exclusions=_words(entry["exclure"]),
    )


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"a text is due, not {value!r}")
    return value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"a list of texts is due, not {value!r}")
    return tuple(_word(v) for v in value)
