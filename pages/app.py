"""The web pages behind the letters' links: a separate process from the service."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from base.database import Database
from base.settings import Identity
from pages.leave import leave
from pages.preferences import preferences
from pages.site import SECURITY, Site, dead_link, site_of
from subscriptions.links import Links
from subscriptions.sectors import Catalogue

#: What has words of its own in templates/pages/error.html.
_WORDED = frozenset({400, 403, 405, 413, 429, 500})


def create(database: Database, links: Links, identity: Identity, catalogue: Catalogue) -> Starlette:
    """The application; it holds nothing but what it is given."""
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/sante", health),
            Route("/style.css", style),
            Route("/d/{token}", leave, methods=["GET", "POST"]),
            Route("/p/{token}", preferences, methods=["GET", "POST"]),
        ],
        exception_handlers={HTTPException: refused, 500: broken},
    )
    # A redirect would lose the body of a one-click POST (RFC 8058, section 3.1 forbids it).
    app.router.redirect_slashes = False
    app.state.site = Site(database=database, links=links, identity=identity, catalogue=catalogue)
    return app


def home(request: Request) -> Response:
    """What this is, for who came without a link."""
    return site_of(request).page("home.html")


def health(request: Request) -> Response:  # noqa: ARG001
    """For a monitor."""
    return PlainTextResponse("ok", headers=SECURITY)


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
