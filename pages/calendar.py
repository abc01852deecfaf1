"""A notice's closing moment as a calendar file (RFC 5545)."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from icalendar import Alarm, Calendar, Event

from base.clock import QUEBEC
from base.text import clean
from pages.site import Site
from sources.release import Status
from sources.tables import Revision, Tender

#: How long before the closing moment the calendar reminds.
REMIND = timedelta(days=2)


def closing(site: Site, tender: Tender, revision: Revision, *, at: datetime) -> bytes:
    """The file; the same UID for every revision, a greater SEQUENCE for each.

    `revision.closes_at` must be known.
    """
    host = urlsplit(site.identity.public_url).hostname
    words: dict[str, object] = {"tender": tender, "revision": revision}
    summary = site.plain("calendar/summary.txt", **words)
    event = Event()
    event.add("uid", f"{sha256(f'{tender.source} {tender.ocid}'.encode()).hexdigest()[:32]}@{host}")
    event.add("dtstamp", at)
    event.add("sequence", revision.number - 1)
    assert revision.closes_at is not None  # noqa: S101, the caller's to know
    event.add("dtstart", revision.closes_at.astimezone(QUEBEC))
    event.add("dtend", revision.closes_at.astimezone(QUEBEC))
    event.add("summary", summary)
    event.add("description", site.plain("calendar/description.txt", **words))
    event.add("status", "CANCELLED" if tender.status == Status.CANCELLED else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -REMIND)
    alarm.add("description", summary)
    event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", f"-//{clean(site.identity.tenant_name)}//alertes//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    made: bytes = calendar.to_ical()
    return made
