"""Leaving: GET shows one button, POST acts (RFC 8058)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from base.clock import utc_now
from pages.site import Site, dead_link, site_of
from subscriptions import wishes
from subscriptions.errors import LinkRefused
from subscriptions.links import Purpose
from subscriptions.tables import Contact, Origin


def leave(request: Request) -> Response:
    """GET changes nothing: scanners of mail follow links. POST unsubscribes.

    The body is never read, so any body of any type and size will do, and no valid
    link is refused; the answer is the same for one who left already or was deleted.
    """
    site, at = site_of(request), utc_now()
    try:
        ticket = site.links.read(Purpose.LEAVE, request.path_params["token"], at)
    except LinkRefused:
        return dead_link(site)
    if request.method != "POST":
        return site.page("leave.html")
    _unsubscribe(site, ticket.public_id, at)
    return site.page("left.html")


def _unsubscribe(site: Site, public_id: str, at: datetime) -> None:
    with site.database.write() as session:
        contact_id = session.scalar(select(Contact.id).where(Contact.public_id == public_id))
        if contact_id is not None:
            wishes.unsubscribe(session, contact_id, origin=Origin.MEMBER.value, at=at)
