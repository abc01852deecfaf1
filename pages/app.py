"""The web pages behind the letters' links: a separate process from the service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from alerts.classification import Lexicon
from alerts.postponed import Postponed
from alerts.year import Year
from base.clock import utc_now
from base.database import Database
from base.settings import Identity
from pages import documents, fresh, health, leave, notice, notices, preferences, undo
from pages.limits import WINDOW, Limited, Limits
from pages.privacy import privacy
from pages.site import SECURITY, Site, dead_link, site_of
from subscriptions.links import Links
from subscriptions.sectors import Catalogue

logger = logging.getLogger(__name__)

#: What has words of its own in templates/pages/error.html.
_WORDED = frozenset({400, 403, 405, 413, 429, 500})
#: How often postponed unsubscribes are tried again, in seconds.
_TRY_AGAIN = 5.0
_BOTH = ["GET", "POST"]
ROUTES = [
    Route("/d/{token}", leave.leave, methods=_BOTH),
    Route("/d/{token}/moins", leave.less, methods=["POST"]),
    Route("/d/{token}/pause", leave.pause, methods=["POST"]),
    Route("/d/{token}/secteurs", leave.drop, methods=["POST"]),
    Route("/p/{token}", preferences.preferences, methods=_BOTH),
    Route("/p/{token}/adresse", preferences.ask_move, methods=["POST"]),
    Route("/p/{token}/avis", notices.notices),
    Route("/p/{token}/avis/{cluster:int}", notice.notice, methods=_BOTH),
    Route("/p/{token}/avis/{cluster:int}/echeance.ics", notice.closing),
    Route("/p/{token}/avis/{cluster:int}/document/{document}", documents.document),
    Route("/u/{token}", undo.undo, methods=_BOTH),
    Route("/a/{token}", undo.move, methods=_BOTH),
    Route("/c/{token}", undo.confirm, methods=_BOTH),
    Route("/lien", fresh.ask, methods=_BOTH),
    Route("/confidentialite", privacy),
]


def create(
    database: Database,
    links: Links,
    identity: Identity,
    catalogue: Catalogue,
    *,
    postponed: Path = Path("var/postponed"),
    leaving: Database | None = None,
    limits: Limits | None = None,
    lexicon: Lexicon | None = None,
) -> Starlette:
    """The application; it holds nothing but what it is given.

    `leaving` is the database by connections that wait `pages.site.BRIEFLY` for another's lock;
    `lexicon` the catalogue's, where it is made already.
    """
    site = Site(
        database=database,
        links=links,
        identity=identity,
        catalogue=catalogue,
        year=Year(lexicon or Lexicon.of(catalogue)),
        postponed=Postponed(postponed),
        leaving=leaving or database,
    )

    async def too_many(scope: Scope, receive: Receive, send: Send) -> None:
        page = site.page("error.html", 429, code=429)
        page.headers["Retry-After"] = str(int(WINDOW))
        await page(scope, receive, send)

    app = Starlette(
        routes=[Route("/", home), Route("/style.css", style), *health.routes(database), *ROUTES],
        exception_handlers={HTTPException: refused, 500: broken},
        middleware=[Middleware(Limited, limits=limits or Limits(), answer=too_many)],
        lifespan=_lifespan,
    )
    # A redirect would lose the body of a one-click POST (RFC 8058, section 3.1 forbids it).
    app.router.redirect_slashes = False
    app.state.site = site
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """While serving: read the year once at the start, take in what was postponed."""
    site: Site = app.state.site
    background = asyncio.create_task(_background(site))
    yield
    background.cancel()


async def _background(site: Site) -> None:
    try:
        await run_in_threadpool(_read_year, site)
    except SQLAlchemyError:
        logger.exception("the year is read at the first page instead")
    while True:
        await run_in_threadpool(site.take_in_postponed)
        await asyncio.sleep(_TRY_AGAIN)


def _read_year(site: Site) -> None:
    with site.database.read() as session:
        site.year.refresh(session, utc_now())


def home(request: Request) -> Response:
    """What this is, for who came without a link."""
    return site_of(request).page("home.html")


def style(request: Request) -> Response:
    """The one style sheet."""
    text = site_of(request).templates.get_template("style.css").render()
    return Response(text, media_type="text/css", headers=SECURITY)


def refused(request: Request, error: Exception) -> Response:
    """What the framework refuses, as a French page."""
    site = site_of(request)
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return dead_link(site)
    page = site.page("error.html", status, code=status if status in _WORDED else 400)
    allowed = (error.headers or {}).get("Allow") if isinstance(error, HTTPException) else None
    if allowed:
        page.headers["Allow"] = allowed
    return page


def broken(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Our own fault; the server's log has the trace."""
    return site_of(request).page("error.html", 500, code=500)
