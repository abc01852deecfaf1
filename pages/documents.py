"""The documents of a reserved invitation, for the contacts of active members."""

from __future__ import annotations

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from base.clock import utc_now
from pages.notice import call_of
from pages.site import SECURITY, site_of
from sources.attachments import by_public_id


def document(request: Request) -> Response:
    """One document, to be saved: never shown within the pages' origin.

    404 where it is no document of that call: its address alone opens nothing.
    """
    site = site_of(request)
    with site.database.read() as session:
        found = call_of(site, session, request, utc_now())
        if isinstance(found, Response):
            return found
        kept = by_public_id(session, request.path_params["document"])
        if kept is None or kept.tender_id not in {tender.id for tender, _ in found[1].tenders}:
            raise HTTPException(404)
        name = f"attachment; filename*=UTF-8''{quote(kept.name, safe='')}"
        headers = {**SECURITY, "Content-Disposition": name}
        return Response(kept.content, media_type=kept.media_type, headers=headers)
