"""Whether a document is what its source usually brings, told by what it carries. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from statistics import median

from sources.release import Fault, PassedOver, Release, Status

#: Fields whose disappearance means that the format changed, not the calls.
FIELDS = ("title", "buyer", "number", "closes_at", "uri")
#: Fewer calls, or fewer faults, tell nothing of a format.
_ENOUGH = 5
#: A field carried by so many is expected of as many; by so few, it is gone.
_USUAL, _GONE = 0.9, 0.5
#: Of that many calls, some are still open a week later.
_SOME_OPEN = 20


class Hold(StrEnum):
    """Why a document is not believed as it stands."""

    #: Half of the usual, or less: what it says is taken in, what it leaves out means nothing.
    SHRUNKEN = "shrunken"
    #: Its fields or most of its releases cannot be read as before: nothing of it is taken in.
    CHANGED = "changed"


def carried(results: Iterable[Release | Fault | PassedOver]) -> dict[str, int]:
    """How many releases, faults and active calls there are, and how many calls carry each field."""
    counted = ("releases", "faults", "active", "unordered", *FIELDS)
    tally: Counter[str] = Counter(dict.fromkeys(counted, 0))
    for result in results:
        tally["releases"] += 1
        if isinstance(result, Fault):
            tally["faults"] += 1
        elif isinstance(result, Release) and result.status is Status.ACTIVE:
            tally["active"] += 1
            tally["unordered"] += not result.release_id
            tally.update(name for name in FIELDS if getattr(result, name))
    return dict(tally)


def closings(results: Iterable[Release | Fault | PassedOver]) -> list[int]:
    """When each active call closes, in seconds since 1970; 0 where that is not known."""
    active = (r for r in results if isinstance(r, Release) and r.status is Status.ACTIVE)
    return [int(one.closes_at.timestamp()) if one.closes_at else 0 for one in active]


def hold(
    now: Mapping[str, int],
    last: Mapping[str, int] | None,
    releases: Sequence[int],
    *,
    expected: int,
) -> Hold | None:
    """Compare a document with those before it; None where it is as they were.

    `last` is what the last one carried that was taken in, `releases` how many those had that were
    not held. `expected` is the catalogue's number of releases: 0 where fewer mean nothing.
    """
    if _unreadable(now) or (last and _changed(now, last)):
        return Hold.CHANGED
    usual = median(releases) if releases else expected
    if expected and now["releases"] * 2 < usual:
        return Hold.SHRUNKEN
    return None


def _unreadable(now: Mapping[str, int]) -> bool:
    return now["faults"] >= _ENOUGH and now["faults"] * 2 >= now["releases"]


def _changed(now: Mapping[str, int], before: Mapping[str, int]) -> bool:
    if before["active"] >= _SOME_OPEN and now["active"] == 0:
        # As many releases, none of them a call: the tags or the statuses were renamed.
        return now["releases"] * 2 >= before["releases"]
    if min(before["active"], now["active"]) < _ENOUGH:
        return False
    usual = [one for one in FIELDS if before[one] >= _USUAL * before["active"]]
    return any(now[one] <= _GONE * now["active"] for one in usual)
