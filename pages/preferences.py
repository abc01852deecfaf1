"""Preferences: shown, tried and saved, for who holds a fresh link; nothing personal is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from alerts.matching import Wanted
from alerts.preview import Preview, preview
from base.clock import utc_now
from base.french import DAYS, listed
from base.text import fold
from pages import forms
from pages.choices import Typed, mrcs_by_region, opened
from pages.fresh import by_token
from pages.reader import Reader, reader_of
from pages.saving import save
from pages.site import Site, dead_link, site_of
from subscriptions import events, wishes
from subscriptions.tables import EVERY_DAY
from subscriptions.wishes import Wishes


@dataclass(frozen=True, slots=True)
class _Tried:
    """What is shown of the choices in the form: faults, or what they would have brought."""

    typed: Typed
    faults: tuple[str, ...] = ()
    shown: Preview | None = None


async def preferences(request: Request) -> Response:
    """GET shows the form; POST tries or saves it, or shows it again with what is wrong."""
    site, token = site_of(request), request.path_params["token"]
    if request.method != "POST":
        return await run_in_threadpool(_show, site, token, utc_now())
    fields = await forms.read(request, site)
    if fields.one("faire") == "lien":
        return await run_in_threadpool(by_token, site, token, utc_now())
    act = _save if fields.one("faire") != "voir" else _try
    return await run_in_threadpool(act, site, token, fields, utc_now())


async def ask_move(request: Request) -> Response:
    """POST only: mail the known address a link to change it."""
    site, token, at = site_of(request), request.path_params["token"], utc_now()
    fields = await forms.read(request, site)

    def act() -> Response:
        with site.write() as session:
            reader = reader_of(site, session, token, at)
            if reader is None:
                return dead_link(site, fresh=True)
            _sealed(site, token, fields)
            events.ask_move(session, reader.contact.id, at=at)
        return site.page("move_asked.html", token=token)

    return await run_in_threadpool(act)


def _show(site: Site, token: str, at: datetime) -> Response:
    with site.database.read() as session:
        reader = reader_of(site, session, token, at)
        if reader is None:
            return dead_link(site, fresh=True)
        if reader.subscription is None:
            return site.page("not_subscribed.html", token=token, nav="choices")
        typed = Typed.of(reader.subscription)
        shown = _preview(site, session, wishes.wishes_of(reader.subscription), None, at)
    return _form(site, token, reader, _Tried(typed, shown=shown), at)


def _try(site: Site, token: str, fields: forms.Fields, at: datetime) -> Response:
    typed = Typed.sent(fields)
    with site.database.read() as session:
        reader = reader_of(site, session, token, at)
        if reader is None:
            return dead_link(site, fresh=True)
        _sealed(site, token, fields)
        if reader.subscription is None:
            return site.page("not_subscribed.html", token=token, nav="choices")
        faults = typed.faults(site.catalogue)
        current = wishes.wishes_of(reader.subscription)
        asked = None if faults else typed.wishes(current, at)
        shown = _preview(site, session, asked, current, at) if asked else None
    return _form(site, token, reader, _Tried(typed, faults, shown), at)


def _save(site: Site, token: str, fields: forms.Fields, at: datetime) -> Response:
    typed = Typed.sent(fields)
    with site.write() as session:
        reader = reader_of(site, session, token, at)
        if reader is None:
            return dead_link(site, fresh=True)
        _sealed(site, token, fields)
        faults = typed.faults(site.catalogue)
        if faults and reader.subscription is not None:
            return _form(site, token, reader, _Tried(typed, faults), at)
        if not save(session, reader.contact.id, lambda old: typed.wishes(old, at), at=at):
            return site.page("not_subscribed.html", token=token, nav="choices")
        session.expire_all()
        current = wishes.live(session, reader.contact.id)
    assert current is not None  # noqa: S101, it was just saved
    return site.page(
        "saved.html", token=token, nav="choices", **told(site, wishes.wishes_of(current), at)
    )


def told(site: Site, wished: Wishes, at: datetime) -> dict[str, Any]:
    """What templates/emails/_base/wishes.html needs."""
    days = [name for bit, name in enumerate(DAYS) if wished.weekdays >> bit & 1]
    return {
        "wished": wished,
        "labels": listed([site.catalogue.label(slug) for slug in wished.sectors]),
        "days": "" if wished.weekdays == EVERY_DAY else listed(days),
        "at": at,
    }


def _preview(
    site: Site, session: Session, asked: Wishes, current: Wishes | None, at: datetime
) -> Preview:
    site.year.refresh(session, at)
    before = Wanted.of(current) if current is not None else None
    return preview(site.year, Wanted.of(asked), before)


def _form(site: Site, token: str, reader: Reader, tried: _Tried, at: datetime) -> Response:
    paused = reader.subscription.paused_until if reader.subscription else None
    return site.page(
        "preferences.html",
        400 if tried.faults else 200,
        token=token,
        nav="choices",
        tried=tried,
        typed=tried.typed,
        paused_until=paused if paused is not None and paused > at else None,
        active=reader.active,
        sectors=site.catalogue,
        examples=examples(site),
        label=site.catalogue.label,
        days=DAYS,
        regions=mrcs_by_region(),
        opened=opened,
        fold=fold,
        seal=site.links.seal(token),
        at=at,
    )


def examples(site: Site) -> dict[str, str]:
    """A title of each sector that was really published, where the year has one."""
    found = {}
    with site.year.lock:
        for sector in site.catalogue:
            calls = [site.year.calls[key] for key in site.year.by_sector.get(sector.slug, ())]
            calls = [one for one in calls if not one.reserved and one.is_of(sector.slug)]
            if calls:
                latest = max(calls, key=lambda one: (one.published_at, one.cluster_id))
                found[sector.slug] = latest.facts.title
    return found


def _sealed(site: Site, token: str, fields: forms.Fields) -> None:
    if not site.links.sealed(token, fields.one("sceau")):
        raise HTTPException(403)
