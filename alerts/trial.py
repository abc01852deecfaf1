"""A trial letter to our own staff: the relay takes our letters, and they arrive."""

from __future__ import annotations

from collections.abc import Mapping

from alerts import staff_mail
from alerts.delivery import Receipt
from alerts.handing import Now
from alerts.staff_mail import Door
from base.database import Database


async def send_trial(database: Database, door: Door, *, now: Now) -> list[Receipt]:
    """Write it and hand it over, with what else waits for staff; how each ended.

    Raises:
        RelayUnreachable: try again later; it leaves with the next message to staff.
        RelayMisconfigured: a person must look; the same.
    """
    at = now()
    words: Mapping[str, object] = {"sent_at": at}
    with database.write() as session:
        staff_mail.write(session, door, "trial", words, key=f"trial:{at.isoformat()}", at=at)
    return await staff_mail.hand_over(database, door, now=now)
