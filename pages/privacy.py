"""The privacy page (Loi 25), made from the inventory of what the database keeps."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from base.database import ROOT
from pages.site import site_of

INVENTORY = ROOT / "templates" / "pages" / "inventory.toml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One table: why it is kept, for how long, who sees it."""

    table: str
    title: str
    purpose: str
    retention: str
    access: str
    #: Fields about a person -> what they are, in French.
    personal: dict[str, str]
    #: All its other fields.
    technical: tuple[str, ...]


@cache
def inventory() -> tuple[Kept, ...]:
    """The inventory, in the file's order."""
    document = tomllib.loads(INVENTORY.read_text("utf-8"))
    return tuple(
        Kept(
            table=table,
            title=entry["titre"],
            purpose=entry["but"],
            retention=entry["duree"],
            access=entry["acces"],
            personal=dict(entry["personnel"]),
            technical=tuple(entry["technique"]),
        )
        for table, entry in document.items()
    )


def privacy(request: Request) -> Response:
    """What is kept of a person; the same for everybody, without a link."""
    kept = [one for one in inventory() if one.personal]
    return site_of(request).page("privacy.html", kept=kept)
