"""What a monitor may ask: is all well, and the figures; states and counts, never of a person.

`/sante` is for everybody, so that a monitor elsewhere can tell when this machine is gone. It
answers 503 where members are not served: no database, or no service at work. `/mesures` is for a
Prometheus on this machine: a request that came through a proxy gets the page of dead links.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from threading import Lock
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alerts import vitals
from alerts.metrics import Metrics
from base.clock import utc_now
from base.database import Database
from pages.site import SECURITY, Site, dead_link, site_of

logger = logging.getLogger(__name__)

#: Seconds that an answer serves all who ask: a question costs the database nothing.
FRESH, FIGURES_FRESH = 5.0, 15.0
#: Headers by which a proxy says that it asks for another.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_WORDS = {True: "ok", False: "panne"}

T = TypeVar("T")


@dataclass(slots=True)
class Kept(Generic[T]):
    """An answer that is made once in a while, whoever asks."""

    make: Callable[[], T]
    seconds: float
    now: Callable[[], float] = time.monotonic
    _made: tuple[float, T] | None = None
    _lock: Lock = field(default_factory=Lock)

    def get(self) -> T:
        """The answer, made anew when it is too old."""
        with self._lock:
            if self._made is None or self.now() - self._made[0] >= self.seconds:
                made = self.make()
                self._made = (self.now(), made)
            return self._made[1]


def routes(database: Database) -> list[Route]:
    """`/sante` and `/mesures` of that database."""
    state = Kept(lambda: _health(database), FRESH)
    figures = Kept(lambda: _figures(database), FIGURES_FRESH)

    async def health(_: Request) -> Response:
        status, body = await run_in_threadpool(state.get)
        return JSONResponse(body, status, headers=SECURITY)

    async def metrics(request: Request) -> Response:
        site: Site = site_of(request)
        if not _from_here(request):
            return dead_link(site)
        text = await run_in_threadpool(figures.get)
        return Response(text, media_type=CONTENT_TYPE_LATEST, headers=SECURITY)

    return [Route("/sante", health), Route("/mesures", metrics)]


def _health(database: Database) -> tuple[int, dict[str, object]]:
    """The status and the body: "ok" or "panne" for each part, and how each source is."""
    try:
        with database.read() as session:
            found = vitals.vitals(session, utc_now())
    except SQLAlchemyError:
        logger.exception("health: the database cannot be read")
        return 503, {"etat": _WORDS[False], "base": _WORDS[False]}
    body: dict[str, object] = {
        "etat": _WORDS[found.service],
        "base": _WORDS[True],
        "service": _WORDS[found.service],
        "veille": _WORDS[found.watch],
        "sources": {key: _WORDS[well] for key, well in found.sources.items()},
    }
    return 200 if found.service else 503, body


def _figures(database: Database) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Metrics(database, utc_now))
    return generate_latest(registry)


def _from_here(request: Request) -> bool:
    """Asked by a program of this machine itself, not by its proxy for somebody."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
