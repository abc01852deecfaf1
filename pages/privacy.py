"""The privacy page (Loi 25), made from the inventory of what the database keeps."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from base.inventory import inventory
from pages.site import site_of


def privacy(request: Request) -> Response:
    """What is kept of a person; the same for everybody, without a link."""
    kept = [one for one in inventory() if one.personal]
    return site_of(request).page("privacy.html", kept=kept)
