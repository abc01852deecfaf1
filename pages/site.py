"""What every page shares: the parts it is served from, its frame, its headers."""

from __future__ import annotations

from dataclasses import dataclass, field

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from base.database import ROOT, Database
from base.settings import Identity
from subscriptions.links import Links
from subscriptions.sectors import Catalogue

#: On every answer (OWASP ASVS 3.4): nothing runs, nothing is framed, kept, indexed or leaked.
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOT / "templates" / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What the pages are served from."""

    database: Database
    links: Links
    identity: Identity
    catalogue: Catalogue
    templates: Environment = field(default_factory=_environment)

    def page(self, name: str, status: int = 200, **context: object) -> HTMLResponse:
        """The page of that template, in the common frame."""
        text = self.templates.get_template(name).render(identity=self.identity, **context)
        return HTMLResponse(text, status, headers=SECURITY)


def site_of(request: Request) -> Site:
    """What this application was created with."""
    site: Site = request.app.state.site
    return site


def dead_link(site: Site) -> HTMLResponse:
    """One answer for unknown, forged, expired and malformed: nothing can be probed."""
    return site.page("dead_link.html", 404)
