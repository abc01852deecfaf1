"""Leaving: GET shows one button, POST acts (RFC 8058). Receiving less is offered beside it.

A link to leave is the weakest: it can only lower what is sent, it names nobody, and what it did
is confirmed by a letter that can undo it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from alerts.leaving import leave as unsubscribe
from base.clock import utc_now
from pages import forms
from pages.saving import save
from pages.site import Site, dead_link, site_of
from subscriptions import wishes
from subscriptions.errors import LinkRefused
from subscriptions.links import Purpose
from subscriptions.members import contact_id_of
from subscriptions.tables import Frequency, Via
from subscriptions.wishes import Wishes

logger = logging.getLogger(__name__)

PAUSE = timedelta(days=30)


def leave(request: Request) -> Response:
    """GET changes nothing: scanners of mail follow links. POST unsubscribes.

    The body is never read, so any body of any type and size will do, and no valid
    link is refused; the answer is the same for one who left already or was deleted.
    """
    site, at = site_of(request), utc_now()
    token = request.path_params["token"]
    public_id = _whose(site, token, at)
    if public_id is None:
        return dead_link(site)
    if request.method != "POST":
        return site.page("leave.html", token=token, asked=_asked(site, public_id, at))
    _unsubscribe(site, public_id, at)
    return site.page("left.html")


async def less(request: Request) -> Response:
    """POST only: a letter a week instead of more."""

    def weekly(asked: Wishes, _fields: forms.Fields, _at: datetime) -> Wishes:
        return replace(asked, frequency=Frequency.WEEKLY.value)

    return await _lower(request, weekly)


async def pause(request: Request) -> Response:
    """POST only: nothing for `PAUSE`, or until later where a pause runs already."""

    def paused(asked: Wishes, _fields: forms.Fields, at: datetime) -> Wishes:
        return replace(asked, paused_until=max(at + PAUSE, asked.paused_until or at))

    return await _lower(request, paused)


async def drop(request: Request) -> Response:
    """POST only: without the sectors that were ticked; one that is not followed says nothing.

    All of them would leave letters without a sector: then nothing changes, leaving is for that.
    """

    def fewer(asked: Wishes, fields: forms.Fields, _at: datetime) -> Wishes:
        dropped = fields.all("secteur")
        kept = tuple(slug for slug in asked.sectors if slug not in dropped)
        return replace(asked, sectors=kept) if kept else asked

    return await _lower(request, fewer)


async def _lower(
    request: Request, lowered: Callable[[Wishes, forms.Fields, datetime], Wishes]
) -> Response:
    site, at = site_of(request), utc_now()
    public_id = _whose(site, request.path_params["token"], at)
    if public_id is None:
        return dead_link(site)
    fields = await forms.read(request, site)

    def act() -> Response:
        with site.write() as session:
            contact_id = contact_id_of(session, public_id)
            changed = contact_id is not None and save(
                session, contact_id, lambda asked: lowered(asked, fields, at), at=at
            )
        return site.page("lowered.html" if changed else "not_subscribed.html")

    return await run_in_threadpool(act)


def _unsubscribe(site: Site, public_id: str, at: datetime) -> None:
    """Now; or as soon as the database can, with the same answer."""
    if not site.locked_lately():
        try:
            with site.write(briefly=True) as session:
                contact_id = contact_id_of(session, public_id)
                if contact_id is not None:
                    unsubscribe(session, contact_id, via=Via.PAGE, at=at)
        except SQLAlchemyError as error:
            logger.warning("unsubscribe postponed", extra={"cause": type(error).__name__})
            site.found_locked()
        else:
            return
    site.postponed.keep(public_id, at)


def _asked(site: Site, public_id: str, at: datetime) -> dict[str, object]:
    """What could be lowered: nothing where the database cannot say, the button is there anyway."""
    nothing: dict[str, object] = {"sectors": [], "weekly": True, "paused": True}
    try:
        with site.database.read() as session:
            contact_id = contact_id_of(session, public_id)
            current = wishes.live(session, contact_id) if contact_id is not None else None
    except SQLAlchemyError:
        logger.exception("choices not shown")
        return nothing
    if current is None:
        return nothing
    return {
        "sectors": [(slug, site.catalogue.label(slug)) for slug in current.sectors],
        "weekly": current.frequency == Frequency.WEEKLY,
        "paused": current.paused_until is not None and current.paused_until > at,
    }


def _whose(site: Site, token: str, at: datetime) -> str | None:
    """The public id of whose link it is."""
    try:
        return site.links.read(Purpose.LEAVE, token, at).public_id
    except LinkRefused:
        return None
