"""The figures that Prometheus reads, counted from rows: whichever process answers, they agree.

Labels are states, causes and sources, never a contact, a member or a notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from alerts import vitals
from alerts.hold_tables import Hold
from alerts.outbox import WAITING
from alerts.tables import Attempt, Edition, Letter, Omission
from base import concerns, heartbeat
from base.database import Database
from sources import freshness


@dataclass(frozen=True, slots=True)
class Metrics(Collector):
    """Counts anew at each collection."""

    database: Database
    now: Callable[[], datetime]

    def describe(self) -> list[Metric]:
        """Nothing: to register it must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All figures, of one moment."""
        at = self.now()
        with self.database.read() as session:
            found = [
                *_processes(session, at),
                *_letters(session, at),
                *_editions(session),
                *_sources(session, at),
                *_concerns(session),
            ]
        yield from found


def _processes(session: Session, at: datetime) -> Iterator[Metric]:
    ages = GaugeMetricFamily(
        "alertes_heartbeat_age_seconds", "Since the last sign of life.", labels=["process"]
    )
    for name, beat in heartbeat.all_beats(session).items():
        ages.add_metric([name], vitals.age(beat, at).total_seconds())
    yield ages


def _letters(session: Session, at: datetime) -> Iterator[Metric]:
    by_state = GaugeMetricFamily("alertes_letters", "Letters by state.", labels=["state"])
    for state, count in session.execute(_counted(Letter.state)):
        by_state.add_metric([state], count)
    yield by_state
    oldest = session.scalar(
        select(func.min(Letter.next_attempt_at)).where(
            Letter.state.in_(WAITING), Letter.next_attempt_at <= at
        )
    )
    yield GaugeMetricFamily(
        "alertes_letters_wait_seconds",
        "How long the letter that waits longest is overdue.",
        value=(at - oldest).total_seconds() if oldest else 0.0,
    )
    yield from _totals(session)


def _totals(session: Session) -> Iterator[Metric]:
    for name, text, label, column in (
        ("alertes_attempts", "Transactions with the relay.", "outcome", Attempt.outcome),
        ("alertes_omissions", "Contacts not mailed, or letters that did not leave.", "why",
         Omission.why),
    ):  # fmt: skip
        family = CounterMetricFamily(name, text, labels=[label])
        for value, count in session.execute(_counted(column)):
            family.add_metric([value], count)
        yield family
    standing = select(func.count()).select_from(Hold).where(Hold.lifted_at.is_(None))
    yield GaugeMetricFamily(
        "alertes_holds", "Holds that forbid sending.", value=session.scalar(standing) or 0
    )


def _editions(session: Session) -> Iterator[Metric]:
    for name, text, column in (
        ("alertes_edition_opened_timestamp_seconds", "When the last one opened.",
         Edition.opened_at),
        ("alertes_edition_written_timestamp_seconds", "When the last one was written whole.",
         Edition.written_at),
    ):  # fmt: skip
        family = GaugeMetricFamily(name, text, labels=["frequency"])
        latest: ColumnElement[datetime | None] = func.max(column)
        asked = select(Edition.frequency, latest).group_by(Edition.frequency)
        for frequency, at in session.execute(asked):
            if at is not None:
                family.add_metric([frequency], at.astimezone(UTC).timestamp())
        yield family


def _sources(session: Session, at: datetime) -> Iterator[Metric]:
    well = GaugeMetricFamily(
        "alertes_source_standing", "1 for how each source is.", labels=["source", "standing"]
    )
    answered = GaugeMetricFamily(
        "alertes_source_answered_timestamp_seconds", "When it last answered.", labels=["source"]
    )
    for one in freshness.coverage(session, at):
        well.add_metric([one.key, one.standing], 1)
        if one.answered_at is not None:
            answered.add_metric([one.key], one.answered_at.timestamp())
    yield well
    yield answered


def _concerns(session: Session) -> Iterator[Metric]:
    family = GaugeMetricFamily("alertes_concerns", "What a person must look at.", labels=["cause"])
    causes = [one.cause for one in concerns.standing(session)]
    for cause in sorted(set(causes)):
        family.add_metric([cause], causes.count(cause))
    yield family


def _counted(column: InstrumentedAttribute[str]) -> Select[str, int]:
    return select(column, func.count()).group_by(column)
