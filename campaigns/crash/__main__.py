"""`python -m campaigns.crash`: the crash campaign on each database, and mutants for it to catch.

One line a part, then one line a database; the exit code is 1 where a zero is not zero, or where a
mutant went unnoticed. Half of the kills are with a real Postfix whose log decides about doubts,
half without one; where there is no Postfix, all are without.
"""

from __future__ import annotations

import argparse
import functools
import json
import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from campaigns import stores
from campaigns.crash.campaign import Plan, run
from campaigns.crash.mutants import MUTANTS
from campaigns.crash.verdict import Verdict
from campaigns.crash.worker import fork
from campaigns.postfix import PROGRAM

#: Kills that are enough for a mutant to be caught.
MUTANT_KILLS = 90


def main() -> None:
    """Run what the command line asks for."""
    asked = _arguments()
    logging.disable(logging.CRITICAL)
    _say(f"seed={asked.seed}")
    good = [_database(kind, asked.kills, asked.seed) for kind in asked.database]
    if asked.mutants:
        good += [_caught(name, asked.database[0], asked.seed) for name in MUTANTS]
    sys.exit(0 if all(good) else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m campaigns.crash", description=__doc__)
    parser.add_argument("--database", nargs="+", choices=stores.KINDS, default=stores.KINDS)
    parser.add_argument("--kills", type=int, default=1000, help="a database")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--mutants", action="store_true", help="also run the five mutants")
    return parser.parse_args()


def _database(kind: str, kills: int, seed: int) -> bool:
    """A whole campaign on one database; False where it found something."""
    relays = [True, False] if PROGRAM.exists() else [False]
    if len(relays) == 1:
        _say(f"NO POSTFIX at {PROGRAM}: doubts are not reconciled with a log")
    total, faults = Verdict(), []
    for reconcile in relays:
        part = -(-kills // len(relays))
        verdict = apart(kind, kills=part, seed=seed, reconcile=reconcile)
        relay = "postfix" if reconcile else "sink"
        _say(f"  database={kind} relay={relay} seed={seed} {verdict}")
        total += verdict
        faults += verdict.faults
    _say(f"database={kind} {total}")
    if total.is_void:
        faults.append("void: less than a tenth of the kills hit the sending")
    if faults:
        _say(f"  RED: {', '.join(faults)}")
    return not faults


def _caught(name: str, kind: str, seed: int) -> bool:
    # Short rounds, so that many readers leave; more replies lost, so that more is in doubt.
    verdict = apart(kind, kills=MUTANT_KILLS, kills_a_round=12, seed=seed, mutant=name, lost=0.1)
    red = verdict.faults
    _say(f"mutant={name} {'red: ' + ', '.join(red) if red else 'UNNOTICED'}  {verdict}")
    return bool(red)


def apart(kind: str, **asked: object) -> Verdict:
    """One campaign in a process of its own: its mutant and its warmth stay in it."""
    with tempfile.TemporaryDirectory(prefix="crash-") as made:
        folder = Path(made)
        # Postfix runs under its own user.
        folder.chmod(0o755)
        with stores.store(kind) as url:
            work = functools.partial(_run, Plan(url=url, folder=folder, **asked))  # type: ignore[arg-type]
            return _answer(work, folder / "verdict")


def _answer(work: Callable[[Path], None], file: Path) -> Verdict:
    _, status = os.waitpid(fork(functools.partial(work, file)), 0)
    if status:
        raise RuntimeError("the campaign failed")
    counts = json.loads(file.read_text(encoding="ascii"))
    return Verdict(**{**counts, "points": frozenset(counts["points"])})


def _run(plan: Plan, file: Path) -> None:
    file.write_text(json.dumps(asdict(run(plan)), default=sorted), encoding="ascii")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
