"""Whether the service is well, from rows: what both processes and a monitor agree upon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from alerts.watch import CLOCK_SLACK, PATIENCE
from base import heartbeat
from base.heartbeat import Heartbeat
from sources import freshness


@dataclass(frozen=True, kw_only=True, slots=True)
class Vitals:
    """True is well."""

    #: The service's ticks, and the watch's looks, come as they should.
    service: bool
    watch: bool
    #: By key of each source that was ever read: nothing may be missing from it.
    sources: Mapping[str, bool]


def vitals(session: Session, at: datetime) -> Vitals:
    """What the rows say at `at`."""
    beats = heartbeat.all_beats(session)
    states = freshness.coverage(session, at)
    return Vitals(
        service=_lives(beats.get("service"), at),
        watch=_lives(beats.get("watch"), at),
        sources={
            one.key: one.standing not in freshness.HELD
            for one in states
            if one.standing is not freshness.Standing.NEVER
        },
    )


def age(beat: Heartbeat, at: datetime) -> timedelta:
    """How long ago that beat was; never negative."""
    return max(at - beat.at, timedelta(0))


def _lives(beat: Heartbeat | None, at: datetime) -> bool:
    return beat is not None and -CLOCK_SLACK <= at - beat.at <= PATIENCE
