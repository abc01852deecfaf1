"""What wishes would have brought in the last twelve months, computed from the stored notices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from alerts.matching import Match, NearMiss, Wanted, match
from alerts.words import phrase
from alerts.year import Kept, Year

#: Notices shown of each list.
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice that would have been sent, or nearly."""

    call: Kept
    outcome: Match | NearMiss


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a reader sees before saving."""

    total: int
    #: The latest ones.
    examples: tuple[Shown, ...]
    #: Those that nearly matched, the best first.
    nearly: tuple[Shown, ...]
    #: Compared with the wishes that hold now; None where nothing is compared.
    before: int | None = None
    added: tuple[Kept, ...] = ()
    removed: tuple[Kept, ...] = ()
    added_total: int = 0
    removed_total: int = 0


def preview(year: Year, wanted: Wanted, current: Wanted | None = None) -> Preview:
    """What `wanted` would have brought in the year, and what changes from `current`."""
    with year.lock:
        return _preview(year, wanted, current)


def _preview(year: Year, wanted: Wanted, current: Wanted | None) -> Preview:
    found, nearly = _matched(year, wanted)
    latest = sorted(found, key=_latest)
    best = sorted(nearly, key=lambda one: (-one.outcome.score, *_latest(one)))
    made = Preview(total=len(found), examples=tuple(latest[:SHOWN]), nearly=tuple(best[:SHOWN]))
    if current is None:
        return made
    new = {one.call.cluster_id: one for one in found}
    old = {one.call.cluster_id: one for one in _matched(year, current)[0]}
    added = _calls(one for key, one in new.items() if key not in old)
    removed = _calls(one for key, one in old.items() if key not in new)
    return replace(
        made,
        before=len(old),
        added=added[:SHOWN],
        removed=removed[:SHOWN],
        added_total=len(added),
        removed_total=len(removed),
    )


def _matched(year: Year, wanted: Wanted) -> tuple[list[Shown], list[Shown]]:
    """The matches and the near misses of the year."""
    found, nearly = [], []
    for shown in decide(year, wanted):
        if shown.call.published_at <= year.since:
            continue
        if isinstance(shown.outcome, Match):
            found.append(shown)
        elif shown.outcome.score > 0:
            nearly.append(shown)
    return found, nearly


def decide(year: Year, wanted: Wanted, among: frozenset[int] | None = None) -> Iterator[Shown]:
    """What `match` says of each call that has something of what is wanted; `year.lock` is held.

    The index only spares work. `among` are the only clusters that count.
    """
    worded = _holding(year, wanted.own_words)
    excluded = _holding(year, wanted.excluded_words)
    candidates = set(worded)
    for sector in wanted.sectors:
        candidates |= year.by_sector.get(sector, set())
    # A word that stands nowhere in a notice is not looked for in it.
    variants = {
        (own, out): replace(
            wanted,
            own_words=wanted.own_words if own else (),
            excluded_words=wanted.excluded_words if out else (),
        )
        for own in (True, False)
        for out in (True, False)
    }
    for cluster_id in candidates if among is None else candidates & among:
        call = year.calls[cluster_id]
        asked = variants[cluster_id in worded, cluster_id in excluded]
        yield Shown(call, match(call.facts, call.classified, asked, place=call.place))


def _holding(year: Year, typed: Iterable[str]) -> set[int]:
    """The calls that hold every word of at least one of those expressions, in any order."""
    holding: set[int] = set()
    for expression in typed:
        one = phrase(expression)
        if one:
            holding |= set.intersection(*(year.by_stem.get(stem, set()) for stem in one.stems))
    return holding


def _calls(shown: Iterable[Shown]) -> tuple[Kept, ...]:
    return tuple(one.call for one in sorted(shown, key=_latest))


def _latest(one: Shown) -> tuple[float, int]:
    return (-one.call.published_at.timestamp(), one.call.cluster_id)
