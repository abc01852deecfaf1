"""How a command reaches staff by mail: one door, to STAFF_EMAIL, shared by all that use it."""

from __future__ import annotations

import asyncio

from alerts import assembly, staff_mail
from alerts.errors import RelayMisconfigured, RelayUnreachable
from alerts.staff_mail import Door
from base import settings
from base.clock import utc_now
from base.database import Database
from scripts.console import err, stop


def door() -> Door | None:
    """None where STAFF_EMAIL is empty: then no relay need be known either."""
    to = settings.Staff.read().staff_email
    if not to:
        return None
    return assembly.door(settings.Identity.read(), settings.Relay.read(), to)


def required() -> Door:
    """As `door`; it ends the command where there is nobody to write to."""
    return door() or stop("STAFF_EMAIL est vide\u00a0: personne à qui écrire (voir .env.example).")


def hand_over(store: Database, opened: Door | None) -> bool:
    """Send what waits for staff; False where it could not leave: it waits for the next call."""
    if opened is None:
        return True
    try:
        asyncio.run(staff_mail.hand_over(store, opened, now=utc_now))
    except (RelayUnreachable, RelayMisconfigured):
        err.print("Le serveur d’envoi ne prend pas le courriel au personnel; nouvel essai bientôt.")
        return False
    return True
