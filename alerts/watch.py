"""The watch: what is absent that should be there, and that somebody must act upon (pure).

It is asked every `EVERY` by a timer of its own, because what does not run cannot say so. What it
knows are rows (alerts.watching): signs of life, editions, sources. It says nothing of what mends
itself: a restart, a machine that was off, an edition that is still leaving, an announced
maintenance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from alerts import periodic
from alerts.streams import Due
from base.clock import quebec_day, wall_time

#: Between two looks; the timer's rhythm (deploy/systemd/alertes-veille.timer).
EVERY = timedelta(minutes=5)
#: How long a process may keep silent, letters stand still, or a return to work take.
PATIENCE = timedelta(minutes=20)
#: A clock that is set right goes back by less than this.
CLOCK_SLACK = timedelta(minutes=5)
#: By when an edition must be on its way, in Québec, on the day it is due.
BY = (8, 30)


class What(StrEnum):
    """What is found; also the cause of its concern."""

    SERVICE = "service silent"
    PAGES = "pages silent"
    ABSENT = "edition absent"  #: not opened, or not written whole
    STUCK = "edition stuck"  #: its letters do not leave, and nothing holds them
    HELD = "edition held"  #: its letters wait for staff
    SOURCE = "source silent"


class Out(StrEnum):
    """How far an edition is."""

    ABSENT = "absent"
    STUCK = "stuck"
    HELD = "held"
    #: Its letters have left or are leaving; or staff themselves hold them.
    LEFT = "left"


_OF_EDITION = {Out.ABSENT: What.ABSENT, Out.STUCK: What.STUCK, Out.HELD: What.HELD}


@dataclass(frozen=True, slots=True)
class Beat:
    """A process's last sign of life, and the first of the series without a gap."""

    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody must act upon."""

    what: What
    #: The source's key, or the edition: "daily:2026-09-21"; "" for a process.
    subject: str
    since: datetime

    @property
    def key(self) -> str:
        """The key of its concern; a silent source's is that of sources.freshness."""
        if self.what is What.SOURCE:
            return f"source:{self.subject}:silent"
        return f"watch:{self.what}:{self.subject}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the rows say at one moment."""

    #: Since when the watch itself has looked without a gap.
    watching_since: datetime
    service: Beat | None
    pages: Beat | None
    #: When the last announced maintenance that began ends or ended.
    maintenance_until: datetime | None = None
    #: By label of `due_by`.
    editions: Mapping[str, Out] = field(default_factory=dict)
    #: The silent sources, and since when.
    silent: Mapping[str, datetime] = field(default_factory=dict)


def findings(facts: Facts, at: datetime) -> tuple[Finding, ...]:
    """What somebody must act upon at `at`, nothing while things may be coming back."""
    back = facts.watching_since
    if facts.maintenance_until is not None:
        back = max(back, facts.maintenance_until)
    if at - back < PATIENCE:
        return ()
    return tuple(_found(facts, at))


def _found(facts: Facts, at: datetime) -> Iterator[Finding]:
    for what, beat in ((What.SERVICE, facts.service), (What.PAGES, facts.pages)):
        if not _alive(beat, at):
            yield Finding(what, "", beat.at if beat else facts.watching_since)
    service = facts.service
    # Whoever has just come back is still making up for what is due.
    if service is not None and _alive(service, at) and at - service.since >= PATIENCE:
        for one in due_by(at):
            found = _OF_EDITION.get(facts.editions.get(label(one), Out.ABSENT))
            if found is not None:
                yield Finding(found, label(one), one.period.end)
        for source, since in facts.silent.items():
            yield Finding(What.SOURCE, source, since)


def _alive(beat: Beat | None, at: datetime) -> bool:
    """A beat of the future is no sign of life: one of two clocks is wrong."""
    return beat is not None and -CLOCK_SLACK <= at - beat.at <= PATIENCE


def due_by(at: datetime) -> list[Due]:
    """The editions that are due, whose letters should be on their way by now."""
    return [one for one in periodic.due(at) if at >= wall_time(quebec_day(one.period.end), *BY)]


def label(one: Due) -> str:
    """Frequency and label: "daily:2026-09-21"."""
    return f"{one.stream.value}:{one.label}"
