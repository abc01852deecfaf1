"""The pages as tests serve them: their links, who they are of, forms, and a real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import uvicorn
from sqlalchemy import select
from starlette.applications import Starlette

from alerts.classification import Lexicon
from alerts.confirmations import write_owed
from alerts.letter import Press, Sender
from alerts.tables import Letter
from alerts.writing import Desk
from base.clock import utc_now
from base.database import Database
from base.settings import Identity
from pages.app import create
from pages.limits import Limits
from subscriptions import sectors
from subscriptions.links import Links, Purpose
from subscriptions.tables import Contact, Event

ROOT = "http://127.0.0.1:8080"
LINKS = Links(("k" * 32,), ROOT)
CATALOGUE = sectors.load()
LEXICON = Lexicon.of(CATALOGUE)
FIRST, SECOND = (s.slug for s in list(CATALOGUE)[:2])
IDENTITY = Identity(
    tenant_name="Coop fictive",
    postal_address="1, rue Fictive, Ville-Fictive (Québec)  J0J 0J0",
    contact_email="bonjour@exemple.quebec",
    privacy_officer="Direction générale, 450 555-0100",
    public_url=ROOT,
)
SENDER = Sender(
    tenant_name=IDENTITY.tenant_name,
    postal_address=IDENTITY.postal_address,
    contact_email=IDENTITY.contact_email,
    privacy_officer=IDENTITY.privacy_officer,
    public_url=ROOT,
    author_email="avis@exemple.quebec",
    list_domain="liste.exemple.quebec",
    bounce_email="retours@liste.exemple.quebec",
)
#: Wide enough for a whole test file from one address of the network.
FREE = 10**9


def pages(database: Database, folder: Path, root: str = ROOT) -> Starlette:
    """The pages over a test's database, without limits on how often they are asked."""
    limits = Limits(requests=FREE, failures=FREE, posts=FREE, everybody=FREE)
    identity = IDENTITY.model_copy(update={"public_url": root})
    links = Links(LINKS.keys, root)
    return create(
        database,
        links,
        identity,
        CATALOGUE,
        postponed=folder / "postponed",
        limits=limits,
        lexicon=LEXICON,
    )


def desk(links: Links = LINKS) -> Desk:
    """What letters are written with."""
    return Desk(press=Press.of(SENDER), links=links, catalogue=CATALOGUE, lexicon=LEXICON)


def leave_path(contact: Contact, at: datetime | None = None) -> str:
    return LINKS.leave(contact.public_id, 1, at or utc_now()).removeprefix(ROOT)


def change_path(contact: Contact, at: datetime | None = None) -> str:
    return LINKS.change(contact.public_id, 1, at or utc_now()).removeprefix(ROOT)


def event_path(purpose: Purpose, event: Event) -> str:
    return LINKS.event(purpose, event.public_id, utc_now()).removeprefix(ROOT)


def form(path: str, *chosen: str, frequency: str = "daily", **fields: object) -> dict[str, object]:
    """What the form of the preferences sends."""
    seal = LINKS.seal(path.rsplit("/", 1)[1])
    days = ["0", "1", "2", "3", "4", "5", "6"]
    return {
        "sceau": seal, "frequence": frequency, "jour": days, "secteur": list(chosen), **fields,
    }  # fmt: skip


def events_of(database: Database) -> list[Event]:
    with database.read() as session:
        return list(session.scalars(select(Event).order_by(Event.id)))


def letters_owed(database: Database, at: datetime | None = None) -> list[Letter]:
    """Write what is owed, as the service does at each tick; all letters, oldest first."""
    write_owed(database, desk(), at=at or utc_now())
    with database.read() as session:
        return list(session.scalars(select(Letter).order_by(Letter.id)))


@contextmanager
def served(app: Starlette, listening: socket.socket | None = None) -> Iterator[str]:
    """A real server on a free port, in a thread; its root address."""
    with listening or socket.socket() as bound:
        if listening is None:
            bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
