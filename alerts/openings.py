"""What a member can look at: every open call, the reader's first, found by French words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.digest import Reason
from alerts.matching import Match, Wanted
from alerts.preview import decide
from alerts.year import Kept, Year, stems
from base.text import fold
from sources.release import Status
from sources.tables import Tender

#: A search is read so far; a longer one is nobody's.
LONGEST = 200
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What of the open calls is wanted; "" and None: all."""

    words: str = ""
    #: A slug of the catalogue.
    sector: str = ""
    #: A municipality or an MRC.
    place: str = ""
    #: Closing within so many days.
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """An open call, and why it is the reader's; no reason where it is not."""

    call: Kept
    reasons: tuple[Reason, ...]


def open_clusters(session: Session, at: datetime) -> frozenset[int]:
    """The calls that are open at that moment, reserved invitations included."""
    rows = session.execute(
        select(Tender.cluster_id, Tender.id).where(
            Tender.status == Status.ACTIVE,
            or_(Tender.closes_at.is_(None), Tender.closes_at > at),
        )
    )
    return frozenset(cluster_id or tender_id for cluster_id, tender_id in rows)


def openings(
    year: Year, clusters: frozenset[int], wanted: Wanted, asked: Asked, *, at: datetime
) -> list[Opening]:
    """Those of the open calls that are asked for: the reader's first, each soonest to close."""
    with year.lock:
        known = frozenset(key for key in clusters if key in year.calls)
        found = _searched(year, known, asked, at)
        mine = {
            one.call.cluster_id: one.outcome.reasons
            for one in decide(year, wanted, found)
            if isinstance(one.outcome, Match)
        }
        made = [Opening(year.calls[key], mine.get(key, ())) for key in found]
    return sorted(made, key=lambda one: (not one.reasons, *_soonest(one.call)))


def places(year: Year, clusters: Iterable[int]) -> list[str]:
    """The municipalities and MRC of those calls, in the order of the alphabet."""
    with year.lock:
        found = [year.calls[key].place for key in clusters if key in year.calls]
    named = {name for place in found for name in (place.municipality, place.mrc) if name}
    return sorted(named, key=fold)


def _searched(year: Year, clusters: frozenset[int], asked: Asked, at: datetime) -> frozenset[int]:
    text = asked.words[:LONGEST]
    found = clusters
    for stem in stems(text):
        found = found & year.by_stem.get(stem, set())
    if text.strip():
        found = found | {key for key in clusters if year.calls[key].number == text.strip()}
    return frozenset(key for key in found if _fits(year.calls[key], asked, at))


def _fits(call: Kept, asked: Asked, at: datetime) -> bool:
    if asked.sector and not call.is_of(asked.sector):
        return False
    if asked.place and asked.place not in {call.place.municipality, call.place.mrc}:
        return False
    if asked.days is None:
        return True
    return call.closes_at is not None and call.closes_at <= at + timedelta(days=asked.days)


def _soonest(call: Kept) -> tuple[datetime, str, int]:
    return (call.closes_at or _NEVER, call.facts.title, call.cluster_id)
