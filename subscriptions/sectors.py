"""The catalogue of sectors that members choose from: a readable TOML that staff can edit."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from base.text import fold
from subscriptions.errors import CatalogueInvalid

#: The catalogue that ships with the service.
DEFAULT = Path(__file__).with_name("sectors.toml")


class Nature(StrEnum):
    """What is bought; the values are those of the catalogue's file."""

    GOODS = "biens"
    SERVICES = "services"
    WORKS = "travaux"
    #: Plans, engineering, supervision of works, laboratories.
    STUDIES = "etudes"


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
    #: Each says the sector by itself where it stands in a title.
    keywords: tuple[str, ...]
    #: Expressions that take a misleading keyword's force away.
    exclusions: tuple[str, ...]
    #: Expressions that take the weak keywords' force away, and leave the strong ones'.
    weak_exclusions: tuple[str, ...] = ()
    #: Words that say the sector only together with other evidence.
    weak_keywords: tuple[str, ...] = ()
    #: Names of places, which say the sector only where the place itself is run.
    places: tuple[str, ...] = ()
    #: What kinds of contract the sector takes: Nature values.
    natures: tuple[str, ...] = (Nature.SERVICES,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Contexts:
    """Words that tell what kind of contract a title announces, whatever its sector."""

    goods: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    #: Words that announce the running of a place: « gestion de », « exploitation de ».
    running: tuple[str, ...] = ()
    #: Words that announce whom a grant or an agreement is with: « entente », « aide financière ».
    agreements: tuple[str, ...] = ()
    #: Expressions whose words mean nothing of what they say: « mise en œuvre », « hôtel de ville ».
    masks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """All sectors, in the file's order."""

    sectors: tuple[Sector, ...]
    contexts: Contexts = Contexts()

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
        document = tomllib.loads(path.read_text("utf-8"))
        sectors = tuple(_sector(entry) for entry in document["secteur"])
        contexts = _contexts(document.get("contextes", {}))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise CatalogueInvalid(f"{path.name}: {error!r}") from error
    for name in ("slug", "label"):
        seen = [fold(getattr(sector, name)) for sector in sectors]
        twice = sorted({value for value in seen if seen.count(value) > 1})
        if twice:
            raise CatalogueInvalid(f"{path.name}: {name} twice: {', '.join(twice)}")
    return Catalogue(sectors, contexts)


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
        weak_exclusions=_words(entry.get("exclure_faibles", [])),
        weak_keywords=_words(entry.get("mots_faibles", [])),
        places=_words(entry.get("lieux", [])),
        natures=tuple(Nature(value) for value in _words(entry.get("natures", ["services"]))),
    )


def _contexts(entry: dict[str, object]) -> Contexts:
    return Contexts(
        goods=_words(entry.get("biens", [])),
        works=_words(entry.get("travaux", [])),
        studies=_words(entry.get("etudes", [])),
        services=_words(entry.get("services", [])),
        running=_words(entry.get("exploitation", [])),
        agreements=_words(entry.get("ententes", [])),
        masks=_words(entry.get("masques", [])),
    )


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"a text is due, not {value!r}")
    return value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"a list of texts is due, not {value!r}")
    return tuple(_word(v) for v in value)
