"""How a command reaches staff by mail: one door, to STAFF_EMAIL, shared by all that use it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from alerts.errors import RelayMisconfigured, RelayUnreachable
from base import settings
from base.clock import utc_now
from base.database import Database
from scripts.console import err, stop

if TYPE_CHECKING:
    from alerts.staff_mail import Door


def door() -> Door | None:
    """None where STAFF_EMAIL is empty: then no relay need be known either."""
    to = settings.Staff.read().staff_email
    if not to:
        return None
    from alerts import assembly  # noqa: PLC0415, the whole service, where somebody is to be told

    return assembly.door(settings.Identity.read(), settings.Relay.read(), to)


def required() -> Door:
    """As `door`; it ends the command where there is nobody to write to."""
    return door() or stop("STAFF_EMAIL est vide\u00a0: personne à qui écrire (voir .env.example).")


def hand_over(store: Database, opened: Door | None) -> bool:
    """Send what waits for staff; False where it could not leave: it waits for the next call."""
    if opened is None:
        return True
    from alerts import staff_mail  # noqa: PLC0415, as above

    try:
        asyncio.run(staff_mail.hand_over(store, opened, now=utc_now))
    except (RelayUnreachable, RelayMisconfigured):
        err.print("Le serveur d’envoi ne prend pas le courriel au personnel; nouvel essai bientôt.")
        return False
    return True
