"""What is new for one subscription among the open calls, and what nearly is."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from alerts import near_misses
from alerts.calls import Call, OpenCalls
from alerts.digest import Notice
from alerts.ledger import Heard
from alerts.matching import Match, NearMiss, Shelf, Wanted
from alerts.near_misses import Missed
from alerts.poison import Poison
from subscriptions.tables import Subscription

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Untold:
    """What a subscription has not been told yet."""

    #: As many as it wants in one letter, soonest to close first.
    notices: tuple[Notice, ...]
    #: How many there are beyond.
    more: int
    missed: list[Missed]


def untold(
    subscription: Subscription,
    calls: OpenCalls,
    heard: Heard,
    poison: Poison,
    *,
    only: Collection[int] | None,
    but: Collection[int],
) -> Untold:
    """Of these clusters what that subscription has not been told; near misses of `but` as well."""
    asked = _Asked(
        Wanted.of(subscription), only, heard.settled, but, most=subscription.most_notices
    )
    found = _found(asked, calls, poison)
    return Untold(
        tuple(
            calls.by_cluster[key].notice(made.reasons, perhaps_seen=key in heard.uncertain)
            for key, made in found.told
        ),
        found.more,
        near_misses.best(
            Missed(subscription.contact_id, calls.by_cluster[key].revision.id, miss)
            for key, miss in found.missed
        ),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """By cluster, in the order of the shelf."""

    told: list[tuple[int, Match]]
    more: int
    missed: list[tuple[int, NearMiss]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is wanted, and of which clusters."""

    wanted: Wanted
    only: Collection[int] | None
    settled: Collection[int]
    but: Collection[int]
    most: int | None

    def of(self, shelf: Shelf[int]) -> _Found:
        """Reasons are made of what is told only: a reader may have ten times as much."""
        found = [key for key in shelf.matching(self.wanted) if self._asks(key, self.but)]
        told = found[: self.most]
        missed = [one for one in shelf.missing(self.wanted) if self._asks(one[0])]
        made = list(shelf.matches(self.wanted, told))
        return _Found(made, len(found) - len(told), missed)

    def _asks(self, key: int, but: Collection[int] = ()) -> bool:
        if key in self.settled or key in but:
            return False
        return self.only is None or key in self.only


def _found(asked: _Asked, calls: OpenCalls, poison: Poison) -> _Found:
    """What is for that subscription, and what nearly is.

    A call that fails while others do not is left out; where all fail, the subscription is to
    blame, and the last failure is raised.
    """
    try:
        return asked.of(calls.shelf)
    except Exception:
        logger.exception("matching failed, each call is tried alone")
    told: list[tuple[int, Match]] = []
    missed: list[tuple[int, NearMiss]] = []
    failed: list[tuple[Call, Exception]] = []
    for cluster_id, call in calls.by_cluster.items():
        try:
            one = asked.of(Shelf({cluster_id: call.candidate(calls.at)}))
            told += one.told
            missed += one.missed
        except Exception as error:  # noqa: BLE001, one tender must not keep all letters
            failed.append((call, error))
    if len(failed) == len(calls.by_cluster):
        raise failed[-1][1]
    for call, reason in failed:
        poison.add(call.tender, call.revision, reason)
    return _Found(told[: asked.most], len(told[asked.most :]) if asked.most else 0, missed)
