"""The automatic brake: a run far beyond the usual ones waits until a person has looked.

A run is measured in the transaction that ends the writing of an edition, before any of its
letters can be claimed. What is compared: its letters, and its notices a letter.

    per run    an edition for all readers of a rhythm, against the median of the last ones
    per day    editions whenever something happens: all of the day's, against the largest of
               the last days; a busy day, as that of the weekly file, is among them
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import holds
from alerts.hold_tables import Hold
from alerts.tables import Edition, EditionState, Letter, LetterState, Stream
from base.clock import quebec_day
from base.concerns import raise_concern

#: How many past runs the median is taken over, and how few of them say nothing yet.
PAST_RUNS, FEWEST_RUNS = 8, 3
#: A run beyond so many times the usual is held.
TIMES = 3
#: The streams that are compared by run; the others by day.
PER_RUN = frozenset({Stream.DAILY, Stream.WEEKLY, Stream.ALIVE})
#: No day with fewer letters, or fewer notices a letter, is too much: where two letters a day are
#: usual, seven are no alarm.
FEWEST_LETTERS, FEWEST_NOTICES = 20, 10
#: For so long days are looked back at.
_BACK = timedelta(days=60)


def measure(session: Session, edition: Edition, *, at: datetime) -> str:
    """Count what that edition wrote, and hold everything where it is far beyond the past.

    Returns the cause of the hold: "brake", "first run" where nothing was ever sent from this
    database, or "". An edition without letters holds nothing and counts for nothing.
    """
    letters, notices = _written(session, edition)
    edition.letters, edition.notices = letters, notices
    session.flush()
    if not letters:
        return ""
    run = _run(session, edition, at)
    if not run.past:
        return "first run" if _hold_first_run(session, letters, notices, at) else ""
    if len(run.past) < FEWEST_RUNS or not run.is_excessive:
        return ""
    _hold(session, "brake", run.key, run.detail, at)
    return "brake"


def usual(session: Session, edition: Edition) -> tuple[float, float] | None:
    """The median letters, and notices a letter, of the runs before; None of fewer than FEWEST_RUNS.

    For a stream that is compared by run.
    """
    past = _past(session, edition)
    if len(past) < FEWEST_RUNS:
        return None
    return median(n for n, _ in past), median(told / n for n, told in past)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """What is measured: letters and notices, and those of the runs that came before."""

    key: str
    letters: int
    notices: int
    past: list[tuple[int, int]]
    #: What of the past is usual, and the least that can be too much, of letters and of notices.
    usual: Callable[[Iterable[float]], float]
    least: tuple[int, int] = (0, 0)

    @property
    def is_excessive(self) -> bool:
        letters, notices = self._usual
        many = self.letters > max(TIMES * letters, self.least[0])
        return many or self.notices / self.letters > max(TIMES * notices, self.least[1])

    @property
    def detail(self) -> dict[str, int]:
        letters, notices = self._usual
        return {
            "letters": self.letters,
            "usual_letters": round(letters),
            "notices": self.notices,
            "usual_notices": round(notices * self.letters),
        }

    @property
    def _usual(self) -> tuple[float, float]:
        return self.usual(n for n, _ in self.past), self.usual(told / n for n, told in self.past)


def _run(session: Session, edition: Edition, at: datetime) -> _Run:
    if edition.frequency in PER_RUN:
        return _Run(
            key=f"edition:{edition.id}",
            letters=edition.letters,
            notices=edition.notices,
            past=_past(session, edition),
            usual=median,
        )
    days = _days(session, edition, at)
    today = quebec_day(edition.opened_at)
    letters, notices = days.pop(today)
    return _Run(
        key=f"{edition.frequency}:{today}",
        letters=letters,
        notices=notices,
        past=[days[day] for day in sorted(days)[-PAST_RUNS:]],
        usual=max,
        least=(FEWEST_LETTERS, FEWEST_NOTICES),
    )


def _hold_first_run(session: Session, letters: int, notices: int, at: datetime) -> bool:
    if holds.ever(session, holds.FIRST_RUN):
        return False
    detail = {"letters": letters, "notices": notices}
    _hold(session, holds.FIRST_RUN, holds.FIRST_RUN, detail, at)
    return True


def _hold(session: Session, cause: str, key: str, detail: dict[str, int], at: datetime) -> None:
    words = ", ".join(f"{name}={number}" for name, number in detail.items())
    holds.hold(session, cause=cause, detail=words, by="service", at=at)
    raise_concern(session, key=f"hold:{key}", cause=f"hold {cause}", detail=detail, at=at)


def _written(session: Session, edition: Edition) -> tuple[int, int]:
    """Letters of an edition and the notices in them; those that cannot be composed apart."""
    counted = session.execute(
        select(func.count(), func.coalesce(func.sum(Letter.notices), 0)).where(
            Letter.edition_id == edition.id, Letter.state != LetterState.QUARANTINED
        )
    ).one()
    return int(counted[0]), int(counted[1])


def _past(session: Session, edition: Edition) -> list[tuple[int, int]]:
    """The letters and notices of the last runs of that frequency."""
    rows = session.execute(
        select(Edition.letters, Edition.notices)
        .where(
            Edition.frequency == edition.frequency,
            Edition.state == EditionState.WRITTEN,
            Edition.letters > 0,
            Edition.id != edition.id,
        )
        .order_by(Edition.ends_at.desc())
        .limit(PAST_RUNS)
    )
    return [(letters, notices) for letters, notices in rows]


def _days(session: Session, edition: Edition, at: datetime) -> dict[date, tuple[int, int]]:
    """The letters and notices of that stream by day, with letters; of today, since staff looked."""
    lifted = session.scalar(select(func.max(Hold.lifted_at)).where(Hold.cause == "brake"))
    rows = session.execute(
        select(Edition.id, Edition.opened_at, Edition.letters, Edition.notices).where(
            Edition.frequency == edition.frequency,
            Edition.opened_at > at - _BACK,
            Edition.letters > 0,
            Edition.opened_at <= edition.opened_at,
        )
    )
    found: dict[date, tuple[int, int]] = {}
    today = quebec_day(edition.opened_at)
    for edition_id, opened_at, letters, notices in rows:
        day = quebec_day(opened_at)
        seen = day == today and lifted is not None and opened_at <= lifted
        if seen and edition_id != edition.id:
            continue
        before = found.get(day, (0, 0))
        found[day] = (before[0] + letters, before[1] + notices)
    return found
