"""A fresh link, mailed only to the address we know; one answer for any input."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from base.clock import utc_now
from pages import forms
from pages.site import Site, site_of
from subscriptions import events, moving
from subscriptions.addresses import normalised
from subscriptions.errors import AddressRefused, LinkRefused
from subscriptions.links import Purpose
from subscriptions.tables import Contact


async def ask(request: Request) -> Response:
    """GET shows a form for the address; POST owes its holder a link, if it has one.

    The row is written and the page is the same whether the address is known or not.
    """
    site = site_of(request)
    if request.method != "POST":
        return site.page("fresh_link.html")
    fields = await forms.read(request, site)
    return await run_in_threadpool(_by_address, site, fields.one("adresse"), utc_now())


def by_token(site: Site, token: str, at: datetime) -> Response:
    """The same for who holds a link that is too old: nothing to type.

    The token says whose it was; it need only have been signed by us.
    """
    try:
        ticket = site.links.read(Purpose.CHANGE, token, at, expired=True)
    except LinkRefused:
        ticket = None
    with site.write() as session:
        contact_id = None
        if ticket is not None:
            contact_id = session.scalar(
                select(Contact.id).where(
                    Contact.public_id == ticket.public_id, Contact.ended_at.is_(None)
                )
            )
        events.ask_link(session, contact_id, at=at)
    return site.page("link_asked.html")


def _by_address(site: Site, typed: str, at: datetime) -> Response:
    try:
        address = normalised(typed[:1000])
    except AddressRefused:
        address = ""
    with site.write() as session:
        contact = moving.holder(session, address)
        events.ask_link(session, contact.id if contact else None, at=at)
    return site.page("link_asked.html")
