"""`alertes envois envoyer`: one tick of the service, by hand."""

from __future__ import annotations

import asyncio

from alerts import assembly, confirmations, editions
from alerts.dispatch import hand_over
from alerts.handing import Tally
from alerts.recovery import recover
from base import settings
from base.clock import utc_now
from base.french import count
from scripts.console import err, opened, out, stop
from scripts.stopped_words import stopped


def send() -> None:
    """Write the editions that are due, and hand over what waits."""
    relay = settings.Relay.read()
    keys = settings.Keys.read()
    desk = assembly.desk(settings.Identity.read(), relay, keys)
    handing = assembly.handing(relay, keys, settings.Store.read())
    at = utc_now()
    with opened() as store:
        with store.write() as session:
            editions.open_due(session, at, assembly.sources(settings.Sources.read()))
        editions.write_open(store, desk, at=at)
        confirmations.write_owed(store, desk, at=at)
        recover(store, handing.journal, at=at, log=relay.postfix_log)
        tally = asyncio.run(hand_over(store, handing, now=utc_now))
    _say(tally)
    if not relay.mail_allowed:
        err.print("MAIL_ALLOWED est vide\u00a0: aucune lettre ne peut partir (voir .env.example).")


def _say(tally: Tally) -> None:
    out.print(f"{count(tally.accepted, 'lettre acceptée', 'lettres acceptées')}.")
    if tally.quarantined:
        err.print("Des lettres ont été mises de côté. Voir : alertes envois quarantaine")
    if tally.fault:
        stop(stopped(tally))
