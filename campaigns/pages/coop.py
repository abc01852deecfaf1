"""A fictional co-op whose pages are served by a process of their own."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import uvicorn
from sqlalchemy.orm import Session

from base.clock import utc_now
from base.database import connect
from base.settings import Identity
from pages.app import create
from pages.limits import Limits
from pages.site import BRIEFLY, PATIENCE
from subscriptions import consent, members, sectors, wishes
from subscriptions.links import Links
from subscriptions.tables import Basis, Contact
from subscriptions.wishes import Wishes

KEYS = ("c" * 32,)
#: So many requests come from one address in a trial that no limit may stand in their way.
FREE = 10**9
_LONG_AGO = timedelta(days=500)


@dataclass(frozen=True, slots=True)
class Served:
    """Pages at `root`, over the database at `url`."""

    root: str
    url: str
    links: Links
    #: Where unsubscribes are kept while the database is locked.
    folder: Path


def identity(root: str) -> Identity:
    """Who the fictional co-op is."""
    return Identity(
        tenant_name="Coop fictive",
        postal_address="1, rue Fictive, Ville-Fictive (Québec)  J0J 0J0",
        contact_email="bonjour@exemple.quebec",
        privacy_officer="Direction générale, 450 555-0100",
        public_url=root,
    )


def join(session: Session, count: int, at: datetime) -> list[Contact]:
    """So many contacts, each of an active member, with consent and a daily subscription."""
    asked = Wishes(frequency="daily", sectors=("deneigement", "entretien-menager"))
    made = []
    for number in range(count):
        member = members.add_member(session, f"Coop fictive {number}", at=at)
        since = at - _LONG_AGO
        members.begin_membership(session, member.id, starts_at=since, at=since, by="essai")
        address = f"c{number}@exemple.quebec"
        contact = members.add_contact(session, member.id, address, at=at, name="Personne fictive")
        consent.record(session, contact.id, Basis.EXPRESS, starts_at=since, at=since, by="essai")
        wishes.subscribe(session, contact.id, asked, origin="roster", at=since)
        made.append(contact)
    return made


@contextlib.contextmanager
def served(url: str, folder: Path) -> Iterator[Served]:
    """Serve the pages over that database in another process, until the end of the block."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    root = f"http://127.0.0.1:{port}"
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve, args=(url, port, folder), daemon=True)
    process.start()
    try:
        _wait_for(root)
        yield Served(root, url, Links(KEYS, root), folder)
    finally:
        process.terminate()
        process.join()


def _serve(url: str, port: int, folder: Path) -> None:
    root = f"http://127.0.0.1:{port}"
    limits = Limits(requests=FREE, failures=FREE, posts=FREE, everybody=FREE)
    app = create(
        connect(url, busy=PATIENCE),
        Links(KEYS, root),
        identity(root),
        sectors.load(),
        postponed=folder,
        leaving=connect(url, busy=BRIEFLY),
        limits=limits,
    )
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="critical")


def _wait_for(root: str) -> None:
    until = time.monotonic() + 60
    with httpx2.Client(trust_env=False, timeout=120) as http:
        while time.monotonic() < until:
            with contextlib.suppress(httpx2.TransportError):
                if http.get(f"{root}/sante").status_code == 200:
                    return
            time.sleep(0.05)
    raise TimeoutError(root)


def percentile(values: list[float], share: float) -> float:
    """The value under which that share of them lies, in the unit of the values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def now() -> datetime:
    """The present moment."""
    return utc_now()
