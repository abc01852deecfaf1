"""The crash campaign in short, on both databases; and that it can turn red."""

from __future__ import annotations

import os

import pytest

from alerts import transaction
from campaigns import stores
from campaigns.crash.__main__ import apart
from campaigns.crash.points import FUNCTIONS, NAMES, held
from campaigns.postfix import PROGRAM

SHORT = {"readers": 16, "kills_a_round": 8}


def _with_postfix() -> bool:
    """Whether doubts can be reconciled with a real log; CI must be able to."""
    if PROGRAM.exists() and os.geteuid() == 0:
        return True
    if os.environ.get("FORBID_SKIPS") == "1":
        pytest.fail(f"no {PROGRAM} that may be started, and skips are forbidden")
    return False


@pytest.mark.parametrize("kind", stores.KINDS)
@pytest.mark.parametrize("reconcile", [True, False], ids=["postfix", "sink"])
def test_workers_killed_at_any_moment_lose_and_double_nothing(
    kind: str, *, reconcile: bool
) -> None:
    if reconcile and not _with_postfix():
        pytest.skip(f"NO POSTFIX at {PROGRAM}, or not root: doubts were not reconciled")
    verdict = apart(kind, kills=8, seed=1, reconcile=reconcile, **SHORT)
    assert verdict.faults == [], str(verdict)
    assert verdict.kills >= 8
    assert verdict.expected > 0


def test_the_campaign_is_red_where_silence_is_taken_for_a_refusal() -> None:
    """Half of the accepted messages are never answered, and the mutant sends them again."""
    verdict = apart("sqlite", kills=2, seed=1, mutant="silence-is-refusal", lost=0.5, **SHORT)
    assert "extra" in verdict.faults, str(verdict)


def test_every_point_is_in_the_product() -> None:
    """A function that moved would leave its points unreached, and its crashes untried."""
    for module, names in FUNCTIONS.values():
        for name in names:
            assert callable(getattr(*held(module, name)))
    assert {"_within", "stuffed", "BODY_WITHIN", "OFFER_WITHIN"} <= vars(transaction).keys()


def test_there_are_points_enough() -> None:
    assert len(set(NAMES)) >= 25
