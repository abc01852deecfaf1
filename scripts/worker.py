"""`alertes ouvrier`: one worker of several, on PostgreSQL; see docs/scaling.md."""

from __future__ import annotations

import typer

from base import logs
from base.french import NBSP
from base.settings import Store
from scripts.console import stop

HELP = "Travailler à plusieurs, sur PostgreSQL (Ctrl+C pour arrêter)."


def command() -> None:
    url = Store.read().database_url
    if url.startswith("sqlite"):
        stop(
            f"Un ouvrier a besoin de PostgreSQL{NBSP}: DATABASE_URL nomme une base SQLite, qui "
            "ne sert qu’une machine. Pour une seule machine, le service suffit "
            "(python -m alerts); pour en prendre plusieurs, voir docs/scaling.md."
        )
    # Half a second that only a worker needs.
    from alerts import starting  # noqa: PLC0415, as said
    from alerts.engine import Engine  # noqa: PLC0415, the same
    from alerts.worker import run  # noqa: PLC0415, the same

    logs.set_up()
    service = starting.service(starting.told_to_stop())
    try:
        done = run(Engine(service, url))
    finally:
        service.database.dispose()
    if not done:
        raise typer.Exit(1)
