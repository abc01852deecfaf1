"""One look of the watch: rows -> facts -> findings -> concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from alerts import holds, watch
from alerts.tables import Attempt, Edition, EditionState, Letter, LetterState
from alerts.watch import Beat, Facts, Finding, Out, What
from base import concerns, heartbeat, maintenance
from base.clock import quebec_day
from base.heartbeat import Heartbeat
from sources import freshness
from sources.catalogue import Source


def look(
    session: Session, sources: Iterable[Source], *, at: datetime, pages: bool | None
) -> tuple[Finding, ...]:
    """Look once: what is found stands as a concern, what is over is settled.

    `pages` is whether they answered just now; None where they are not asked.
    """
    heartbeat.beat(session, "watch", at=at)
    if pages:
        heartbeat.beat(session, "pages", at=at)
    by_key = {one.key: one for one in freshness.coverage(session, at, sources)}
    silent = {
        key: one.missing_since or at
        for key, one in by_key.items()
        if one.standing is freshness.Standing.SILENT
    }
    found = watch.findings(facts(session, at, silent, pages=pages), at)
    for one in found:
        name = by_key[one.subject].short if one.what is What.SOURCE else ""
        concerns.raise_concern(
            session, key=one.key, cause=one.what, detail=detail(one, name), at=at
        )
    _settle(session, found, at)
    return found


def facts(
    session: Session, at: datetime, silent: Mapping[str, datetime], *, pages: bool | None
) -> Facts:
    """What the rows say; where the pages are not asked, they count as answering."""
    beats = heartbeat.all_beats(session)
    own = _beat(beats.get("watch")) or Beat(at, at)
    return Facts(
        watching_since=own.since,
        service=_beat(beats.get("service")),
        pages=Beat(at, at) if pages is None else _beat(beats.get("pages")),
        maintenance_until=maintenance.latest_end(session, at),
        editions={
            watch.label(one): _out(session, one.stream, one.label, at) for one in watch.due_by(at)
        },
        silent=silent,
    )


def detail(one: Finding, name: str = "") -> dict[str, Any]:
    """What the sentence of a finding needs."""
    since = quebec_day(one.since).isoformat()
    if one.what is What.SOURCE:
        return {"source": name, "key": one.subject, "since": since}
    return {"edition": one.subject.partition(":")[2], "since": one.since.isoformat()}


def _settle(session: Session, found: Sequence[Finding], at: datetime) -> None:
    """What the watch found before and finds no more; sources are settled where they are read."""
    keys = {one.key for one in found}
    for one in concerns.standing(session):
        if one.key.startswith("watch:") and one.key not in keys:
            concerns.settle(session, one.key, at=at)


def _beat(row: Heartbeat | None) -> Beat | None:
    return Beat(row.at, row.since) if row else None


def _out(session: Session, frequency: str, label: str, at: datetime) -> Out:
    edition = session.scalar(
        select(Edition).where(Edition.frequency == frequency, Edition.label == label)
    )
    if edition is None or edition.state != EditionState.WRITTEN:
        return Out.ABSENT
    waits = exists().where(
        Letter.edition_id == edition.id,
        Letter.state == LetterState.WRITTEN,
        Letter.next_attempt_at <= at - watch.PATIENCE,
    )
    if not session.scalar(select(waits)):
        return Out.LEFT
    standing = [hold.cause for hold in holds.standing(session)]
    if standing:
        return Out.LEFT if standing == ["staff"] else Out.HELD
    # A slow relay has many letters waiting: what counts is whether any is leaving.
    last = session.scalar(select(Attempt.at).order_by(Attempt.id.desc()).limit(1))
    return Out.LEFT if last is not None and at - last < watch.PATIENCE else Out.STUCK
