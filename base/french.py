"""Québec French in letters, pages and commands: days, hours, plurals, no-break spaces.

Rules: OQLF, Banque de dépannage linguistique (see docs/glossary.md). ⍽ below is U+00A0.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

from base.clock import QUEBEC, quebec_day

NBSP = "\u00a0"
DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
# fmt: off
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)
# fmt: on


def day(moment: datetime | date) -> str:
    """«lundi 23⍽novembre 2026», the day in Québec; a first is «1er»."""
    local = quebec_day(moment) if isinstance(moment, datetime) else moment
    return f"{DAYS[local.weekday()]} {short_day(local)} {local.year}"


def short_day(moment: datetime | date) -> str:
    """«23⍽novembre», without weekday and year."""
    local = quebec_day(moment) if isinstance(moment, datetime) else moment
    number = "1er" if local.day == 1 else str(local.day)
    return f"{number}{NBSP}{MONTHS[local.month - 1]}"


def month(day: date) -> str:
    """«octobre 2026»."""
    return f"{MONTHS[day.month - 1]} {day.year}"


def hour(moment: datetime) -> str:
    """«14⍽h⍽05» or «14⍽h», in Québec wall time."""
    local = moment.astimezone(QUEBEC)
    minutes = f"{NBSP}{local.minute:02}" if local.minute else ""
    return f"{local.hour}{NBSP}h{minutes}"


def count(number: int, singular: str, plural: str) -> str:
    """«1⍽avis», «2⍽avis»; zero takes the singular, as French does."""
    return f"{thousands(number)}{NBSP}{plural if number >= 2 else singular}"


def thousands(number: int) -> str:
    """«12⍽500»."""
    return f"{number:,}".replace(",", NBSP)


def days_left(closes_at: datetime, at: datetime) -> int:
    """Whole Québec calendar days from `at` to `closes_at`: 0 is today; negative is past."""
    return (quebec_day(closes_at) - quebec_day(at)).days


def time_left(closes_at: datetime, at: datetime) -> str:
    """«dans 9⍽jours», «demain», «aujourd’hui», «dans 3⍽heures» on the last day, «fermé»."""
    if closes_at <= at:
        return "fermé"
    days = days_left(closes_at, at)
    if days == 0:
        hours = math.floor((closes_at - at).total_seconds() / 3600)
        return "dans moins d’une heure" if hours < 1 else f"dans {count(hours, 'heure', 'heures')}"
    return "demain" if days == 1 else f"dans {count(days, 'jour', 'jours')}"


def listed(words: list[str]) -> str:
    """«a, b et c»."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} et {words[-1]}"


def period(start: datetime, end: datetime) -> str:
    """«Semaine du 14 au 20⍽septembre 2026», or the day where [start, end) is within one."""
    first, last = quebec_day(start), quebec_day(end - timedelta(microseconds=1))
    if first == last:
        return day(first).capitalize()
    what = "Semaine du" if (last - first).days == 6 else "Du"
    if first.year != last.year:
        return f"{what} {short_day(first)} {first.year} au {short_day(last)} {last.year}"
    begun = short_day(first)
    if first.month == last.month:
        begun = begun.split(NBSP)[0]
    return f"{what} {begun} au {short_day(last)} {last.year}"
