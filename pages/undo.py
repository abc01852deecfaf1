"""The links of the confirmations: undo what was done, move to another address.

Each is of one event and works once, for the hours that subscriptions.events says. GET shows a
button; POST acts, and answers a second press as the first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from base.clock import utc_now
from pages import forms
from pages.site import Site, dead_link, site_of
from subscriptions import events, moving
from subscriptions.addresses import normalised
from subscriptions.errors import AddressRefused, LinkRefused
from subscriptions.links import Purpose
from subscriptions.tables import Contact, Event, What

#: Addresses that one link to move may propose: a typing error or two.
MOST_PROPOSED = 3


def undo(request: Request) -> Response:
    """GET shows what would be put back, POST does it."""
    site, at = site_of(request), utc_now()
    if request.method != "POST":
        with site.database.read() as session:
            event = _event(site, session, request, Purpose.UNDO, at)
        return site.page("undo.html", what=event.what) if event else dead_link(site)
    with site.write() as session:
        event = _event(site, session, request, Purpose.UNDO, at)
        if event is None:
            return dead_link(site)
        first = event.undone_at is None
        done = events.undo(session, event, at=at)
    return site.page("undone.html", what=event.what, done=done or not first)


async def move(request: Request) -> Response:
    """GET asks for the new address; POST mails it a link, whatever was typed."""
    site, at = site_of(request), utc_now()
    if request.method != "POST":
        with site.database.read() as session:
            event = _event(site, session, request, Purpose.MOVE, at)
        return site.page("move.html", fault=False) if event else dead_link(site)
    fields = await forms.read(request, site)

    def act() -> Response:
        try:
            address = normalised(fields.one("adresse")[:1000])
        except AddressRefused:
            address = ""
        with site.write() as session:
            event = _event(site, session, request, Purpose.MOVE, at)
            if event is None:
                return dead_link(site)
            if not address:
                return site.page("move.html", 400, fault=True)
            _propose(session, event, address, at)
        return site.page("move_proposed.html")

    return await run_in_threadpool(act)


def confirm(request: Request) -> Response:
    """GET shows a button; POST gives the contact its new address."""
    site, at = site_of(request), utc_now()
    if request.method != "POST":
        with site.database.read() as session:
            event = _event(site, session, request, Purpose.CONFIRM, at)
        return site.page("move_confirm.html") if event else dead_link(site)
    try:
        with site.write() as session:
            event = _event(site, session, request, Purpose.CONFIRM, at)
            moved = event is not None and _move(session, event, at)
    except IntegrityError:
        # Another contact took the address in the same instant.
        moved = False
    return site.page("moved.html") if moved else dead_link(site)


def _propose(session: Session, asked: Event, address: str, at: datetime) -> None:
    """Owe the new mailbox a link, unless another contact has the address or enough was tried.

    The earlier proposals of the same link are given up: the last one typed counts.
    """
    contact = session.get(Contact, asked.contact_id)
    if contact is None or contact.ended_at is not None or address == contact.address:
        return
    tried = events.proposals(session, contact.id, since=asked.at)
    if len(tried) >= MOST_PROPOSED or moving.holder(session, address) is not None:
        return
    for earlier in tried:
        events.use_up(session, earlier, at=at)
    events.record(
        session,
        contact.id,
        What.MOVE_PROPOSED,
        at=at,
        old_address=contact.address,
        new_address=address,
    )


def _move(session: Session, proposed: Event, at: datetime) -> bool:
    """True also for the second press of the button that moved it."""
    if not events.use_up(session, proposed, at=at):
        contact = session.get(Contact, proposed.contact_id)
        return contact is not None and contact.address == proposed.new_address
    if not moving.move(session, proposed):
        return False
    events.record(
        session,
        proposed.contact_id,
        What.MOVED,
        at=at,
        old_address=proposed.old_address,
        new_address=proposed.new_address,
    )
    return True


#: For each purpose: of which events it is, and for how long.
_OF: dict[Purpose, tuple[frozenset[What], timedelta]] = {
    Purpose.UNDO: (events.UNDOABLE, events.UNDO_WITHIN),
    Purpose.MOVE: (frozenset({What.MOVE_ASKED}), events.MOVE_WITHIN),
    Purpose.CONFIRM: (frozenset({What.MOVE_PROPOSED}), events.MOVE_WITHIN),
}


def _event(
    site: Site, session: Session, request: Request, purpose: Purpose, at: datetime
) -> Event | None:
    """The event of the link, while the link works."""
    try:
        ticket = site.links.read(purpose, request.path_params["token"], at)
    except LinkRefused:
        return None
    what, lasts = _OF[purpose]
    event = events.find(session, ticket.public_id, what)
    return event if event is not None and at < event.at + lasts else None
