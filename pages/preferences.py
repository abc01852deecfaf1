"""Preferences: frequency and sectors, for who holds a fresh link; nothing personal is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from base.clock import utc_now
from pages.site import Site, dead_link, site_of
from subscriptions import wishes
from subscriptions.errors import LinkRefused
from subscriptions.links import Purpose
from subscriptions.tables import Contact, Frequency, Origin
from subscriptions.wishes import Wishes

#: The form with every sector ticked takes a tenth of it, in bytes.
BODY_LIMIT = 64 * 1024
#: Fields that the form can have at most, and more.
FIELD_LIMIT = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What the form shows or sent, right or wrong."""

    frequency: str
    sectors: tuple[str, ...]
    seal: str = ""


async def preferences(request: Request) -> Response:
    """GET shows the form; POST saves it, or shows it again with what is wrong."""
    site, token = site_of(request), request.path_params["token"]
    if request.method != "POST":
        return await run_in_threadpool(_show, site, token, utc_now())
    _from_our_form(request, site)
    typed = _typed(await _body(request))
    return await run_in_threadpool(_save, site, token, typed, utc_now())


def _show(site: Site, token: str, at: datetime) -> Response:
    with site.database.read() as session:
        contact = _contact(site, session, token, at)
        if contact is None:
            return dead_link(site)
        current = wishes.live(session, contact.id)
    if current is None:
        return site.page("not_subscribed.html")
    typed = Typed(frequency=current.frequency, sectors=tuple(current.sectors))
    return _form(site, token, typed, ())


def _save(site: Site, token: str, typed: Typed, at: datetime) -> Response:
    with site.database.write() as session:
        contact = _contact(site, session, token, at)
        if contact is None:
            return dead_link(site)
        if not site.links.sealed(token, typed.seal):
            raise HTTPException(403)
        faults = _faults(site, typed)
        if faults:
            return _form(site, token, typed, faults)
        saved = _change(session, contact.id, typed, at)
    if not saved:
        return site.page("not_subscribed.html")
    labels = [site.catalogue.label(slug) for slug in typed.sectors]
    return site.page("saved.html", frequency=typed.frequency, labels=labels)


def _change(session: Session, contact_id: int, typed: Typed, at: datetime) -> bool:
    # Twice: a double click may end on PostgreSQL the row that was just read.
    for _ in range(2):
        session.expire_all()
        current = wishes.live(session, contact_id)
        if current is None:
            return False
        wished = _wished(wishes.wishes_of(current), typed)
        if wishes.change(session, contact_id, wished, origin=Origin.MEMBER.value, at=at):
            return True
    return False


def _wished(old: Wishes, typed: Typed) -> Wishes:
    """The order of the sectors says nothing: another order is no change."""
    same = set(old.sectors) == set(typed.sectors)
    sectors = old.sectors if same else typed.sectors
    return replace(old, frequency=typed.frequency, sectors=sectors)


def _contact(site: Site, session: Session, token: str, at: datetime) -> Contact | None:
    try:
        ticket = site.links.read(Purpose.CHANGE, token, at)
    except LinkRefused:
        return None
    return session.scalar(
        select(Contact).where(
            Contact.public_id == ticket.public_id,
            Contact.link_version == ticket.version,
            Contact.ended_at.is_(None),
        )
    )


def _form(site: Site, token: str, typed: Typed, faults: tuple[str, ...]) -> Response:
    return site.page(
        "preferences.html",
        400 if faults else 200,
        typed=typed,
        faults=faults,
        sectors=site.catalogue,
        seal=site.links.seal(token),
    )


def _faults(site: Site, typed: Typed) -> tuple[str, ...]:
    """Names of what is wrong; their French is in the template."""
    known = {sector.slug for sector in site.catalogue}
    checks = (
        ("frequency", typed.frequency not in set(Frequency)),
        ("no_sector", not typed.sectors),
        ("unknown_sector", not known.issuperset(typed.sectors)),
    )
    return tuple(name for name, wrong in checks if wrong)


def _from_our_form(request: Request, site: Site) -> None:
    """Refuse a form of another site (OWASP ASVS 3.5.1, 3.5.3).

    Under no-referrer a browser says «Origin: null» even to the same site, so that says nothing.
    """
    root = urlsplit(site.identity.public_url)
    ours = {"", "null", f"{root.scheme}://{root.netloc}"}
    fetched_from = request.headers.get("sec-fetch-site", "same-origin")
    if request.headers.get("origin", "") not in ours or fetched_from not in {"same-origin", "none"}:
        raise HTTPException(403)


async def _body(request: Request) -> bytes:
    """The body; 413 as soon as it is seen to be too long."""
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise HTTPException(400)
    if int(declared[:12]) > BODY_LIMIT:
        raise HTTPException(413)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            raise HTTPException(413)
    return bytes(body)


def _typed(body: bytes) -> Typed:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELD_LIMIT,
        )
    except ValueError as error:
        raise HTTPException(400) from error
    fields = dict(pairs)
    sectors = dict.fromkeys(value for name, value in pairs if name == "secteur")
    return Typed(
        frequency=fields.get("frequence", ""),
        sectors=tuple(sectors),
        seal=fields.get("sceau", ""),
    )
