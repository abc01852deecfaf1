"""What every page shares: the parts it is served from, its frame, its headers."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse

from alerts.postponed import Postponed, discard, replay
from alerts.templates import FILTERS
from alerts.year import Year
from base.clock import utc_now
from base.database import ROOT, Database
from base.settings import Identity
from subscriptions.links import Links
from subscriptions.sectors import Catalogue

logger = logging.getLogger(__name__)

#: How long a statement of the pages waits for another's lock, in seconds (R-16).
PATIENCE = 2.0
#: How long an unsubscribe waits for one, before it is kept in a file: a dispatcher that hands an
#: edition over holds the lock again and again, and who clicks is not to wait for it.
BRIEFLY = 0.2
#: After a lock was waited for in vain, unsubscribes do not wait again for so long, in seconds.
_RESPITE = 1.0
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
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates" / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


@dataclass(kw_only=True, slots=True)
class Site:
    """What the pages are served from."""

    database: Database
    links: Links
    identity: Identity
    catalogue: Catalogue
    year: Year
    postponed: Postponed
    #: The same database, by connections that wait `BRIEFLY` only.
    leaving: Database
    templates: Environment = field(default_factory=_environment)
    #: Until when, on the monotonic clock, the database is not asked to unsubscribe.
    _respite: float = 0.0

    def page(self, name: str, status: int = 200, **context: object) -> HTMLResponse:
        """The page of that template, in the common frame."""
        shown = {"identity": self.identity, "nav": "", "token": "", **context}
        text = self.templates.get_template(name).render(shown)
        return HTMLResponse(text, status, headers=SECURITY)

    def plain(self, name: str, **context: object) -> str:
        """The text of that template, where nothing is to be escaped: a calendar file."""
        return self.templates.overlay(autoescape=False).get_template(name).render(context).strip()

    @contextmanager
    def write(self, *, briefly: bool = False) -> Iterator[Session]:
        """A transaction, begun by taking in the unsubscribes that were postponed."""
        with (self.leaving if briefly else self.database).write() as session:
            replayed = replay(session, self.postponed, now=utc_now())
            yield session
        discard(replayed)

    def take_in_postponed(self) -> None:
        """Try to take in what was postponed; without an exception when it cannot be yet."""
        if self.postponed.waiting():
            try:
                with self.write():
                    pass
            except SQLAlchemyError:
                logger.warning("postponed unsubscribes still wait")

    def locked_lately(self) -> bool:
        """True while it is not worth asking the database to unsubscribe somebody."""
        return time.monotonic() < self._respite

    def found_locked(self) -> None:
        """The database took too long: do not make the next readers wait for it."""
        self._respite = time.monotonic() + _RESPITE


def site_of(request: Request) -> Site:
    """What this application was created with."""
    site: Site = request.app.state.site
    return site


def dead_link(site: Site, *, fresh: bool = False) -> HTMLResponse:
    """One answer for unknown, forged, expired and malformed: nothing can be probed.

    `fresh` where a press of its button, on the same address, asks for a new link.
    """
    return site.page("dead_link.html", 404, fresh=fresh)
