"""The crash campaign: workers are killed, again and again; nothing may be lost or doubled.

Rounds, each with its edition: calls are published, who left comes back, the office ends some
memberships and subscriptions while two workers at a time write and send and are killed; then
workers run unharmed until nothing waits. The last three rounds are without kills and changes.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import and_, or_, select

from alerts.tables import Edition, EditionState, Letter, LetterState
from base.database import connect
from campaigns import office, points, sink, wire, worker, world
from campaigns.points import SENDING
from campaigns.postfix import Postfix, postfix
from campaigns.verdict import Observed, Verdict, judge
from campaigns.worker import Bench, fork, serve_once
from campaigns.world import Change, World

#: Points of recovery and of the ledger, before and after the sending.
_AROUND = ("recovery.", "ledger.", "outbox.take_back", "outbox.in_doubt", "outbox.resolve")
#: Points that only writing reaches.
_WRITING = tuple(name for name in points.NAMES if " editions." in name or " writing." in name)
_OTHERS = tuple(name for name in points.NAMES if name not in _WRITING)
_HANDING = tuple(name for name in _OTHERS if not name.partition(" ")[2].startswith(_AROUND))
#: Workers at once.
WORKERS = 2
#: Unharmed workers after which a round has nothing left to be killed at.
ENOUGH = 4
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
class _Slot:
    """A worker at work."""

    board: mmap.mmap
    #: When to kill it if it still lives, on the monotonic clock.
    kill_at: float
    #: The named point where it dies if it comes so far; "" for none.
    point: str


@dataclass(slots=True)
class _Campaign:
    plan: Plan
    bench: Bench
    world: World
    dice: random.Random
    running: dict[int, _Slot] = field(default_factory=dict)
    #: Rounds with kills and changes so far.
    rounds: int = 0
    #: Seconds that a worker lives at most, where it is to be killed at random.
    patience: float = 0.3
    kills: int = 0
    in_send: int = 0
    unharmed: int = 0
    points: set[str] = field(default_factory=set)

    def count(self, slot: _Slot) -> None:
        """One more kill; the slower the machine, the longer the next workers live."""
        sending = slot.board[0:1] == SENDING
        self.kills += 1
        self.in_send += sending
        at_random = slot.kill_at == float("inf")
        if not at_random:
            self.points.add(slot.point)
        self.patience = min(
            0.8, max(0.05, self.patience * (1.03 if at_random and not sending else 0.98))
        )

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
        port, log = stack.enter_context(_relay(plan))
        bench = Bench(
            database=connect(plan.url),
            folder=plan.folder,
            port=port,
            log=log,
            desk=worker.desk(),
            mutant=plan.mutant,
            grace=plan.grace,
        )
        dice = random.Random(plan.seed)  # noqa: S311, no secret
        campaign = _Campaign(plan, bench, everything, dice)
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
    while campaign.kills < campaign.plan.kills:
        if campaign.rounds > 10 + campaign.kills:
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
        _kill(campaign, trial)
        _, status = os.waitpid(office_worker, 0)
        if status:
            raise RuntimeError("the office failed")
    _rest(campaign, trial)
    _in_office(campaign, _decide, trial, not killing)


def _kill(campaign: _Campaign, trial: int) -> None:
    """Start workers and kill them, until there were enough kills or there is nothing to do."""
    plan = campaign.plan
    campaign.unharmed = 0
    target = min(plan.kills, campaign.kills + plan.kills_a_round)
    first = True
    while campaign.kills < target and campaign.unharmed < ENOUGH:
        while len(campaign.running) < WORKERS:
            _start(campaign, trial, first=first)
        first = False
        _watch(campaign)
    while campaign.running:
        _watch(campaign)


def _start(campaign: _Campaign, trial: int, *, first: bool) -> None:
    dice, board = campaign.dice, mmap.mmap(-1, 1)
    point, nth = "", 1
    patience = campaign.patience * dice.uniform(0.05, 1)
    if dice.random() < 0.6:
        several = _WRITING if first else dice.choice((_WRITING, _OTHERS, _HANDING, _HANDING))
        point = dice.choice(several)
        nth = 1 if point in points.WITHIN else dice.choice((1, 1, 2, 3))
        # It may never be reached: then the worker has a little longer.
        patience += 2 * campaign.patience
    child = fork(lambda: serve_once(campaign.bench, board, trial, point, nth))
    campaign.running[child] = _Slot(board, time.monotonic() + patience, point)


def _watch(campaign: _Campaign) -> None:
    """Reap one worker if one is done; kill those whose moment has come."""
    for child, slot in list(campaign.running.items()):
        if time.monotonic() >= slot.kill_at:
            os.kill(child, signal.SIGKILL)
            slot.kill_at = float("inf")
        done, status = os.waitpid(child, os.WNOHANG)
        if not done:
            continue
        del campaign.running[child]
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            campaign.count(slot)
        elif status:
            raise RuntimeError(f"a worker failed: {status}")
        else:
            campaign.unharmed += 1
        slot.board.close()
    time.sleep(0.002)


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


@contextmanager
def _relay(plan: Plan) -> Iterator[tuple[int, Path | None]]:
    """The port that workers speak to, and the log of the Postfix behind it."""
    lost, refused = (0.0, 0.0) if plan.reconcile else (plan.lost, plan.refused)
    arguments = (plan.folder / "accepted", plan.seed, lost, refused)
    with _process("campaigns.sink", *arguments) as sink_port:
        if not plan.reconcile:
            yield sink_port, None
            return
        with postfix(plan.folder / "postfix", deliver_to=sink_port) as relay:
            wire_arguments = (plan.folder / "dots", plan.seed, plan.lost, relay.port)
            with _process("campaigns.wire", *wire_arguments) as port:
                yield port, relay.log
                _deliver_all(relay)


def _deliver_all(relay: Postfix) -> None:
    until = time.monotonic() + REST_WITHIN
    while relay.queued():
        if time.monotonic() > until:
            raise RuntimeError("Postfix keeps mail")
        time.sleep(0.2)


@contextmanager
def _process(module: str, *arguments: object) -> Iterator[int]:
    """A server of its own, whose first line is its port; killed at the end."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            assert server.stdout is not None  # noqa: S101, narrows for the type checker
            yield int(server.stdout.readline())
        finally:
            server.kill()


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
                kills=campaign.kills,
                in_send=campaign.in_send,
                accepted=accepted,
                began=began,
                changes=campaign.changes,
                doubts=campaign.bench.doubts,
                reconciled=plan.reconcile,
                points=frozenset(campaign.points),
            ),
        )
    finally:
        database.dispose()
