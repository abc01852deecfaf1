"""`python -m alerts`: read the settings, wire, start. Stops cleanly on SIGTERM and Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading

from alerts import assembly
from alerts.service import Service, run
from base import logs, settings
from base.clock import utc_now
from base.database import ready
from base.errors import BaseFault
from sources.reading import Network


def main() -> None:
    """Run the service until it is told to stop; exit code 1 when a setting is missing."""
    logs.set_up()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        service = _service(stop)
    except BaseFault as fault:
        sys.exit(f"alertes: {fault}")
    run(service)
    service.database.dispose()


def _service(stop: threading.Event) -> Service:
    relay = settings.Relay.read()
    identity, keys = settings.Identity.read(), settings.Keys.read()
    sources = settings.Sources.read()
    store = settings.Store.read()
    return Service(
        desk=assembly.desk(identity, relay, keys),
        handing=assembly.handing(relay, keys, store),
        reception=assembly.reception(identity, relay, keys, settings.Returns.read()),
        database=ready(store.database_url),
        sources=assembly.sources(sources),
        network=Network(contact=sources.source_contact),
        postfix_log=relay.postfix_log,
        now=utc_now,
        stop=stop,
    )


if __name__ == "__main__":
    main()
