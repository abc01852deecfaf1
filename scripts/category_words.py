"""The French of what a contract buys."""

from __future__ import annotations

CATEGORIES = {"goods": "biens", "services": "services", "works": "travaux"}
