"""Which sources are asked, and where, by the settings."""

from __future__ import annotations

from base.settings import Sources
from sources import catalogue
from sources.catalogue import Source


def configured() -> tuple[Source, ...]:
    """The catalogue's sources, at the addresses of the settings."""
    settings = Sources.read()
    return catalogue.configured(
        {"seao": settings.seao_package_url, "seao_search": settings.seao_search_url},
        off=() if settings.federal_notices else ("canadabuys",),
    )
