"""What is new for one subscription among the open calls, and what nearly is."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from alerts import near_misses
from alerts.calls import Call, OpenCalls
from alerts.digest import Notice, ordered
from alerts.ledger import Heard
from alerts.matching import Match, NearMiss, Shelf, Wanted
from alerts.near_misses import Missed
from alerts.poison import Poison
from subscriptions.tables import Subscription

logger = logging.getLogger(__name__)


def untold(
    subscription: Subscription,
    calls: OpenCalls,
    heard: Heard,
    poison: Poison,
    only: Collection[int] | None,
) -> tuple[tuple[Notice, ...], list[Missed]]:
    """What that subscription has not been told yet, soonest to close first; and near misses."""
    found, missed = [], []
    asked = _Asked(Wanted.of(subscription), only, heard.settled)
    for cluster_id, made in _decided(asked, calls, poison):
        call = calls.by_cluster[cluster_id]
        if isinstance(made, Match):
            again = cluster_id in heard.uncertain
            found.append(call.notice(made.reasons, perhaps_seen=again))
        else:
            missed.append(Missed(subscription.contact_id, call.revision.id, made))
    return ordered(found), near_misses.best(missed)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is wanted, and of which clusters."""

    wanted: Wanted
    only: Collection[int] | None
    settled: Collection[int]

    def of(self, shelf: Shelf[int]) -> list[tuple[int, Match | NearMiss]]:
        return list(shelf.decide(self.wanted, only=self.only, without=self.settled))


def _decided(asked: _Asked, calls: OpenCalls, poison: Poison) -> list[tuple[int, Match | NearMiss]]:
    """What is for that subscription, and what nearly is.

    A call that fails while others do not is left out; where all fail, the subscription is to
    blame, and the last failure is raised.
    """
    try:
        return asked.of(calls.shelf)
    except Exception:
        logger.exception("matching failed, each call is tried alone")
    decided: list[tuple[int, Match | NearMiss]] = []
    failed: list[tuple[Call, Exception]] = []
    for cluster_id, call in calls.by_cluster.items():
        try:
            decided += asked.of(Shelf({cluster_id: call.candidate(calls.at)}))
        except Exception as error:  # noqa: BLE001, one tender must not keep all letters
            failed.append((call, error))
    if len(failed) == len(calls.by_cluster):
        raise failed[-1][1]
    for call, reason in failed:
        poison.add(call.tender, call.revision, reason)
    return decided
