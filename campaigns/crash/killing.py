"""Workers two at a time, each killed: at a named point if it gets there, else after a while."""

from __future__ import annotations

import mmap
import os
import random
import signal
import time
from dataclasses import dataclass, field

from campaigns.crash import points
from campaigns.crash.worker import Bench, fork, serve_once

#: Points of recovery and of the ledger, before and after the sending.
_AROUND = ("recovery.", "ledger.", "outbox.take_back", "doubts.in_doubt", "doubts.resolve")
#: Points that only writing reaches.
_WRITING = tuple(name for name in points.NAMES if " editions." in name or " writing." in name)
_OTHERS = tuple(name for name in points.NAMES if name not in _WRITING)
_HANDING = tuple(name for name in _OTHERS if not name.partition(" ")[2].startswith(_AROUND))
#: Workers at once.
WORKERS = 2
#: Unharmed workers after which a round has nothing left to be killed at.
ENOUGH = 4
_NEVER = float("inf")


@dataclass(slots=True)
class _Slot:
    """A worker at work."""

    board: mmap.mmap
    #: When to kill it if it still lives, on the monotonic clock; `_NEVER` once that is done.
    kill_at: float
    #: The named point where it dies if it comes so far; "" for none.
    point: str


@dataclass(slots=True)
class Killing:
    """Kills of a campaign, counted: those that hit a live worker."""

    bench: Bench
    dice: random.Random
    kills: int = 0
    in_send: int = 0
    points: set[str] = field(default_factory=set)
    #: Seconds that a worker lives at most, where it is to be killed at random.
    _patience: float = 0.8
    _unharmed: int = 0
    _running: dict[int, _Slot] = field(default_factory=dict)

    def go_on(self, trial: int, until: int) -> None:
        """Kill workers of that round until so many were killed in all, or nothing is left to do."""
        self._unharmed = 0
        first = True
        while self.kills < until and self._unharmed < ENOUGH:
            while len(self._running) < WORKERS:
                self._start(trial, first=first)
            first = False
            self._watch()
        while self._running:
            self._watch()

    def _start(self, trial: int, *, first: bool) -> None:
        dice, board = self.dice, mmap.mmap(-1, 1)
        point, nth = "", 1
        patience = self._patience * dice.uniform(0.05, 1)
        if dice.random() < 0.6:
            several = _WRITING if first else dice.choice((_WRITING, _OTHERS, _HANDING, _HANDING))
            point = dice.choice(several)
            nth = 1 if point in points.WITHIN else dice.choice((1, 1, 2, 3))
            # It may never be reached: then the worker has a little longer.
            patience += 2 * self._patience
        child = fork(lambda: serve_once(self.bench, board, trial, point, nth))
        self._running[child] = _Slot(board, time.monotonic() + patience, point)

    def _watch(self) -> None:
        """Reap the workers that are done; kill those whose moment has come."""
        for child, slot in list(self._running.items()):
            if time.monotonic() >= slot.kill_at:
                os.kill(child, signal.SIGKILL)
                slot.kill_at = _NEVER
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                del self._running[child]
                self._count(slot, status)
                slot.board.close()
        time.sleep(0.002)

    def _count(self, slot: _Slot, status: int) -> None:
        if not os.WIFSIGNALED(status):
            if status:
                raise RuntimeError(f"a worker failed: {status}")
            self._unharmed += 1
            self._patience *= 0.9
            return
        sending = slot.board[0:1] == points.SENDING
        self.kills += 1
        self.in_send += sending
        at_random = slot.kill_at == _NEVER
        if not at_random:
            self.points.add(slot.point)
        # The slower the machine, the longer the next workers live.
        self._patience *= 1.03 if at_random and not sending else 0.98
        self._patience = min(1.5, max(0.05, self._patience))
