"""The crash campaign: workers are killed, again and again; nothing may be lost or doubled.

Rounds, each with its edition: calls are published, who left comes back, the office ends some
memberships and subscriptions while two workers at a time write and send and are killed; then
workers run unharmed until nothing waits. The last three rounds are without kills and changes.
"""

from __future__ import annotations

import mmap
import os
import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import and_, or_, select

from alerts.tables import Edition, EditionState, Letter, LetterState
from base.database import connect
from campaigns.crash import office, sink, wire, worker, world
from campaigns.crash.killing import Killing
from campaigns.crash.relay import relay
from campaigns.crash.verdict import Observed, Verdict, judge
from campaigns.crash.worker import Bench, fork, serve_once
from campaigns.crash.world import Change, World

#: Rounds at the end, without kills and changes, in which all that is owed is told.
QUIET = 3
#: Seconds in which a round must come to rest.
REST_WITHIN = 120.0
#: The same for a mutant, which may never rest.
MUTANT_RESTS = 8.0
_WAITING = (
    LetterState.WRITTEN,
    LetterState.CLAIMED,
    LetterState.IN_DOUBT,
    LetterState.DEFERRED,
    LetterState.STALE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One campaign on one database."""

    url: str
    folder: Path
    kills: int
    seed: int
    readers: int = 40
    #: Kills after which a round is left in peace.
    kills_a_round: int = 30
    #: Share of accepted messages whose reply never comes.
    lost: float = 0.02
    #: Share of transactions that the sink refuses, where no Postfix is before it.
    refused: float = 0.01
    #: Whether a real Postfix is the relay, whose log decides about doubts.
    reconcile: bool = False
    mutant: str = ""
    grace: timedelta = timedelta(seconds=2)


@dataclass(slots=True)
class _Campaign:
    plan: Plan
    bench: Bench
    world: World
    killing: Killing
    #: Rounds with kills and changes so far.
    rounds: int = 0

    @property
    def changes(self) -> Path:
        return self.plan.folder / "changes"

    @property
    def kept(self) -> Path:
        return self.plan.folder / "accepted"


def run(plan: Plan) -> Verdict:
    """Run it; the database at `plan.url` must be new and at head, the folder empty."""
    everything = world.make(plan.seed, plan.readers)
    with ExitStack() as stack:
        shares = {"lost": plan.lost, "refused": plan.refused}
        port, log = stack.enter_context(
            relay(plan.folder, seed=plan.seed, reconcile=plan.reconcile, **shares)
        )
        bench = Bench(
            database=connect(plan.url),
            folder=plan.folder,
            port=port,
            log=log,
            desk=worker.desk(),
            mutant=plan.mutant,
            grace=plan.grace,
        )
        killing = Killing(bench, random.Random(plan.seed))
        campaign = _Campaign(plan, bench, everything, killing)
        worker.prepare(bench)
        _warm(campaign)
        _all_rounds(campaign)
    return _judged(campaign)


def _warm(campaign: _Campaign) -> None:
    """The first round, unharmed and in this process."""
    database = campaign.bench.database
    office.enrol(database, campaign.world.readers)
    office.publish(database, campaign.world.calls[0], campaign.plan.folder, 0)
    office.lift_expected(database, campaign.bench.journal)
    worker.warm(campaign.bench)
    _rest(campaign, 0)
    campaign.rounds = 1


def _all_rounds(campaign: _Campaign) -> None:
    killing = campaign.killing
    while killing.kills < campaign.plan.kills:
        if campaign.rounds > 10 + killing.kills:
            raise RuntimeError("workers are not killed")
        _round(campaign, campaign.rounds, killing=True)
    for quiet in range(QUIET):
        _round(campaign, campaign.rounds + quiet, killing=False)


def _round(campaign: _Campaign, trial: int, *, killing: bool) -> None:
    plan, happens = campaign.plan, campaign.world
    # Only the first of the quiet rounds comes after one in which somebody left.
    left = happens.changes[trial - 1] if trial and campaign.rounds >= trial else ()
    _in_office(campaign, _begin_round, trial, killing, left)
    if killing:
        campaign.rounds += 1
        changes = happens.changes[trial]
        office_worker = fork(
            lambda: office.make_changes(
                campaign.bench.database, changes, campaign.changes, plan.seed + trial, 3.0
            )
        )
        campaign.killing.go_on(trial, min(plan.kills, campaign.killing.kills + plan.kills_a_round))
        _, status = os.waitpid(office_worker, 0)
        if status:
            raise RuntimeError("the office failed")
    _rest(campaign, trial)
    _in_office(campaign, _decide, trial, not killing)


def _rest(campaign: _Campaign, trial: int) -> None:
    """Let workers be until nothing waits any more."""
    until = time.monotonic() + (MUTANT_RESTS if campaign.plan.mutant else REST_WITHIN)
    while time.monotonic() < until:
        _unharmed(campaign, trial)
        if not _in_office(campaign, _is_busy):
            return
        time.sleep(0.2)
    if not campaign.plan.mutant:
        raise RuntimeError("the round does not come to rest")


def _unharmed(campaign: _Campaign, trial: int) -> None:
    board = mmap.mmap(-1, 1)
    child = fork(lambda: serve_once(campaign.bench, board, trial))
    _, status = os.waitpid(child, 0)
    board.close()
    if status:
        raise RuntimeError(f"a worker failed: {status}")


def _in_office(campaign: _Campaign, work: object, *known: object) -> int:
    """Do it in a child of its own, so that the campaign itself never opens the database."""
    assert callable(work)  # noqa: S101, narrows for the type checker
    answer = mmap.mmap(-1, 1)

    def done() -> None:
        answer[0:1] = bytes([min(255, int(work(campaign, *known) or 0))])

    _, status = os.waitpid(fork(done), 0)
    if status:
        raise RuntimeError("the office failed")
    said = answer[0]
    answer.close()
    return said


def _begin_round(
    campaign: _Campaign,
    trial: int,
    killing: bool,  # noqa: FBT001, passed on as it is
    left: tuple[Change, ...],
) -> None:
    database, happens, plan = campaign.bench.database, campaign.world, campaign.plan
    readers = {reader.name: reader for reader in happens.readers}
    office.renew(database, left, readers, campaign.changes)
    if killing:
        office.publish(database, happens.calls[trial], plan.folder, trial)
    office.lift_expected(database, campaign.bench.journal)


def _decide(campaign: _Campaign, trial: int, all_of_them: bool) -> None:  # noqa: FBT001
    office.lift_expected(campaign.bench.database, campaign.bench.journal)
    if not campaign.plan.reconcile:
        arrived = {one.message_id for one in sink.read(campaign.kept)}
        database = campaign.bench.database
        office.decide(database, arrived, campaign.plan.seed + trial, all_of_them=all_of_them)


def _is_busy(campaign: _Campaign) -> bool:
    database = campaign.bench.database
    office.lift_expected(database, campaign.bench.journal)
    to_be_asked = and_(Letter.state == LetterState.UNKNOWN, Letter.lease_until.is_not(None))
    waits = Letter.state.in_(_WAITING)
    with database.read() as session:
        open_one = session.scalar(select(Edition.id).where(Edition.state == EditionState.OPEN))
        condition = or_(waits, to_be_asked) if campaign.plan.reconcile else waits
        return bool(open_one or session.scalar(select(Letter.id).where(condition).limit(1)))


def _judged(campaign: _Campaign) -> Verdict:
    plan = campaign.plan
    accepted = list(sink.read(campaign.kept))
    began = (
        wire.dots(plan.folder / "dots")
        if plan.reconcile
        else [(one.address, one.began) for one in accepted]
    )
    database = campaign.bench.database
    try:
        return judge(
            database,
            Observed(
                world=campaign.world,
                rounds=campaign.rounds,
                kills=campaign.killing.kills,
                in_send=campaign.killing.in_send,
                accepted=accepted,
                began=began,
                changes=campaign.changes,
                doubts=campaign.bench.doubts,
                reconciled=plan.reconcile,
                points=frozenset(campaign.killing.points),
            ),
        )
    finally:
        database.dispose()
