"""What each source brought week by week, and how often a reading of it failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from base.clock import quebec_day
from sources.tables import Reading, Tender


def new_by_week(
    session: Session, start: datetime, end: datetime
) -> Mapping[str, Mapping[date, int]]:
    """Calls first seen in [start, end), by source and by the Monday of their week in Québec."""
    found: dict[str, Counter[date]] = {}
    rows = session.execute(
        select(Tender.source, Tender.first_seen_at).where(
            Tender.first_seen_at >= start, Tender.first_seen_at < end
        )
    )
    for source, seen_at in rows:
        day = quebec_day(seen_at)
        found.setdefault(source, Counter())[day - timedelta(days=day.weekday())] += 1
    return found


def refused(session: Session, start: datetime, end: datetime) -> Mapping[str, int]:
    """Documents of each source that were refused whole in [start, end)."""
    rows = session.execute(
        select(Reading.source, func.count())
        .where(Reading.at >= start, Reading.at < end, Reading.fault != "")
        .group_by(Reading.source)
    )
    return dict(rows.all())
