"""`python -m pages`, and what uvicorn calls: reads the settings and wires the parts."""

from __future__ import annotations

import argparse
import sys

import uvicorn
from starlette.applications import Starlette

from base import logs
from base.database import connect, ready
from base.errors import BaseFault
from base.settings import Identity, Keys, Store
from pages.app import create
from pages.site import BRIEFLY, PATIENCE
from subscriptions import sectors
from subscriptions.links import Links


def application() -> Starlette:
    """The application of the settings; raises what base.settings and base.database raise."""
    identity, store = Identity.read(), Store.read()
    links = Links(tuple(Keys.read().as_list()), identity.public_url)
    return create(
        ready(store.database_url, busy=PATIENCE),
        links,
        identity,
        sectors.load(),
        postponed=store.postponed_folder,
        leaving=connect(store.database_url, busy=BRIEFLY),
    )


def main() -> None:
    """Serve the pages, by default to this machine's proxy only."""
    asked = argparse.ArgumentParser(prog="python -m pages")
    asked.add_argument("--host", default="127.0.0.1")
    asked.add_argument("--port", type=int, default=8080)
    chosen = asked.parse_args()
    logs.set_up()
    try:
        served = application()
    except BaseFault as fault:
        sys.exit(f"alertes: {fault}")
    logs.set_up(secrets=Keys.read().as_list())
    # Its own logging would name the addresses of the network.
    uvicorn.run(
        served,
        host=chosen.host,
        port=chosen.port,
        access_log=False,
        log_config=None,
        server_header=False,
    )


if __name__ == "__main__":
    main()
