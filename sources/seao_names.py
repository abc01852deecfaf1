"""SEAO's two sources, by their keys in the catalogue: the weekly file, and the search."""

from __future__ import annotations

WEEKLY = "seao"
SEARCH = "seao_search"
