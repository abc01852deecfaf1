"""The order of a letter: which section each notice belongs to, and the most useful first. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from alerts.digest import Notice
from alerts.tables import Kind
from base.clock import QUEBEC, quebec_day
from sources.amendments import Grade, gravest

#: Calendar days ahead in which a closing is near.
SOON = 7
#: One number for section, weight and closing, since letters sort by it; then title and cluster.
Rank = tuple[float, str, int]


class Section(StrEnum):
    """The parts of a letter, in the order in which they are read."""

    CHANGED = "changed"  #: amended or cancelled since the reader was told
    REMINDERS = "reminders"
    SOON = "soon"  #: new, and closing within `SOON` days
    NEW = "new"
    RESERVED = "reserved"  #: invitations that only members are told of


SECTIONS = tuple(Section)
#: Whose notices have room as whole cards before the others', where not all have.
_FIRST = (Section.CHANGED, Section.REMINDERS, Section.SOON, Section.RESERVED, Section.NEW)
_RANK = {section: rank for rank, section in enumerate(_FIRST)}


def place(notice: Notice, at: datetime) -> tuple[Section, Rank]:
    """The notice's section, and what sorts it: the one to show rather than any other first."""
    section = _section(notice, at, _near(at))
    return section, _usefulness(section, notice)


def _section(notice: Notice, at: datetime, until: datetime) -> Section:
    if notice.kind == Kind.REMINDER:
        return Section.REMINDERS
    if notice.kind != Kind.NEW:
        return Section.CHANGED
    if notice.reserved:
        return Section.RESERVED
    near = notice.closes_at is not None and at < notice.closes_at < until
    return Section.SOON if near else Section.NEW


def _usefulness(section: Section, notice: Notice) -> Rank:
    """What is gravest first; of new ones, what most speaks for; then the soonest to close."""
    weight = 0
    if section is Section.NEW:
        weight = _MOST - min(len(notice.reasons), _MOST)
    elif section is Section.CHANGED and notice.kind != Kind.CANCELLATION:
        weight = _GRADES.index(gravest(notice.amendments) or Grade.MINOR) + 1
    closes = notice.closes_at.timestamp() if notice.closes_at else _NEVER
    number = (_RANK[section] * (_MOST + 1) + weight) * _STEP + closes
    return number, notice.title, notice.cluster_id


_GRADES = tuple(Grade)
#: Reasons that are told apart; a reader has rarely more than three.
_MOST = 20
#: More than the seconds until the year 9999; a hundred of these are exact in a float.
_STEP, _NEVER = 1e12, 9e11


@lru_cache(maxsize=100)
def _near(at: datetime) -> datetime:
    """The first moment in Québec that is more than `SOON` days away."""
    day = quebec_day(at) + timedelta(days=SOON + 1)
    return datetime(day.year, day.month, day.day, tzinfo=QUEBEC).astimezone(UTC)
