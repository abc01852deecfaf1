"""From settings to the service: for the entry points that run it, alone or as a worker."""

from __future__ import annotations

import signal
import threading

from alerts import assembly
from alerts.service import Service
from base import logs, settings
from base.clock import utc_now
from base.database import ready
from sources.reading import Network


def told_to_stop() -> threading.Event:
    """What SIGTERM and Ctrl-C set from now on."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def service(stop: threading.Event) -> Service:
    """Read the settings and wire; logs keep quiet about passwords and keys from now on.

    Raises a BaseFault where a setting or the database is missing.
    """
    relay = settings.Relay.read()
    identity, keys = settings.Identity.read(), settings.Keys.read()
    returned = settings.Returns.read()
    passwords = (relay.smtp_password, returned.bounce_password)
    logs.set_up(secrets=(*keys.as_list(), *(one.get_secret_value() for one in passwords)))
    sources = settings.Sources.read()
    store = settings.Store.read()
    return Service(
        desk=assembly.desk(identity, relay, keys),
        handing=assembly.handing(relay, keys, store),
        reception=assembly.reception(identity, relay, keys, returned),
        database=ready(store.database_url),
        sources=assembly.sources(sources),
        network=Network(contact=sources.source_contact),
        postfix_log=relay.postfix_log,
        now=utc_now,
        stop=stop,
    )
