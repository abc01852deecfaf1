"""Faults put into the service from outside, each of which a year must find."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from sqlalchemy import false, update
from sqlalchemy.orm import Session

from alerts import at_once, changed, ledger, periodic, rhythm, stale
from alerts.tables import Told, ToldState


def _forgotten(session: Session, letter_ids: Iterable[int]) -> None:
    """What was accepted may be told again."""
    told = update(Told).where(Told.letter_id.in_(list(letter_ids)))
    session.execute(told.values(state=ToldState.RELEASED))


def _in_winter_time(day: date, hour: int, minute: int = 0) -> datetime:
    """As base.clock.wall_time, all year at five hours from UTC."""
    zone = timezone(timedelta(hours=-5))
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def _owed_again(told: list[Told], since: Any, *, dismissed: bool) -> Any:  # noqa: ANN401, as the real one
    """A change is told against what was told first, whatever was received since."""
    return _OWED(sorted(told, key=lambda one: one.id)[:1], since, dismissed=dismissed)


_OWED = changed._owed
#: By name: modules, what is replaced in them, and with what.
MUTANTS: dict[str, list[tuple[Any, str, Any]]] = {
    "no-quiet-hours": [(rhythm, "is_quiet", lambda _: False)],
    "accepted-is-forgotten": [(ledger, "confirm", _forgotten)],
    "no-flush": [(at_once, "left_faster", lambda *_: {})],
    "false-letters-leave": [(stale, "is_false", lambda _: false())],
    "promoted-without-end": [(rhythm, "MOST_PROMOTED", 99)],
    "four-a-day": [(rhythm, "MOST_A_DAY", 4)],
    "winter-time": [
        (rhythm, "wall_time", _in_winter_time),
        (periodic, "wall_time", _in_winter_time),
    ],
    "changes-to-everybody-twice": [(changed, "_owed", _owed_again)],
}


def put(name: str) -> None:
    """Put it into this process, for good."""
    for module, attribute, value in MUTANTS[name]:
        setattr(module, attribute, value)
