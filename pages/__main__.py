"""`python -m pages`, and what uvicorn calls: reads the settings and wires the parts."""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette

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


if __name__ == "__main__":
    try:
        served = application()
    except BaseFault as fault:
        sys.exit(f"alertes: {fault}")
    uvicorn.run(served, host="127.0.0.1", port=8080, access_log=False, server_header=False)
